import type { Span } from '../issue/source.ts';

/**
 * The spans that lie wholly in another one, found by bisection: a long transcript has tens of thousands.
 * @param ordered by `start`
 */
export function spansWithin<Kind extends Span>(
  ordered: readonly Kind[],
  { start, end }: Span,
): Kind[] {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ordered[middle]!.start < start) low = middle + 1;
    else high = middle;
  }
  const found: Kind[] = [];
  for (let at = low; at < ordered.length && ordered[at]!.start < end; at += 1)
    if (ordered[at]!.end <= end) found.push(ordered[at]!);
  return found;
}
