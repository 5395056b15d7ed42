/**
 * The ledger: what is written down before and after each mail, so that a crash at any moment leaves
 * every reader accounted for. Protocol: no mark, no mail; no stored result, no next mark.
 */
import { type Kysely, sql } from 'kysely';
import { reachable } from '../audience/reachable.ts';
import type { Database } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { failpoint } from './failpoint.ts';
import type { Outcome } from './outcome.ts';
import { retryDelay } from './retry.ts';

/** A delivery that is marked `attempting` and may be sent. */
export interface Marked {
  id: number;
  campaignId: number;
  editionId: number;
  address: string;
  name: string | null;
  token: string;
  /** Attempts with this one. */
  attempts: number;
  resends: number;
}

export interface Result {
  delivery: Marked;
  outcome: Outcome;
}

export interface LedgerRules {
  onUnknown: 'resend' | 'hold';
  /** How long after the campaign's start a deferred delivery is still tried, ms. */
  expireAfter: number;
}

/** Everything that a write into the ledger depends on. */
export interface Turn {
  campaign: { id: number; startedAt: number };
  /** Of this sender; a result or mark of another epoch is not ours to touch. */
  epoch: number;
  /** ms. */
  now: number;
  rules: LedgerRules;
  /** In [0, 1). */
  chance: () => number;
}

/** An unknown delivery is sent once more, last, with the same bytes; then it stays unknown (I7). */
const MOST_RESENDS = 1;

/** Stores results and marks the next deliveries, in one transaction. @returns those that may be sent */
export function exchange(
  db: Kysely<Database>,
  turn: Turn,
  results: readonly Result[],
  wanted: number,
): Promise<Marked[]> {
  return inTransaction(db, async (trx) => {
    failpoint('before-result-commit');
    for (const result of results) await settle(trx, turn, result);
    return wanted > 0 ? mark(trx, turn, wanted) : [];
  });
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
 * What a sender that is gone left marked: nobody knows whether it was sent.
 * @returns the epoch of the new sender
 */
export async function recover(
  db: Kysely<Database>,
  newsletter: string,
  onUnknown: LedgerRules['onUnknown'],
  now: number,
): Promise<number> {
  return inTransaction(db, async (trx) => {
    const orphans = trx
      .selectFrom('deliveries')
      .where('newsletter', '=', newsletter)
      .where('state', '=', 'attempting');
    const { latest } = await orphans
      .select(({ fn }) => fn.max('epoch').as('latest'))
      .executeTakeFirstOrThrow();
    if (latest !== null) {
      const rows = await orphans.select(['id', 'resends']).execute();
      for (const { id, resends } of rows) {
        await unknown(
          trx,
          id,
          resends,
          onUnknown,
          now,
          'The sender ended before the relay had answered',
        );
      }
    }
    return Math.max(now, Number(latest ?? 0) + 1);
  });
}

/** The oldest campaign that has something due, or null. */
export async function dueCampaign(
  db: Kysely<Database>,
  newsletter: string,
  now: number,
): Promise<{ id: number; channel: 'outbox' | 'smtp'; startedAt: number } | null> {
  const row = await db
    .selectFrom('campaigns')
    .select(['id', 'channel', 'created_at as startedAt'])
    .where('newsletter', '=', newsletter)
    .where('state', '=', 'sending')
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
  await db
    .updateTable('campaigns')
    .set({ state: 'finished', finished_at: now })
    .where('newsletter', '=', newsletter)
    .where('state', '=', 'sending')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('deliveries')
            .select('deliveries.id')
            .whereRef('deliveries.campaign_id', '=', 'campaigns.id')
            .where('deliveries.state', 'in', ['queued', 'attempting', 'deferred']),
        ),
      ),
    )
    .execute();
}

/** When the next deferred delivery of any campaign under way is due, ms; null when there is none. */
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

/**
 * Marks up to so many due deliveries as `attempting`. State, time, pause, cancel, unsubscribe and
 * suppression are asked in the marking statement itself, so nothing starts after them (I3, I10).
 */
async function mark(db: Kysely<Database>, turn: Turn, wanted: number): Promise<Marked[]> {
  const marked: Marked[] = [];
  while (marked.length < wanted) {
    const ids = await dueIds(db, turn, wanted - marked.length);
    if (ids.length === 0) break;
    const rows = await markRows(db, turn, ids);
    marked.push(...rows);
    if (rows.length < ids.length) await suppressUnreachable(db, turn, ids);
    // Whatever is still there is not ours to mark: paused, cancelled.
    if (rows.length === 0 && (await isHalted(db, turn))) break;
  }
  return marked;
}

