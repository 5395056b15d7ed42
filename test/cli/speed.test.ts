import { expect, test } from 'vitest';
import { duration, speedometer } from '../../src/cli/speed.ts';

test('the rate is that of the last ten seconds', () => {
  let now = 0;
  const speed = speedometer(() => now);
  expect(speed.of(0)).toBe(0);
  now = 1_000;
  expect(speed.of(100)).toBe(100);
  for (now = 2_000; now <= 30_000; now += 1_000) speed.of(100 + (now - 1_000) / 100);
  now = 30_000;
  expect(speed.of(390)).toBeCloseTo(10, 0);
});

test.each([
  [400, '1 s'],
  [59_000, '59 s'],
  [125_000, '2 min'],
  [2 * 3_600_000 + 5 * 60_000, '2 h 5 min'],
  [3 * 86_400_000 + 1, '3 days'],
  [4 * 86_400_000, '4 days'],
])('%d ms is %s', (ms, words) => {
  expect(duration(ms)).toBe(words);
});
