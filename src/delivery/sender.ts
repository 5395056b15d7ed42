/** The loop that sends: alone on SQLite; on PostgreSQL as one of several, see `cluster.ts`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isPostgres } from '../store/dialect.ts';
import { deferSync } from '../store/durable.ts';
import {
  emptyReport,
  type SenderOptions,
  type SenderReport,
  sendCampaign,
  soonest,
} from './lanes.ts';
import { dueCampaign, finishCampaigns, nextDue, recover } from './ledger.ts';

/** How often a sender without work looks for some, ms. */
const IDLE = 1_000;

/** Sends whatever is due. On SQLite the caller holds the sender lock. */
export async function runSender(options: SenderOptions): Promise<SenderReport> {
  if (!isPostgres(options.db)) return runAlone(options);
  const { runTogether } = await import('./cluster.ts');
  return runTogether(options);
}

async function runAlone(options: SenderOptions): Promise<SenderReport> {
  const { db, newsletter, clock, signal, settings } = options;
  const { flush, close } = await deferSync(db);
  const epoch = await recover(db, newsletter, settings.onUnknown, clock());
  const report = emptyReport();
  /** Campaigns that limits hold back, and until when, ms. */
  const blocked = new Map<number, number>();
  while (!signal.aborted) {
    await finishCampaigns(db, newsletter, clock());
    for (const [id, until] of blocked) if (until <= clock()) blocked.delete(id);
    const campaign = await dueCampaign(db, newsletter, clock(), [...blocked.keys()]);
    if (campaign) {
      const again = await sendCampaign(
        options,
        campaign,
        { epoch, flush, chunk: () => null },
        report,
      );
      if (again !== null) blocked.set(campaign.id, again);
    } else if (options.once) break;
    else await sleep(IDLE, undefined, { signal }).catch(() => {});
  }
  await close();
  report.nextDue = soonest([await nextDue(db, newsletter), ...blocked.values()], clock());
  return report;
}
