/** The best segmentation, exactly, by dynamic programming. */

export interface Problem {
  /** Sentences. */
  size: number;
  /** Sentences of the longest segment that is considered. */
  longest: number;
  /** Value of a boundary before each sentence; that of sentence 0 is not used. */
  boundary: Float64Array;
  /** Value of the segment from one sentence to another (exclusive). */
  segment: (from: number, to: number) => number;
}

/** First sentences of the segments of the best segmentation; among equals, the fewest segments. */
export function bestSegmentation({ size, longest, boundary, segment }: Problem): number[] {
  const best = new Float64Array(size + 1).fill(Number.NEGATIVE_INFINITY);
  const origin = new Int32Array(size + 1);
  best[0] = 0;
  for (let to = 1; to <= size; to++) {
    for (let from = Math.max(0, to - longest); from < to; from++) {
      const value = best[from]! + (from > 0 ? boundary[from]! : 0) + segment(from, to);
      if (value <= best[to]!) continue;
      best[to] = value;
      origin[to] = from;
    }
  }
  return starts(size, (to) => origin[to]!);
}

/** The same among the segmentations with exactly `count` segments; undefined when there is none. */
export function bestSegmentationOf(count: number, problem: Problem): number[] | undefined {
  const { size, longest, boundary, segment } = problem;
  const width = size + 1;
  const origin = new Int32Array((count + 1) * width);
  let best = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
  best[0] = 0;
  for (let k = 1; k <= count; k++) {
    const next = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
    for (let to = k; to <= size; to++) {
      for (let from = Math.max(k - 1, to - longest); from < to; from++) {
        const value = best[from]! + (from > 0 ? boundary[from]! : 0) + segment(from, to);
        if (value <= next[to]!) continue;
        next[to] = value;
        origin[k * width + to] = from;
      }
    }
    best = next;
  }
  if (best[size] === Number.NEGATIVE_INFINITY) return undefined;
  let k = count;
  return starts(size, (to) => origin[k-- * width + to]!);
}

function starts(size: number, originOf: (to: number) => number): number[] {
  const found: number[] = [];
  for (let to = size; to > 0; ) {
    to = originOf(to);
    found.push(to);
  }
  return found.reverse();
}
