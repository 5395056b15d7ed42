/** When a deferred delivery is tried again. */

const MINUTE = 60_000;
/** Short first, for greylisting; then slower (D-61). */
const STEPS = [5, 30, 60, 120, 240, 480].map((minutes) => minutes * MINUTE);
/** A relay at fault is asked again sooner: it says nothing about the reader. */
const RELAY_FAULT = MINUTE;
const JITTER = 0.2;

/**
 * Time until the next attempt, ms.
 * @param attempts made so far, from 1
 * @param chance in [0, 1): spreads the retries, so that they do not come all at once
 */
export function retryDelay(attempts: number, relayFault: boolean, chance: number): number {
  const step = relayFault ? RELAY_FAULT : (STEPS[Math.min(attempts, STEPS.length) - 1] ?? MINUTE);
  return Math.round(step * (1 - JITTER + 2 * JITTER * chance));
}
