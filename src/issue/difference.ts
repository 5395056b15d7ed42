/** What changed between two sequences of lines or characters (Myers, "An O(ND) Difference Algorithm", 1986). */

/** A run of neighbours that stand in both, only in the first (`gone`) or only in the second (`new`). */
export interface Run {
  kind: 'same' | 'gone' | 'new';
  /** Index of the run's first element in the sequence before and in the one after. */
  before: number;
  after: number;
  length: number;
}

/** More edits than these are told as one that replaces everything: nobody reads such a comparison. */
const MOST_EDITS = 3_000;

/** The shortest way from one sequence to the other, in order. */
export function difference(before: readonly string[], after: readonly string[]): Run[] {
  const head = commonLength(before, after, (list, at) => list[at]);
  const rest = [before.slice(head), after.slice(head)] as const;
  const tail = commonLength(...rest, (list, at) => list[list.length - 1 - at]);
  const middle = [
    before.slice(head, before.length - tail),
    after.slice(head, after.length - tail),
  ] as const;
  const runs = [
    run('same', 0, 0, head),
    ...steps(...middle).map((step) => ({
      ...step,
      before: step.before + head,
      after: step.after + head,
    })),
    run('same', before.length - tail, after.length - tail, tail),
  ];
  return joined(runs.filter(({ length }) => length > 0));
}

function run(kind: Run['kind'], before: number, after: number, length = 1): Run {
  return { kind, before, after, length };
}

function commonLength(
  before: readonly string[],
  after: readonly string[],
  element: (list: readonly string[], at: number) => string | undefined,
): number {
  const most = Math.min(before.length, after.length);
  let length = 0;
  while (length < most && element(before, length) === element(after, length)) length += 1;
  return length;
}

/** `furthest[d]` has, for each diagonal, how far d edits lead along it. */
function steps(before: readonly string[], after: readonly string[]): Run[] {
  const reach = new Map<number, number>([[1, 0]]);
  const furthest: Map<number, number>[] = [];
  for (let edits = 0; edits <= Math.min(before.length + after.length, MOST_EDITS); edits += 1) {
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = nextX(reach, diagonal, edits);
      while (x < before.length && before[x] === after[x - diagonal]) {
        if (x - diagonal >= after.length) break;
        x += 1;
      }
      reach.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length)
        return walkBack(furthest, before.length, after.length);
    }
    furthest.push(new Map(reach));
  }
  return [run('gone', 0, 0, before.length), run('new', before.length, 0, after.length)];
}

function nextX(reach: Map<number, number>, diagonal: number, edits: number): number {
  const [left, right] = [reach.get(diagonal - 1) ?? -1, reach.get(diagonal + 1) ?? -1];
  const down = diagonal === -edits || (diagonal !== edits && left < right);
  return down ? right : left + 1;
}

function walkBack(furthest: readonly Map<number, number>[], endX: number, endY: number): Run[] {
  const runs: Run[] = [];
  let [x, y] = [endX, endY];
  for (let edits = furthest.length; edits > 0; edits -= 1) {
    const reach = furthest[edits - 1] as Map<number, number>;
    const diagonal = x - y;
    const [left, right] = [reach.get(diagonal - 1) ?? -1, reach.get(diagonal + 1) ?? -1];
    const down = diagonal === -edits || (diagonal !== edits && left < right);
    const fromX = down ? right : left;
    const fromY = fromX - (down ? diagonal + 1 : diagonal - 1);
    const startX = down ? fromX : fromX + 1;
    runs.unshift(run('same', startX, startX - diagonal, x - startX));
    runs.unshift(run(down ? 'new' : 'gone', fromX, fromY));
    [x, y] = [fromX, fromY];
  }
  runs.unshift(run('same', 0, 0, x));
  return runs;
}

function joined(runs: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const next of runs) {
    const last = result.at(-1);
    if (last?.kind === next.kind) last.length += next.length;
    else result.push({ ...next });
  }
  return result;
}
