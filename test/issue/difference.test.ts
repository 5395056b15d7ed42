import fc from 'fast-check';
import { expect, test } from 'vitest';
import { difference } from '../../src/issue/difference.ts';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });

/** Length of the longest common subsequence, the slow way. */
function common(before: string[], after: string[]): number {
  const row = new Array(after.length + 1).fill(0);
  for (const one of before) {
    let diagonal = 0;
    after.forEach((other, at) => {
      const above = row[at + 1];
      row[at + 1] = one === other ? diagonal + 1 : Math.max(above, row[at]);
      diagonal = above;
    });
  }
  return row.at(-1);
}

test('its runs rebuild both sequences, and what is the same is as long as it can be', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const runs = difference(before, after);
      const of = (kinds: string[], list: string[], side: 'before' | 'after') =>
        runs
          .filter(({ kind }) => kinds.includes(kind))
          .flatMap((run) => list.slice(run[side], run[side] + run.length));
      expect(of(['same', 'gone'], before, 'before')).toEqual(before);
      expect(of(['same', 'new'], after, 'after')).toEqual(after);
      const same = runs.filter(({ kind }) => kind === 'same');
      expect(of(['same'], before, 'before')).toEqual(of(['same'], after, 'after'));
      expect(same.reduce((sum, { length }) => sum + length, 0)).toBe(common(before, after));
    }),
  );
});

test('texts that have nothing in common are replaced as a whole, in bounded time', () => {
  const before = Array.from({ length: 20_000 }, (_, n) => `a${n}`);
  const after = Array.from({ length: 20_000 }, (_, n) => `b${n}`);
  expect(difference(before, after).map(({ kind, length }) => [kind, length])).toEqual([
    ['gone', 20_000],
    ['new', 20_000],
  ]);
});
