/** Sending from PostgreSQL: any number of workers, each with chunks of its own, and no word between them but the database. */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, openEngine } from '../store/engine.ts';
import {
  claimChunk,
  closeChunk,
  cutMissing,
  type Held,
  handOut,
  LONGEST_MAIL,
  nextChunkDue,
} from './chunks.ts';
import {
  emptyReport,
  type SenderOptions,
  type SenderReport,
  sendCampaign,
  soonest,
} from './lanes.ts';
import { finishCampaigns } from './ledger.ts';
import { patiently } from './patiently.ts';
import type { SendingCampaign } from './turn.ts';

/** How often a worker looks for what has come due, and says that it lives, ms. */
const LOOK = 1_000;

/** Sends chunk after chunk until the signal, or, with `once`, until none is due. */
export async function runTogether(options: SenderOptions): Promise<SenderReport> {
  const { db, newsletter, clock, signal, log } = options;
  const epoch = await patiently(() => register(options));
  const engine = await patiently(() => openEngine(db, newsletter, { supervise: true }));
  const holdings = openHoldings(options, engine, epoch);
  const report = emptyReport();
  const look = async () => {
    await cutMissing(db, newsletter);
    await handOut(db, engine, newsletter, clock());
    await engine.preferAbandoned();
    await db.updateTable('workers').set({ seen_at: clock() }).where('id', '=', epoch).execute();
  };
  const stopLooking = everyNow(look, log);
  const at = { epoch, flush: async () => {}, chunk: holdings.chunk, source: holdings };
  try {
    while (!signal.aborted) {
      const campaign = await patiently(async () => {
        await look();
        await finishCampaigns(db, newsletter, clock());
        return holdings.take();
      });
      if (campaign) {
        const again = await sendCampaign(options, campaign, at, report);
        await patiently(() => holdings.giveBack(again ?? 0));
      } else if (options.once) break;
      else await sleep(LOOK, undefined, { signal }).catch(() => {});
    }
  } finally {
    await stopLooking();
    // Where the database is away, the engine finds out that this worker is gone.
    await holdings.end().catch(() => {});
    await engine.stop();
  }
  report.nextDue = soonest([await nextChunkDue(db, newsletter)], clock());
  return report;
}

/** A row for this process. @returns its id, the epoch of its marks */
async function register({ db, newsletter, clock }: SenderOptions): Promise<number> {
  const now = clock();
  const { id } = await db
    .insertInto('workers')
    .values({ newsletter, node: `${hostname()}/${process.pid}`, started_at: now, seen_at: now })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Again and again while mails go out; a database that is away is no reason to end. */
function everyNow(look: () => Promise<void>, log: SenderOptions['log']): () => Promise<void> {
  const stopped = new AbortController();
  const running = (async () => {
    while (!stopped.signal.aborted) {
      await sleep(LOOK, undefined, { signal: stopped.signal }).catch(() => {});
      if (stopped.signal.aborted) return;
      await look().catch((error: Error) => {
        log.warn({ message: error.message }, 'the database does not answer');
      });
    }
  })();
  return async () => {
    stopped.abort();
    await running;
  };
}

/** What this worker has in hand: the chunk that it marks deliveries of, and those whose last mails are under way. */
function openHoldings(options: SenderOptions, engine: Engine, epoch: number) {
  const { db, clock, settings, longestMail = LONGEST_MAIL } = options;
  let current: Held | null = null;
  let emptied: Held[] = [];
  /** A chunk of another campaign: its turn comes when the lanes are done with this one. */
  let waiting: (Held & { campaign: SendingCampaign }) | null = null;

  async function claimNext(): Promise<(Held & { campaign: SendingCampaign }) | null> {
    for (;;) {
      const job = await engine.take();
      if (!job) return null;
      const { onUnknown } = settings;
      const claim = { epoch, now: clock(), onUnknown, longestMail };
      const claimed = await claimChunk(db, engine, job, claim).catch((error: unknown) => {
        engine.forget(job);
        throw error;
      });
      if (claimed) return { job, ...claimed };
    }
  }

  const close = (held: Held, notBefore: number) =>
    closeChunk(db, engine, held, { epoch, now: clock(), longestMail, notBefore });

  /** Nothing is under way any more: everything goes back. @param notBefore ms; 0: at once */
  async function giveBack(notBefore: number): Promise<void> {
    for (let held = current ?? emptied.at(-1); held; held = current ?? emptied.at(-1)) {
      await close(held, held === current ? notBefore : 0);
      if (held === current) current = null;
      else emptied.pop();
    }
  }

  return {
    chunk: () => current?.chunk ?? null,

    /** The campaign of the next chunk, which is now in hand; null where none is due. */
    async take(): Promise<SendingCampaign | null> {
      const next = waiting ?? (await claimNext());
      waiting = null;
      current = next;
      return next?.campaign ?? null;
    },

    async advance(): Promise<boolean> {
      if (!current) return false;
      const { campaign } = current.chunk;
      emptied.push(current);
      current = null;
      const next = await patiently(claimNext);
      if (next?.campaign.id === campaign) current = next;
      else waiting = next;
      return current !== null;
    },

    async tidy(underWay: ReadonlySet<number>): Promise<void> {
      if (emptied.length === 0) return;
      const ids = [...underWay];
      const isBusy = ({ chunk: { first, last } }: Held) =>
        ids.some((id) => id >= first && id <= last);
      const done = emptied.filter((held) => !isBusy(held));
      emptied = emptied.filter(isBusy);
      for (const held of done) await patiently(() => close(held, 0));
    },

    giveBack,

    async end(): Promise<void> {
      await giveBack(0);
      if (waiting) await close(waiting, 0);
    },
  };
}
