/** Where campaigns stand, and the hands on them: pause, resume, cancel. */
import type { Kysely } from 'kysely';
import { inputError } from '../errors.ts';
import { holdCampaign } from '../store/dialect.ts';
import {
  type CampaignTable,
  type Database,
  DELIVERY_STATES,
  type DeliveryState,
} from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { reopenChunks } from './chunks.ts';
import { logEvent } from './events.ts';

export interface CampaignProgress {
  id: number;
  issue: string;
  channel: CampaignTable['channel'];
  state: CampaignTable['state'];
  /** Why it paused by itself. */
  note: string | null;
  /** Name of the segment that it is for; null is everybody. */
  segment: string | null;
  /** Deliveries in all: the sum of the counts, always (I1). */
  planned: number;
  counts: Record<DeliveryState, number>;
  /** ms. */
  startedAt: number;
  finishedAt: number | null;
  /** When the next delivery is due, ms; null when there is none, or one is due at once. */
  nextAttemptAt: number | null;
  /** What is held back for a while: the relay, or provider groups. */
  held: { scope: string; until: number; note: string | null }[];
}

/**
 * Counts every delivery of the campaign: some 50 ms for a million of them.
 * @throws BroadsheetError `campaign-missing`
 */
export async function campaignProgress(
  db: Kysely<Database>,
  id: number,
): Promise<CampaignProgress> {
  const campaign = await db
    .selectFrom('campaigns')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  if (!campaign)
    throw inputError('campaign-missing', `There is no campaign ${id}`, {
      hint: 'See: broadsheet campaigns list',
    });
  const rows = await db
    .selectFrom('deliveries')
    .select(({ fn }) => [
      'state',
      fn.countAll<number>().as('count'),
      fn.min('not_before').as('next'),
    ])
    .where('campaign_id', '=', id)
    .groupBy('state')
    .execute();
  const counts = Object.fromEntries(DELIVERY_STATES.map((state) => [state, 0])) as Record<
    DeliveryState,
    number
  >;
  for (const { state, count } of rows) counts[state] = Number(count);
  return {
    id,
    issue: campaign.issue,
    channel: campaign.channel,
    state: campaign.state,
    note: campaign.note,
    segment: JSON.parse(campaign.audience).segment,
    planned: campaign.planned,
    counts,
    startedAt: campaign.created_at,
    finishedAt: campaign.finished_at,
    nextAttemptAt: nextOf(rows),
    held: await heldOf(db, campaign.newsletter),
  };
}

function nextOf(rows: readonly { state: DeliveryState; next: number }[]): number | null {
  const times = rows
    .filter(({ state }) => state === 'queued' || state === 'deferred')
    .map(({ next }) => next);
  return times.length > 0 && Math.min(...times) > 0 ? Math.min(...times) : null;
}

async function heldOf(db: Kysely<Database>, newsletter: string): Promise<CampaignProgress['held']> {
  return db
    .selectFrom('limits')
    .select(['scope', 'held_until as until', 'note'])
    .where('newsletter', '=', newsletter)
    .where('held_until', '>', 0)
    .orderBy('scope')
    .execute();
}

/** Ids of all campaigns of a newsletter, newest first. */
export async function campaignIds(db: Kysely<Database>, newsletter: string): Promise<number[]> {
  const rows = await db
    .selectFrom('campaigns')
    .select('id')
    .where('newsletter', '=', newsletter)
    .orderBy('id', 'desc')
    .execute();
  return rows.map(({ id }) => id);
}

/** Starts no further mail after this. @param note why @param now ms */
export async function pauseCampaign(
  db: Kysely<Database>,
  id: number,
  note: string,
  now: number,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    await holdCampaign(trx, id, 'alone');
    await haltCampaign(trx, id, note, now);
  });
}

/** A sender pauses what it sends of, in the transaction that is open. @param note why @param now ms */
export async function haltCampaign(
  db: Kysely<Database>,
  id: number,
  note: string,
  now: number,
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('campaigns')
    .set({ state: 'paused', note })
    .where('id', '=', id)
    .where('state', '=', 'sending')
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await logEvent(db, id, { kind: 'paused', detail: note, at: now });
}

