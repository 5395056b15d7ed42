/**
 * Places where a test can kill the process: `FAILPOINT=after-mark@3` sends SIGKILL at the third time.
 * Unset, it costs one comparison.
 */
const [name, at = '1'] = (process.env.FAILPOINT ?? '').split('@');
let left = Number(at);

export type Failpoint =
  | 'after-plan-insert'
  | 'after-mark'
  | 'mid-data'
  | 'after-reply'
  | 'before-result-commit';

export function failpoint(here: Failpoint): void {
  if (here !== name) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}
