/** What runs for as long as `serve` does: the schedule's tick, a worker, and the answers to sign-ups. */
import { setTimeout as wait } from 'node:timers/promises';
import { startTicker } from '../schedule/ticker.ts';
import { tellEditor } from './alerts.ts';
import { answerSignups } from './answer-signups.ts';
import { keepWorking } from './follow.ts';
import type { Newsletter } from './newsletter.ts';
import { planDue } from './schedule.ts';

/** How often it is seen to that a worker runs, ms. */
const LOOK = 1_000;

/** What fails is left alone for so long, ms. */
const AFTER_FAILURE = 60_000;

/** Starts all of it. `stop` ends the schedule, lets the worker finish what is in flight, and resolves then. */
export function keepRunning(newsletter: Newsletter): { stop(): Promise<void> } {
  const { log } = newsletter;
  const worker = keepWorking(newsletter);
  worker.keep();
  const answering = keepAnswering(newsletter);
  const timer = setInterval(() => worker.keep(), LOOK);
  const ticker = startTicker(
    () => keepSchedule(newsletter),
    (error) => log.error({ message: (error as Error).message }, 'the schedule could not be kept'),
  );
  return {
    async stop() {
      ticker.stop();
      clearInterval(timer);
      await answering.stop();
      await worker.stop();
    },
  };
}

/** Plans what is due, and tells the editor, also of what stood in the way. */
export async function keepSchedule(newsletter: Newsletter): Promise<void> {
  try {
    for (const slot of await planDue(newsletter)) newsletter.log.info(slot, `slot ${slot.state}`);
  } catch (error) {
    await tellEditor(newsletter, error as Error);
    throw error;
  }
  await tellEditor(newsletter);
}

/** Decides sign-ups and sends what they are answered with, one round after the other. */
function keepAnswering(newsletter: Newsletter): { stop(): Promise<void> } {
  const answering = answerSignups(newsletter);
  const stopped = new AbortController();
  const keep = async () => {
    while (!stopped.signal.aborted) {
      const pause = await answering.once().then(() => LOOK, failed);
      await wait(pause, undefined, { signal: stopped.signal }).catch(() => {});
    }
  };
  const failed = (error: Error) => {
    newsletter.log.error({ message: error.message }, 'sign-ups could not be answered');
    return AFTER_FAILURE;
  };
  const ended = keep();
  return {
    async stop() {
      stopped.abort();
      await ended;
    },
  };
}
