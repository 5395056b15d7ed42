import { describe, expect, test } from 'vitest';
import { createBreaker } from '../../src/delivery/breaker.ts';
import { accepted, type Outcome } from '../../src/delivery/outcome.ts';

const good = accepted(250, 'ok');
const bad: Outcome = {
  state: 'failed',
  code: 550,
  reply: '550 5.1.1 no such user',
  relayFault: false,
  reason: 'hard-bounce',
};

function outcomes(pattern: string): Outcome[] {
  return [...pattern].map((letter) => (letter === 'x' ? bad : good));
}

describe('the circuit breaker (D-68)', () => {
  test('stops at the fifth refusal among the first hundred attempts', () => {
    const breaker = createBreaker();
    expect(breaker.judge(outcomes(`xxxx${'.'.repeat(80)}`))).toBeNull();
    expect(breaker.judge(outcomes('x'))).toMatch(/5 of the last 85 mails .*550 5\.1\.1/);
  });

  test('lets a small list with a few dead addresses through', () => {
    expect(createBreaker().judge(outcomes('..x..x..x..x..'))).toBeNull();
  });

  test('afterwards stops at one in twenty of any two hundred in a row', () => {
    const breaker = createBreaker();
    expect(breaker.judge(outcomes('.'.repeat(1_000)))).toBeNull();
    expect(breaker.judge(outcomes('x'.repeat(9)))).toBeNull();
    expect(breaker.judge(outcomes('x'))).toMatch(/10 of the last 200/);
  });

  test('forgets what lies two hundred attempts back', () => {
    const breaker = createBreaker();
    breaker.judge(outcomes('.'.repeat(200)));
    for (let round = 0; round < 10; round += 1)
      expect(breaker.judge(outcomes(`xxxxxxxxx${'.'.repeat(191)}`))).toBeNull();
  });

  test('counts neither the relay’s faults, nor what is deferred, nor what could not be composed', () => {
    const others: Outcome[] = [
      { ...bad, state: 'deferred', relayFault: true },
      { ...bad, state: 'deferred', code: 450 },
      { ...bad, code: null, reason: 'cannot-be-composed' },
    ];
    expect(createBreaker().judge(Array.from({ length: 60 }, () => others).flat())).toBeNull();
  });
});
