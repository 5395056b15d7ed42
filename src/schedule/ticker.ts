/** The minute tick. node-cron only wakes us; it decides nothing (S-20). */
import { schedule } from 'node-cron';

/**
 * Runs the work now and then every minute, never twice at the same time.
 * @param onError gets what the work throws; the next tick tries again
 */
export function startTicker(
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): { stop(): void } {
  let running = false;
  const run = async () => {
    if (running) return;
    running = true;
    try {
      await work();
    } catch (error) {
      onError(error);
    } finally {
      running = false;
    }
  };
  const task = schedule('* * * * *', run, { noOverlap: true, missedExecutionTolerance: 60_000 });
  void run();
  return { stop: () => void task.destroy() };
}
