/**
 * Places where a test can kill the process: `FAILPOINT=after-mark@3` sends SIGKILL at the third time.
 * Unset, it costs one comparison.
 */
const [name, at = '1'] = (process.env.FAILPOINT ?? '').split('@');
let left = Number(at);

/** In the order of a delivery's way. */
export const FAILPOINTS = [
  'after-plan-insert',
  'after-mark',
  'before-body',
  'after-body',
  'after-reply',
  'before-result-commit',
  'after-result-commit',
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

export function failpoint(here: Failpoint): void {
  if (here !== name) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}
