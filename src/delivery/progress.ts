/** Where campaigns stand, and the hands on them: pause, resume, cancel. */
import type { Kysely } from 'kysely';
import { inputError } from '../errors.ts';
import {
  type CampaignTable,
  type Database,
  DELIVERY_STATES,
  type DeliveryState,
} from '../store/schema.ts';

export interface CampaignProgress {
  id: number;
  issue: string;
  channel: CampaignTable['channel'];
  state: CampaignTable['state'];
  /** Why it paused by itself. */
  note: string | null;
  /** Deliveries in all: the sum of the counts, always (I1). */
  planned: number;
  counts: Record<DeliveryState, number>;
  /** ms. */
  startedAt: number;
  finishedAt: number | null;
  /** When the next deferred delivery is due, ms. */
  nextAttemptAt: number | null;
}

/** @throws BroadsheetError `campaign-missing` */
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
    planned: campaign.planned,
    counts,
    startedAt: campaign.created_at,
    finishedAt: campaign.finished_at,
    nextAttemptAt: rows.find(({ state }) => state === 'deferred')?.next ?? null,
  };
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

/** Starts no further mail after this. @param note why, where nobody asked for it */
export async function pauseCampaign(
  db: Kysely<Database>,
  id: number,
  note: string | null,
): Promise<void> {
  await db
    .updateTable('campaigns')
    .set({ state: 'paused', note })
    .where('id', '=', id)
    .where('state', '=', 'sending')
    .execute();
}

export async function resumeCampaign(db: Kysely<Database>, id: number): Promise<void> {
  await db
    .updateTable('campaigns')
    .set({ state: 'sending', note: null })
    .where('id', '=', id)
    .where('state', '=', 'paused')
    .execute();
}

/** Ends it for good: what has not begun never will. What is in flight is still accounted for. */
export async function cancelCampaign(db: Kysely<Database>, id: number, now: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('campaigns')
      .set({ state: 'cancelled', finished_at: now })
      .where('id', '=', id)
      .where('state', 'in', ['sending', 'paused'])
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return;
    await trx
      .updateTable('deliveries')
      .set({ state: 'cancelled', settled_at: now })
      .where('campaign_id', '=', id)
      .where('state', 'in', ['queued', 'deferred'])
      .execute();
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
  return db.transaction().execute(async (trx) => {
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
      await trx
        .updateTable('campaigns')
        .set({ state: 'sending', finished_at: null })
        .where('id', '=', campaign)
        .where('state', '=', 'finished')
        .execute();
    }
    return Number(numUpdatedRows);
  });
}
