/** Tells whether this process, and not the relay, is what limits: a busy one gathers more into a commit. */
import { performance } from 'node:perf_hooks';

/** Looked at so often, ms: a shorter time says little, as mails come in bursts. */
const SPAN = 100;
/** Share of its time that a busy thread works. */
const BUSY = 0.65;

/** @returns whether this thread had hardly a pause lately */
export function watchLoad(): () => boolean {
  let before = performance.eventLoopUtilization();
  let since = performance.now();
  let busy = false;
  return () => {
    if (performance.now() - since < SPAN) return busy;
    since = performance.now();
    const now = performance.eventLoopUtilization();
    busy = performance.eventLoopUtilization(now, before).utilization > BUSY;
    before = now;
    return busy;
  };
}
