/** Measures of segmentation, headlines and rank. All offsets are UTF-16 code units. */

export interface Match {
  found: number;
  wanted: number;
  right: number;
}

/** Harmonic mean of precision and recall; 1 where nothing was wanted and nothing found. */
export function f1({ found, wanted, right }: Match): number {
  return found + wanted === 0 ? 1 : (2 * right) / (found + wanted);
}

/**
 * Boundaries that agree, each counted once.
 * @param sentences starts of all sentences: within `reach` of them a boundary still counts
 */
export function matchBoundaries(
  found: readonly number[],
  wanted: readonly number[],
  sentences: readonly number[],
  reach: number,
): Match {
  const rank = (offset: number) => sentences.filter((start) => start < offset).length;
  const left = wanted.map(rank);
  let right = 0;
  for (const place of found.map(rank)) {
    const near = left.findIndex((other) => Math.abs(other - place) <= reach);
    if (near < 0) continue;
    left.splice(near, 1);
    right += 1;
  }
  return { found: found.length, wanted: wanted.length, right };
}

/** Offsets in the text without white space: no method gains by where it puts a blank. */
export function withoutSpace(text: string, offsets: readonly number[]): number[] {
  const before = new Uint32Array(text.length + 1);
  for (let at = 0; at < text.length; at += 1)
    before[at + 1] = (before[at] as number) + Number(!/\s/.test(text[at] as string));
  return offsets.map((offset) => before[offset] as number);
}

/**
 * Share of windows whose two ends are judged wrongly as of one segment or of two (Beeferman, Berger and
 * Lafferty 1999); the window is half a mean segment.
 * @param size characters
 */
export function pk(found: readonly number[], wanted: readonly number[], size: number): number {
  return windows(found, wanted, size, (a, b) => Number(a > 0 !== b > 0));
}

/** Share of windows that hold another number of boundaries (Pevzner and Hearst 2002). */
export function windowDiff(
  found: readonly number[],
  wanted: readonly number[],
  size: number,
): number {
  return windows(found, wanted, size, (a, b) => Number(a !== b));
}

function windows(
  found: readonly number[],
  wanted: readonly number[],
  size: number,
  penalty: (a: number, b: number) => number,
): number {
  const width = Math.max(1, Math.round(size / (wanted.length + 1) / 2));
  const [a, b] = [counts(found, size), counts(wanted, size)];
  let sum = 0;
  for (let at = 0; at + width <= size; at += 1) {
    const within = (count: Uint32Array) => (count[at + width] as number) - (count[at] as number);
    sum += penalty(within(a), within(b));
  }
  return sum / Math.max(1, size - width + 1);
}

function counts(boundaries: readonly number[], size: number): Uint32Array {
  const count = new Uint32Array(size + 1);
  for (const boundary of boundaries) count[boundary] = (count[boundary] as number) + 1;
  for (let at = 1; at <= size; at += 1)
    count[at] = (count[at] as number) + (count[at - 1] as number);
  return count;
}

/** F1 of the words that two headlines share: Han characters one by one, other words whole (Lin 2004). */
export function rouge1(candidate: string, reference: string): number {
  const [a, b] = [wordsOf(candidate), wordsOf(reference)];
  const left = new Map<string, number>();
  for (const word of b) left.set(word, (left.get(word) ?? 0) + 1);
  let right = 0;
  for (const word of a) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    right += 1;
  }
  return f1({ found: a.length, wanted: b.length, right });
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{Script=Han}|[\p{Script=Latin}\p{N}.]+/gu) ?? [];
}

/** Chance that an important item scores higher than another one; undefined where there is no pair. */
export function auc(items: readonly { score: number; important: boolean }[]): number | undefined {
  let pairs = 0;
  let won = 0;
  for (const { score } of items.filter(({ important }) => important)) {
    for (const other of items.filter(({ important }) => !important)) {
      pairs += 1;
      won += score > other.score ? 1 : score === other.score ? 0.5 : 0;
    }
  }
  return pairs === 0 ? undefined : won / pairs;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
