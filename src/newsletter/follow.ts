/** Watches a campaign to its end, keeping a worker at work on it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CampaignProgress, campaignProgress } from '../delivery/progress.ts';
import type { Newsletter } from './newsletter.ts';
import { startWorker, type Worker } from './worker.ts';

/** How often the ledger is looked at, ms; and, where looking takes long, so many times as long as that. */
const LOOK = 150;
const LOOK_SHARE = 10;
/**
 * A worker that ended is started anew after this long, ms: another process may hold the lock. The
 * pause doubles each time, up to the longest, for a worker that cannot work says why at each start.
 */
const RESTART = 2_000;
const LONGEST_RESTART = 60_000;

export interface Watch {
  onProgress(progress: CampaignProgress): void;
  signal: AbortSignal;
}

/** Comes back when the campaign is finished, paused or cancelled, or when the signal aborts. */
export async function followCampaign(
  newsletter: Newsletter,
  campaign: number,
  watch: Watch,
): Promise<CampaignProgress> {
  const look = () => campaignProgress(newsletter.db, campaign);
  const worker = keepWorking(newsletter);
  try {
    for (;;) {
      const begun = performance.now();
      const progress = await look();
      const pause = Math.max(LOOK, LOOK_SHARE * (performance.now() - begun));
      watch.onProgress(progress);
      if (progress.state !== 'sending' || watch.signal.aborted) break;
      worker.keep();
      await sleep(pause, undefined, { signal: watch.signal }).catch(() => {});
    }
  } finally {
    await worker.stop();
  }
  return look();
}

/** A worker that is started again when it ends while there is still work. */
export function keepWorking(newsletter: Newsletter) {
  let worker: Worker | undefined;
  let startedAt = Number.NEGATIVE_INFINITY;
  let pause = RESTART;
  return {
    keep() {
      if (worker?.running || performance.now() - startedAt < pause) return;
      pause = worker?.failed ? Math.min(pause * 2, LONGEST_RESTART) : RESTART;
      worker = startWorker(newsletter);
      startedAt = performance.now();
    },
    stop: async () => worker?.stop(),
  };
}
