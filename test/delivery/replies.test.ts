import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answer, classify, type Phase } from '../../src/delivery/replies.ts';
import { retryDelay } from '../../src/delivery/retry.ts';

const PHASES: Phase[] = ['connect', 'auth', 'sender', 'recipient', 'data'];

function outcome(phase: Phase, code: number | null, bodyBegun = false) {
  const { state, relayFault } = classify({ phase, code, words: '', bodyBegun });
  return relayFault ? `${state}, relay` : state;
}

describe('a reply', () => {
  test.each<[Phase, number | null, boolean, string]>([
    ['data', 250, true, 'accepted'],
    ['recipient', 550, false, 'failed'],
    ['recipient', 450, false, 'deferred'],
    ['data', 554, false, 'failed'],
    ['data', 554, true, 'failed'],
    ['data', 451, true, 'deferred'],
    ['sender', 550, false, 'deferred, relay'],
    ['auth', 535, false, 'deferred, relay'],
    ['connect', 554, false, 'deferred, relay'],
    ['connect', null, false, 'deferred, relay'],
    ['recipient', 421, false, 'deferred, relay'],
    ['data', 421, true, 'deferred, relay'],
    ['data', null, false, 'deferred, relay'],
    ['data', null, true, 'unknown'],
    ['data', 354, true, 'unknown'],
    ['data', 999, true, 'unknown'],
    ['connect', null, true, 'unknown'],
  ])('at %s with %s (body begun: %s) is %s', (phase, code, bodyBegun, expected) => {
    expect(outcome(phase, code, bodyBegun)).toBe(expected);
  });

  const answers: fc.Arbitrary<Answer> = fc.record({
    phase: fc.constantFrom(...PHASES),
    code: fc.option(fc.integer({ min: 0, max: 9999 })),
    words: fc.string({ unit: 'binary', maxLength: 2000 }),
    bodyBegun: fc.boolean(),
  });

  test('of whatever bytes has a meaning; accepted only with 2xx after the body, on one printable line', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const result = classify(answer);
        if (result.state === 'accepted') {
          expect(answer.bodyBegun).toBe(true);
          expect(Math.floor((answer.code ?? 0) / 100)).toBe(2);
        }
        if (result.state === 'failed') expect(Math.floor((answer.code ?? 0) / 100)).toBe(5);
        // I6: deferred only after a clear reply, or when no byte of the body was asked for.
        if (result.state === 'deferred' && answer.bodyBegun)
          expect([4, 5]).toContain(Math.floor((answer.code ?? 0) / 100));
        expect(result.reply).toMatch(/^[^\x00-\x1f\x7f]{0,500}$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the retry schedule (D-61)', () => {
  const minutes = (attempts: number) => retryDelay(attempts, false, 0.5) / 60_000;

  test('is short first and then slower', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map(minutes)).toEqual([5, 30, 60, 120, 240, 480, 480]);
  });

  test('spreads by a fifth to both sides', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, chance) => {
          const middle = retryDelay(attempts, false, 0.5);
          const delay = retryDelay(attempts, false, chance);
          expect(Math.abs(delay - middle)).toBeLessThanOrEqual(middle * 0.2 + 1);
        },
      ),
    );
  });
});
