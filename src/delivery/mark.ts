/** Marks deliveries before they are sent: whose turn it is, and who may still be mailed. */
import { type Kysely, sql } from 'kysely';
import type { Provider } from '../audience/address.ts';
import { reachable } from '../audience/reachable.ts';
import type { Database } from '../store/schema.ts';
import { type Allowance, allowance, type Limits, spend } from './limits.ts';
import type { Turn } from './turn.ts';

/** A delivery that is marked `attempting` and may be sent. */
export interface Marked {
  id: number;
  campaignId: number;
  editionId: number;
  subscriberId: number;
  provider: Provider;
  address: string;
  name: string | null;
  token: string;
  /** Attempts with this one. */
  attempts: number;
  resends: number;
  /** First attempt, ms. */
  begunAt: number;
}

export interface Marking {
  marked: Marked[];
  /** Something is due that limits hold back until this time, ms; null where nothing is. */
  again: number | null;
}

/**
 * Marks up to so many due deliveries as `attempting`. State, time, pause, cancel, unsubscribe and
 * suppression are asked in the marking statement itself, so nothing starts after them (I3, I10).
 */
export async function mark(
  db: Kysely<Database>,
  turn: Turn,
  limits: Limits,
  wanted: number,
): Promise<Marking> {
  const { rules, now, campaign } = turn;
  const relay = allowance(limits, rules.rates, 'relay', now);
  const marked: Marked[] = [];
  let left = Math.min(wanted, relay.count);
  const closed: Allowance[] = [];
  for (const provider of turn.queue.order(now)) {
    if (left <= 0) break;
    const open = allowance(limits, rules.rates, provider, now);
    const most = Math.min(left, open.count);
    const rows = await markOf(db, turn, provider, most);
    if (rows.length < most) turn.queue.empty(provider, now);
    else if (most < left && (await hasDue(db, turn, provider))) closed.push(open);
    await spend(db, campaign.newsletter, rules.rates, provider, rows.length, now);
    marked.push(...rows);
    left -= rows.length;
  }
  await spend(db, campaign.newsletter, rules.rates, 'relay', marked.length, now);
  const isFull = relay.count < wanted && marked.length === relay.count;
  if (isFull && (await hasDueAnywhere(db, turn))) closed.push(relay);
  return { marked, again: marked.length < wanted ? opensAt(closed) : null };
}

function opensAt(closed: readonly Allowance[]): number | null {
  const times = closed.flatMap(({ again }) => (again === null ? [] : [again]));
  return times.length > 0 ? Math.min(...times) : null;
}

/** Of one provider group; those who must not be mailed any more are passed over. */
async function markOf(
  db: Kysely<Database>,
  turn: Turn,
  provider: Provider,
  wanted: number,
): Promise<Marked[]> {
  const marked: Marked[] = [];
  while (marked.length < wanted) {
    const ids = await dueIds(db, turn, provider, wanted - marked.length);
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
  turn: Turn,
  provider: Provider,
  limit: number,
): Promise<number[]> {
  const queued = await dueIn(db, turn, provider, 'queued', limit);
  if (queued.length === limit) return queued;
  return [...queued, ...(await dueIn(db, turn, provider, 'deferred', limit - queued.length))];
}

async function dueIn(
  db: Kysely<Database>,
  { campaign, now }: Turn,
  provider: Provider,
  state: 'queued' | 'deferred',
  limit: number,
): Promise<number[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('id')
    .where('campaign_id', '=', campaign.id)
    .where('state', '=', state)
    .where('provider', '=', provider)
    .where('not_before', '<=', now)
    .orderBy('not_before')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

async function hasDue(db: Kysely<Database>, turn: Turn, provider: Provider): Promise<boolean> {
  return (await dueIds(db, turn, provider, 1)).length > 0;
}

async function hasDueAnywhere(db: Kysely<Database>, turn: Turn): Promise<boolean> {
  for (const provider of turn.queue.order(turn.now))
    if (await hasDue(db, turn, provider)) return true;
  return false;
}

async function markRows(
  db: Kysely<Database>,
  { campaign, epoch, now }: Turn,
  ids: number[],
): Promise<Marked[]> {
  const rows = await db
    .updateTable('deliveries')
    .set({
      state: 'attempting',
      epoch,
      attempted_at: now,
      begun_at: sql`coalesce(begun_at, ${now})`,
      attempts: sql`attempts + 1`,
    })
    .where(amongIds(ids))
    .where('state', 'in', ['queued', 'deferred'])
    .where(
      sql<boolean>`exists (select 1 from campaigns where campaigns.id = ${campaign.id} and campaigns.state = 'sending')`,
    )
    .where(subscriberIsReachable())
    .returning([
      'id',
      'campaign_id as campaignId',
      'edition_id as editionId',
      'subscriber_id as subscriberId',
      'provider',
      'address',
      'slots',
      'attempts',
      'resends',
      'begun_at as begunAt',
    ])
    .execute();
  return rows.map(({ slots, address, ...row }) => ({
    ...row,
    provider: row.provider as Provider,
    address: address ?? '',
    begunAt: row.begunAt ?? now,
    ...(JSON.parse(slots ?? '{}') as { name: string | null; token: string }),
  }));
}

/** One text of SQL whatever the number, so that it is prepared once. */
function amongIds(ids: readonly number[]) {
  return sql<boolean>`deliveries.id in (select value from json_each(${JSON.stringify(ids)}))`;
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
    .where(amongIds(ids))
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
