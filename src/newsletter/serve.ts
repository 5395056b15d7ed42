/** What runs for as long as `serve` does: the schedule's tick and a worker. */
import { startTicker } from '../schedule/ticker.ts';
import { keepWorking } from './follow.ts';
import type { Newsletter } from './newsletter.ts';
import { planDue } from './schedule.ts';

/** How often it is seen to that a worker runs, ms. */
const LOOK = 1_000;

/** Starts both. `stop` ends the schedule, lets the worker finish what is in flight, and resolves then. */
export function keepRunning(newsletter: Newsletter): { stop(): Promise<void> } {
  const { log } = newsletter;
  const worker = keepWorking(newsletter);
  worker.keep();
  const timer = setInterval(() => worker.keep(), LOOK);
  const ticker = startTicker(
    async () => {
      for (const slot of await planDue(newsletter)) log.info(slot, `slot ${slot.state}`);
    },
    (error) => log.error({ message: (error as Error).message }, 'the schedule could not be kept'),
  );
  return {
    async stop() {
      ticker.stop();
      clearInterval(timer);
      await worker.stop();
    },
  };
}
