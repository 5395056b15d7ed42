/**
 * The ledger: what is written down before and after each mail, so that a crash at any moment leaves
 * every reader accounted for. Protocol: no mark, no mail; no stored result, no next mark.
 */
import { type Kysely, sql } from 'kysely';
import { failedError } from '../errors.ts';
import { holdCampaign, holdLimits, isPostgres } from '../store/dialect.ts';
import type { Database } from '../store/schema.ts';
import { inSureTransaction, inTransaction } from '../store/transaction.ts';
import { doubt } from './doubt.ts';
import { logEvent } from './events.ts';
import { failpoint } from './failpoint.ts';
import { hasRates, type Limits, readLimits } from './limits.ts';
import { type Marking, mark } from './mark.ts';
import { haltCampaign } from './progress.ts';
import { type Result, settle } from './settle.ts';
import type { LedgerRules, SendingCampaign, Turn } from './turn.ts';

/**
 * Stores results and marks the next deliveries, in one transaction.
 * @param stop why no further mail may start, where something is wrong with the campaign
 */
export function storeAndMark(
  db: Kysely<Database>,
  turn: Turn,
  results: readonly Result[],
  wanted: number,
  stop: string | null = null,
): Promise<Marking> {
  return inSureTransaction(db, turn.epoch, async (trx) => {
    failpoint('before-result-commit');
    await holdCampaign(trx, turn.campaign.id, 'together');
    const limits = await limitsOf(trx, turn);
    if (results.length > 0) await settle(trx, turn, results, limits);
    if (stop !== null) await haltCampaign(trx, turn.campaign.id, stop, turn.now);
    return wanted > 0 ? mark(trx, turn, limits, wanted) : { marked: [], again: null };
  });
}

const NO_LIMITS: Limits = { rows: new Map(), used: new Map() };

/** Nothing holds back what is written into a directory. */
async function limitsOf(db: Kysely<Database>, { campaign, rules, now }: Turn): Promise<Limits> {
  if (campaign.channel !== 'smtp') return NO_LIMITS;
  // Who spends nothing need not wait for the others.
  if (hasRates(rules.rates)) await holdLimits(db, campaign.newsletter);
  return readLimits(db, campaign.newsletter, rules.rates, now);
}

/** Gives back what was marked and not begun: it is as if it had not been touched. */
export async function release(
  db: Kysely<Database>,
  epoch: number,
  ids: readonly number[],
): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable('deliveries')
    .set({ state: 'queued', attempts: sql`attempts - 1`, attempted_at: null })
    .where('id', 'in', ids)
    .where('state', '=', 'attempting')
    .where('epoch', '=', epoch)
    .execute();
}

/**
 * What a sender that is gone left marked: nobody knows whether it was sent. On SQLite: the lock says that it is gone.
 * @returns the epoch of the new sender
 */
export async function recover(
  db: Kysely<Database>,
  newsletter: string,
  onUnknown: LedgerRules['onUnknown'],
  now: number,
): Promise<number> {
  return inTransaction(db, async (trx) => {
    const which = sql<boolean>`newsletter = ${newsletter}`;
    const epochs = await doubt(trx, { newsletter, which, onUnknown, now });
    return Math.max(now, ...epochs.map((epoch) => epoch + 1));
  });
}

/**
 * The oldest campaign that has something due, or null.
 * @param blocked ids of campaigns that are held back for now
 */
export async function dueCampaign(
  db: Kysely<Database>,
  newsletter: string,
  now: number,
  blocked: readonly number[] = [],
): Promise<SendingCampaign | null> {
  const row = await db
    .selectFrom('campaigns')
    .select(['id', 'newsletter', 'channel'])
    .where('newsletter', '=', newsletter)
    .where('state', '=', 'sending')
    .$if(blocked.length > 0, (query) => query.where('id', 'not in', blocked))
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('deliveries')
          .select('deliveries.id')
          .whereRef('deliveries.campaign_id', '=', 'campaigns.id')
          .where('deliveries.state', 'in', ['queued', 'deferred'])
          .where('deliveries.not_before', '<=', now),
      ),
    )
    .orderBy('id')
    .executeTakeFirst();
  return row ?? null;
}

/** Finishes campaigns in which nothing is queued, attempting or deferred any more (I8). */
export async function finishCampaigns(
  db: Kysely<Database>,
  newsletter: string,
  now: number,
): Promise<void> {
  const done = isPostgres(db) ? allChunksClosed : allSettled;
  const candidates = await db
    .selectFrom('campaigns')
    .select('id')
    .where('newsletter', '=', newsletter)
    .where('state', '=', 'sending')
    .where(done)
    .execute();
  for (const { id } of candidates) {
    await inTransaction(db, async (trx) => {
      await holdCampaign(trx, id, 'alone');
      const finished = await trx
        .updateTable('campaigns')
        .set({ state: 'finished', finished_at: now })
        .where('id', '=', id)
        .where('state', '=', 'sending')
        .where(done)
        .returning(['id', 'planned'])
        .executeTakeFirst();
      if (!finished) return;
      await requireEverybody(trx, id, finished.planned);
      await logEvent(trx, id, { kind: 'finished', detail: null, at: now });
    });
  }
}

const allSettled = sql<boolean>`not exists (select 1 from deliveries
  where deliveries.campaign_id = campaigns.id and deliveries.state in ('queued', 'attempting', 'deferred'))`;

/** A chunk is closed when all of it is settled. */
const allChunksClosed = sql<boolean>`exists (select 1 from chunks where chunks.campaign_id = campaigns.id)
  and not exists (select 1 from chunks where chunks.campaign_id = campaigns.id and chunks.open = 1)`;

/** I1: as many rows as were planned, whatever became of them. */
async function requireEverybody(db: Kysely<Database>, id: number, planned: number): Promise<void> {
  const { count } = await db
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('campaign_id', '=', id)
    .executeTakeFirstOrThrow();
  if (Number(count) === planned) return;
  throw failedError('ledger-broken', `Campaign ${id} was planned for ${planned} and has ${count}`, {
    hint: 'Deliveries were added or removed by something else than Broadsheet. Look into a backup.',
  });
}

/** When the next delivery of any campaign under way is due, ms; null when there is none. */
export async function nextDue(db: Kysely<Database>, newsletter: string): Promise<number | null> {
  const row = await db
    .selectFrom('deliveries')
    .innerJoin('campaigns', 'campaigns.id', 'deliveries.campaign_id')
    .select(({ fn }) => fn.min('deliveries.not_before').as('at'))
    .where('campaigns.newsletter', '=', newsletter)
    .where('campaigns.state', '=', 'sending')
    .where('deliveries.state', 'in', ['queued', 'deferred'])
    .executeTakeFirst();
  return row?.at ?? null;
}