/** Goes on, also where a relay or provider group was held back: a person has looked. @param now ms */
export async function resumeCampaign(db: Kysely<Database>, id: number, now: number): Promise<void> {
  await inTransaction(db, async (trx) => {
    await holdCampaign(trx, id, 'alone');
    const resumed = await trx
      .updateTable('campaigns')
      .set({ state: 'sending', note: null })
      .where('id', '=', id)
      .where('state', '=', 'paused')
      .returning('newsletter')
      .executeTakeFirst();
    if (!resumed) return;
    await trx
      .updateTable('limits')
      .set({ held_until: 0, step: 0, note: null })
      .where('newsletter', '=', resumed.newsletter)
      .execute();
    await reopenChunks(trx, id, now);
    await logEvent(trx, id, { kind: 'resumed', detail: null, at: now });
  });
}

/** Ends it for good: what has not begun never will. What is in flight is still accounted for. @param now ms */
export async function cancelCampaign(db: Kysely<Database>, id: number, now: number): Promise<void> {
  await inTransaction(db, async (trx) => {
    await holdCampaign(trx, id, 'alone');
    const { numUpdatedRows } = await trx
      .updateTable('campaigns')
      .set({ state: 'cancelled', finished_at: now })
      .where('id', '=', id)
      .where('state', 'in', ['sending', 'paused'])
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return;
    const cancelled = await trx
      .updateTable('deliveries')
      .set({ state: 'cancelled', taken: null, settled_at: now })
      .where('campaign_id', '=', id)
      .where('state', 'in', ['queued', 'deferred'])
      .executeTakeFirst();
    const detail = `${cancelled.numUpdatedRows} readers get nothing`;
    await logEvent(trx, id, { kind: 'cancelled', detail, at: now });
  });
}

export interface UnknownDelivery {
  id: number;
  /** Null when the address has been erased. */
  address: string | null;
  reply: string | null;
  /** ms. */
  attemptedAt: number | null;
}

/** The deliveries of which nobody knows whether they arrived, in the order of the list. */
export async function unknownDeliveries(
  db: Kysely<Database>,
  campaign: number,
): Promise<UnknownDelivery[]> {
  return db
    .selectFrom('deliveries')
    .select(['id', 'address', 'reply', 'attempted_at as attemptedAt'])
    .where('campaign_id', '=', campaign)
    .where('state', '=', 'unknown')
    .orderBy('id')
    .execute();
}

/** What a person has found out, in the relay's log or by asking: it arrived, it did not, or send it again. */
export type Verdict = 'accepted' | 'failed' | 'resend';

/**
 * Settles every unknown delivery of a campaign by a person's word. `resend` queues them once more with the
 * same bytes, and opens a campaign that had finished; what is unknown again then stays so.
 * @param now ms
 * @returns how many
 */
export async function resolveUnknown(
  db: Kysely<Database>,
  campaign: number,
  verdict: Verdict,
  now: number,
): Promise<number> {
  return inTransaction(db, async (trx) => {
    await holdCampaign(trx, campaign, 'alone');
    const change =
      verdict === 'resend'
        ? { state: 'queued' as const, not_before: now, settled_at: null }
        : { state: verdict, settled_at: now, reply: `${verdict}, by hand` };
    const { numUpdatedRows } = await trx
      .updateTable('deliveries')
      .set(change)
      .where('campaign_id', '=', campaign)
      .where('state', '=', 'unknown')
      .executeTakeFirst();
    if (verdict === 'resend' && numUpdatedRows > 0n) {
      await reopenChunks(trx, campaign, now);
      await trx
        .updateTable('campaigns')
        .set({ state: 'sending', finished_at: null })
        .where('id', '=', campaign)
        .where('state', '=', 'finished')
        .execute();
    }
    const detail = `${numUpdatedRows} unknown: ${verdict}`;
    await logEvent(trx, campaign, { kind: 'resolved', detail, at: now });
    return Number(numUpdatedRows);
  });
}
