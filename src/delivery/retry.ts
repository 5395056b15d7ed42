/** When a deferred delivery is tried again. */

const MINUTE = 60_000;
/** Short first, for greylisting; then slower (D-61). */
const STEPS = [5, 30, 60, 120, 240, 480].map((minutes) => minutes * MINUTE);
/** A relay at fault is asked again sooner: it says nothing about the reader. */
const RELAY_FAULT = MINUTE;
const JITTER = 0.2;

/** Time after this attempt until the next one, ms, without jitter. */
function stepAfter(attempts: number): number {
  return STEPS[Math.min(attempts, STEPS.length) - 1] ?? MINUTE;
}

/**
 * Time until the next attempt, ms.
 * @param attempts made so far, from 1
 * @param chance in [0, 1): spreads the retries, so that they do not come all at once
 */
export function retryDelay(attempts: number, relayFault: boolean, chance: number): number {
  const step = relayFault ? RELAY_FAULT : stepAfter(attempts);
  return jittered(step, chance);
}

/** About so long, ms: a fifth more or less. @param chance in [0, 1) */
export function jittered(delay: number, chance: number): number {
  return Math.round(delay * (1 - JITTER + 2 * JITTER * chance));
}

/** How many attempts the schedule makes in so long, ms; the first one is at 0. */
export function attemptsWithin(span: number): number {
  let attempts = 1;
  for (let at = stepAfter(1); at <= span; at += stepAfter(attempts)) attempts += 1;
  return attempts;
}
