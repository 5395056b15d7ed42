/** What our segmentation has to beat. All get sentences, and where it says so the true number of segments. */
import type { Sentence } from '../src/issue/source.ts';

export interface Task {
  text: string;
  sentences: readonly Sentence[];
  /** Terms of each sentence. */
  terms: readonly string[][];
  /** Segments that there really are. */
  count: number;
  random: () => number;
}

/** Indexes of the sentences that begin a segment, without 0. */
export type Baseline = (task: Task) => number[];

/** As many boundaries as there are, anywhere. */
export const random: Baseline = ({ sentences, count, random }) => {
  const gaps = sentences.map((_, i) => i).slice(1);
  for (let i = gaps.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [gaps[i], gaps[j]] = [gaps[j] as number, gaps[i] as number];
  }
  return gaps.slice(0, count - 1).sort((a, b) => a - b);
};

/** As many boundaries as there are, at equal distances. */
export const uniform: Baseline = ({ text, sentences, count }) => {
  const found = new Set<number>();
  for (let k = 1; k < count; k += 1) {
    const aim = (text.length * k) / count;
    const distances = sentences.map(({ start }) => Math.abs(start - aim));
    found.add(distances.indexOf(Math.min(...distances)));
  }
  found.delete(0);
  return [...found].sort((a, b) => a - b);
};

/** Deep valleys of the likeness of the two sentences on either side of a gap (Hearst 1997). */
export const textTiling: Baseline = ({ terms }) => {
  const likeness = terms.map((_, i) =>
    i === 0 ? 0 : cosine(terms.slice(Math.max(0, i - 2), i).flat(), terms.slice(i, i + 2).flat()),
  );
  const depths = likeness.map((value, i) => {
    if (i === 0) return 0;
    let [left, right] = [i, i];
    while (left > 1 && (likeness[left - 1] as number) >= (likeness[left] as number)) left -= 1;
    while (
      right < likeness.length - 1 &&
      (likeness[right + 1] as number) >= (likeness[right] as number)
    )
      right += 1;
    return (likeness[left] as number) + (likeness[right] as number) - 2 * value;
  });
  const inner = depths.slice(1);
  const average = inner.reduce((sum, depth) => sum + depth, 0) / Math.max(1, inner.length);
  const deviation = Math.sqrt(
    inner.reduce((sum, depth) => sum + (depth - average) ** 2, 0) / Math.max(1, inner.length),
  );
  return depths.flatMap((depth, i) => (i > 0 && depth > average + deviation / 2 ? [i] : []));
};

/** Divisive clustering of the rank-transformed matrix of likenesses (Choi 2000), told the count. */
export const c99: Baseline = ({ terms, count }) => {
  const size = terms.length;
  const likeness = terms.map((a) => terms.map((b) => cosine(a, b)));
  const sums = prefixSums(ranked(likeness, 5));
  const inside = (from: number, to: number) =>
    at(sums, to, to) - at(sums, from, to) - at(sums, to, from) + at(sums, from, from);
  let starts = [0];
  while (starts.length < count) {
    let best: { starts: number[]; density: number } | undefined;
    for (let gap = 1; gap < size; gap += 1) {
      if (starts.includes(gap)) continue;
      const next = [...starts, gap].sort((a, b) => a - b);
      const ends = [...next.slice(1), size];
      let weight = 0;
      let area = 0;
      for (const [i, from] of next.entries()) {
        const to = ends[i] as number;
        weight += inside(from, to);
        area += (to - from) ** 2;
      }
      const density = weight / area;
      if (!best || density > best.density) best = { starts: next, density };
    }
    if (!best) break;
    starts = best.starts;
  }
  return starts.slice(1);
};

/** Share of the neighbours within a window that a cell outranks. */
function ranked(matrix: number[][], reach: number): number[][] {
  return matrix.map((row, i) =>
    row.map((value, j) => {
      let seen = 0;
      let lower = 0;
      for (let y = Math.max(0, i - reach); y <= Math.min(matrix.length - 1, i + reach); y += 1) {
        for (let x = Math.max(0, j - reach); x <= Math.min(matrix.length - 1, j + reach); x += 1) {
          if (y === i && x === j) continue;
          seen += 1;
          lower += Number((matrix[y]?.[x] ?? 0) < value);
        }
      }
      return seen === 0 ? 0 : lower / seen;
    }),
  );
}

function prefixSums(matrix: number[][]): number[][] {
  const sums = [new Array<number>(matrix.length + 1).fill(0)];
  for (const [i, row] of matrix.entries()) {
    const line = [0];
    let sum = 0;
    for (const [j, value] of row.entries()) {
      sum += value;
      line.push(sum + at(sums, i, j + 1));
    }
    sums.push(line);
  }
  return sums;
}

function at(matrix: number[][], row: number, column: number): number {
  return matrix[row]?.[column] ?? 0;
}

function cosine(a: readonly string[], b: readonly string[]): number {
  const count = (terms: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    return counts;
  };
  const [left, right] = [count(a), count(b)];
  let dot = 0;
  for (const [term, n] of left) dot += n * (right.get(term) ?? 0);
  const norm = (counts: Map<string, number>) =>
    Math.sqrt([...counts.values()].reduce((sum, n) => sum + n * n, 0));
  const scale = norm(left) * norm(right);
  return scale === 0 ? 0 : dot / scale;
}
