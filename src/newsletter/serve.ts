/** What runs for as long as `serve` does: the schedule's tick, a worker, answers to sign-ups, the bounce mailbox. */
import { setTimeout as wait } from 'node:timers/promises';
import { startTicker } from '../schedule/ticker.ts';
import { tellEditor } from './alerts.ts';
import { answerSignups } from './answer-signups.ts';
import { readBounces } from './bounces.ts';
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
  const reading = keepReading(newsletter);
  const timer = setInterval(() => worker.keep(), LOOK);
  const ticker = startTicker(
    () => keepSchedule(newsletter),
    (error) => log.error({ message: (error as Error).message }, 'the schedule could not be kept'),
  );
  return {
    async stop() {
      ticker.stop();
      clearInterval(timer);
      await Promise.all([answering.stop(), reading.stop()]);
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
function keepAnswering(newsletter: Newsletter): Stoppable {
  const answering = answerSignups(newsletter);
  const failed = (error: Error) => {
    newsletter.log.error({ message: error.message }, 'sign-ups could not be answered');
    return AFTER_FAILURE;
  };
  return again(() => answering.once().then(() => LOOK, failed));
}

/** Reads the mailbox with reports, where there is one, every `bounces.every`. */
export function keepReading(newsletter: Newsletter): Stoppable {
  const { secrets, settings, log } = newsletter;
  if (!secrets.bouncesImapUrl) return { stop: async () => {} };
  return again(async () => {
    try {
      const { read, kinds, effects } = await readBounces(newsletter, { paths: [] });
      if (read > 0) log.info({ read, kinds, effects }, 'reports read');
    } catch (error) {
      log.error({ message: (error as Error).message }, 'the mailbox could not be read');
    }
    return settings.bounces.every;
  });
}

interface Stoppable {
  /** Resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** Does it again and again. @param work gives the pause until the next time, ms */
function again(work: () => Promise<number>): Stoppable {
  const stopped = new AbortController();
  const keep = async () => {
    while (!stopped.signal.aborted) {
      const pause = await work();
      await wait(pause, undefined, { signal: stopped.signal }).catch(() => {});
    }
  };
  const ended = keep();
  return {
    async stop() {
      stopped.abort();
      await ended;
    },
  };
}
