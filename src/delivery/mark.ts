/** Marks deliveries before they are sent: whose turn it is, and who may still be mailed. */
import { type Kysely, sql } from 'kysely';
import type { Provider } from '../audience/address.ts';
import { reachable } from '../audience/reachable.ts';
import type { Database } from '../store/schema.ts';
import { unplanned } from '../store/unplanned.ts';
import type { Chunk } from './chunks.ts';
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

/** Of one provider group: queued first, by the time they may start, so that resent ones come last; then deferred ones. */
async function markOf(
  db: Kysely<Database>,
  turn: Turn,
  provider: Provider,
  wanted: number,
): Promise<Marked[]> {
  const queued = await markIn(db, turn, { provider, state: 'queued' }, wanted);
  if (queued.length === wanted) return queued;
  const deferred = await markIn(db, turn, { provider, state: 'deferred' }, wanted - queued.length);
  return [...queued, ...deferred];
}

interface Line {
  provider: Provider;
  state: 'queued' | 'deferred';
}

/** Those who must not be mailed any more are passed over, and noted as suppressed. */
async function markIn(
  db: Kysely<Database>,
  turn: Turn,
  line: Line,
  wanted: number,
): Promise<Marked[]> {
  const marked: Marked[] = [];
  while (marked.length < wanted) {
    const rows = await markRows(db, turn, line, wanted - marked.length);
    marked.push(...rows);
    // Fewer than wanted: the line is empty, halted, or some of it stay where they are because nobody may mail them.
    if (marked.length < wanted && (await suppressUnreachable(db, turn, line, wanted)) === 0) break;
  }
  return marked;
}

async function markRows(
  db: Kysely<Database>,
  turn: Turn,
  line: Line,
  limit: number,
): Promise<Marked[]> {
  const { campaign, epoch, now } = turn;
  const { rows } = await sql<MarkedRow>`update deliveries set
      state = 'attempting', epoch = ${epoch}, attempted_at = ${now},
      begun_at = coalesce(begun_at, ${now}), attempts = attempts + 1
    where id in (${dueIn(turn, line, limit)})
      and state in ('queued', 'deferred')
      and exists (select 1 from campaigns where campaigns.id = ${campaign.id} and campaigns.state = 'sending')
      and ${subscriberIsReachable()}
    returning id, edition_id, subscriber_id, address, slots, attempts, resends, begun_at`.execute(
    db,
  );
  return rows.map(({ id, address, slots, attempts, resends, ...row }) => ({
    id,
    campaignId: campaign.id,
    editionId: row.edition_id,
    subscriberId: row.subscriber_id,
    provider: line.provider,
    address: address ?? '',
    attempts,
    resends,
    begunAt: row.begun_at,
    ...(JSON.parse(slots ?? '{}') as { name: string | null; token: string }),
  }));
}

interface MarkedRow {
  id: number;
  edition_id: number;
  subscriber_id: number;
  address: string | null;
  slots: string | null;
  attempts: number;
  resends: number;
  begun_at: number;
}

/** The next ones of a line, as a query that SQLite plans once (see `unplanned`): there are few lines. */
function dueIn({ campaign, now, chunk, epoch }: Turn, { provider, state }: Line, limit: number) {
  return sql<{ id: number }>`select id from deliveries
    where campaign_id = ${unplanned(campaign.id)}
      and state = ${sql.lit(state)} and provider = ${sql.lit(provider)}
      ${chunk ? within(chunk, epoch) : sql``}
      and not_before <= ${unplanned(now)} order by not_before, id limit ${unplanned(limit)}`;
}

/** Only the owner of a chunk marks deliveries of it: one that was taken over finds nothing. */
function within({ id, first, last }: Chunk, epoch: number) {
  return sql`and id between ${first} and ${last}
    and exists (select 1 from chunks where chunks.id = ${id} and chunks.epoch = ${epoch})`;
}

function subscriberIsReachable() {
  return sql<boolean>`exists (select 1 from subscribers
    where subscribers.id = deliveries.subscriber_id and ${reachable()})`;
}

/** @returns how many of the next ones they were */
async function suppressUnreachable(
  db: Kysely<Database>,
  turn: Turn,
  line: Line,
  limit: number,
): Promise<number> {
  const { numAffectedRows } = await sql`update deliveries set
      state = 'suppressed', settled_at = ${turn.now},
      reason = 'unsubscribed', reply = 'Unsubscribed or suppressed before it was sent'
    where id in (${dueIn(turn, line, limit)}) and not ${subscriberIsReachable()}
      and exists (select 1 from campaigns where campaigns.id = ${turn.campaign.id} and campaigns.state = 'sending')`.execute(
    db,
  );
  return Number(numAffectedRows);
}

async function hasDue(db: Kysely<Database>, turn: Turn, provider: Provider): Promise<boolean> {
  for (const state of ['queued', 'deferred'] as const) {
    const { rows } = await dueIn(turn, { provider, state }, 1).execute(db);
    if (rows.length > 0) return true;
  }
  return false;
}

async function hasDueAnywhere(db: Kysely<Database>, turn: Turn): Promise<boolean> {
  for (const provider of turn.queue.order(turn.now))
    if (await hasDue(db, turn, provider)) return true;
  return false;
}