/** Queued first, by the time they may start: resent ones come last. Then deferred ones. */
async function dueIds(
  db: Kysely<Database>,
  { campaign, now }: Turn,
  limit: number,
): Promise<number[]> {
  const due = (state: 'queued' | 'deferred', most: number) =>
    db
      .selectFrom('deliveries')
      .select('id')
      .where('campaign_id', '=', campaign.id)
      .where('state', '=', state)
      .where('not_before', '<=', now)
      .orderBy('not_before')
      .orderBy('id')
      .limit(most)
      .execute();
  const queued = await due('queued', limit);
  const deferred = queued.length < limit ? await due('deferred', limit - queued.length) : [];
  return [...queued, ...deferred].map(({ id }) => id);
}

async function markRows(
  db: Kysely<Database>,
  { campaign, epoch, now }: Turn,
  ids: number[],
): Promise<Marked[]> {
  const rows = await db
    .updateTable('deliveries')
    .set({ state: 'attempting', epoch, attempted_at: now, attempts: sql`attempts + 1` })
    .where('id', 'in', ids)
    .where('state', 'in', ['queued', 'deferred'])
    .where(
      sql<boolean>`exists (select 1 from campaigns where campaigns.id = ${campaign.id} and campaigns.state = 'sending')`,
    )
    .where(subscriberIsReachable())
    .returning(['id', 'campaign_id', 'edition_id', 'address', 'slots', 'attempts', 'resends'])
    .execute();
  return rows.map((row) => ({
    id: row.id,
    campaignId: row.campaign_id,
    editionId: row.edition_id,
    address: row.address ?? '',
    ...(JSON.parse(row.slots ?? '{}') as { name: string | null; token: string }),
    attempts: row.attempts,
    resends: row.resends,
  }));
}

function subscriberIsReachable() {
  return sql<boolean>`exists (select 1 from subscribers
    where subscribers.id = deliveries.subscriber_id and ${reachable()})`;
}

async function suppressUnreachable(
  db: Kysely<Database>,
  { now }: Turn,
  ids: number[],
): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({
      state: 'suppressed',
      settled_at: now,
      reply: 'Unsubscribed or suppressed before it was sent',
    })
    .where('id', 'in', ids)
    .where('state', 'in', ['queued', 'deferred'])
    .where(sql<boolean>`not ${subscriberIsReachable()}`)
    .execute();
}

async function isHalted(db: Kysely<Database>, { campaign }: Turn): Promise<boolean> {
  const row = await db
    .selectFrom('campaigns')
    .select('state')
    .where('id', '=', campaign.id)
    .executeTakeFirst();
  return row?.state !== 'sending';
}

async function settle(
  db: Kysely<Database>,
  turn: Turn,
  { delivery, outcome }: Result,
): Promise<void> {
  const { rules, now } = turn;
  if (outcome.state === 'unknown') {
    await unknown(db, delivery.id, delivery.resends, rules.onUnknown, now, outcome.reply);
    return;
  }
  const change =
    outcome.state === 'deferred' ? deferral(turn, delivery, outcome) : final(outcome, now);
  await db
    .updateTable('deliveries')
    .set({ code: outcome.code, ...change })
    .where('id', '=', delivery.id)
    .where('epoch', '=', turn.epoch)
    .where('state', '=', 'attempting')
    .execute();
}

function final({ state, reply }: Outcome, now: number) {
  return { state, reply, settled_at: now };
}

function deferral(
  { campaign, rules, now, chance }: Turn,
  { attempts }: Marked,
  { relayFault, reply }: Outcome,
) {
  const at = now + retryDelay(attempts, relayFault, chance());
  if (at > campaign.startedAt + rules.expireAfter) {
    return { state: 'failed' as const, reply: `expired: ${reply}`, settled_at: now };
  }
  const counted = relayFault ? attempts - 1 : attempts;
  return { state: 'deferred' as const, reply, attempts: counted, not_before: at };
}

/** Not to be known: sent once more behind all others, or left for a person. */
async function unknown(
  db: Kysely<Database>,
  id: number,
  resends: number,
  onUnknown: LedgerRules['onUnknown'],
  now: number,
  reply: string,
): Promise<void> {
  const again = onUnknown === 'resend' && resends < MOST_RESENDS;
  await db
    .updateTable('deliveries')
    .set(
      again
        ? { state: 'queued', resends: resends + 1, not_before: now, reply }
        : { state: 'unknown', settled_at: now, reply },
    )
    .where('id', '=', id)
    .where('state', '=', 'attempting')
    .execute();
}
