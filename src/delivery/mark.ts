/** Marks deliveries before they are sent: whose turn it is, and who may still be mailed. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
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
  for (const [provider, lines] of await linesDue(db, turn, left)) {
    if (left <= 0) break;
    const open = allowance(limits, rules.rates, provider, now);
    const most = Math.min(left, open.count);
    const rows = await markOf(db, turn, lines, most);
    if (rows.length < most && !turn.chunk) turn.queue.empty(provider, now);
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

interface Line {
  provider: Provider;
  state: 'queued' | 'deferred';
  /** Of a chunk: who is due, in the order of their turns. Whoever is marked, or may not be, is taken off. */
  ids?: number[];
}

const STATES = ['queued', 'deferred'] as const;

/**
 * Where something may be due, by provider groups in the order of their turns.
 * @param wanted of a chunk it is asked again when fewer are remembered
 */
async function linesDue(
  db: Kysely<Database>,
  turn: Turn,
  wanted: number,
): Promise<Map<Provider, Line[]>> {
  const order = turn.queue.order(turn.now);
  if (!turn.chunk)
    return new Map(
      order.map((provider) => [provider, STATES.map((state) => ({ provider, state }))]),
    );
  const due = await remembered(db, turn, turn.chunk, wanted);
  const of = (provider: Provider) =>
    STATES.map((state) => ({ provider, state, ids: due.get(`${provider}/${state}`) ?? [] }));
  return new Map(
    order
      .map((provider) => [provider, of(provider)] as const)
      .filter(([, lines]) => lines.some(({ ids }) => ids.length > 0)),
  );
}

/** What is remembered of a chunk is asked again after so long, ms: something of it may have come due. */
const REMEMBERED_FOR = 1_000;

/**
 * Ids by provider group and state, as a chunk's owner last read them. To look through the chunk at every commit would
 * take longer than the commit. They are no more than a proposal: the marking statement asks each row again.
 */
async function remembered(db: Kysely<Database>, turn: Turn, chunk: Chunk, wanted: number) {
  const left = [...chunk.due.values()].reduce((sum, ids) => sum + ids.length, 0);
  if (left >= wanted && turn.now - chunk.askedAt < REMEMBERED_FOR) return chunk.due;
  const { rows } = await sql<{
    id: number;
    line: string;
  }>`select id, provider || '/' || state as line
    from deliveries
    where campaign_id = ${turn.campaign.id} and state in ('queued', 'deferred')
      ${within(chunk, turn.epoch)} and not_before <= ${turn.now}
    order by not_before, id`.execute(db);
  chunk.due = new Map();
  for (const { id, line } of rows) {
    const ids = chunk.due.get(line);
    if (ids) ids.push(id);
    else chunk.due.set(line, [id]);
  }
  chunk.askedAt = turn.now;
  return chunk.due;
}

/** Of one provider group: queued first, by the time they may start, so that resent ones come last; then deferred ones. */
async function markOf(
  db: Kysely<Database>,
  turn: Turn,
  lines: readonly Line[],
  wanted: number,
): Promise<Marked[]> {
  const marked: Marked[] = [];
  for (const line of lines) {
    if (marked.length === wanted) break;
    const most = wanted - marked.length;
    marked.push(
      ...(line.ids
        ? await markListed(db, turn, line, line.ids, most)
        : await markIn(db, turn, line, most)),
    );
  }
  return marked;
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
    const next = sql`in (${dueIn(turn, line, wanted - marked.length)})`;
    marked.push(...(await markRows(db, turn, line, next)));
    // Fewer than wanted: the line is empty, halted, or some of it stay where they are because nobody may mail them.
    const all = sql`in (${dueIn(turn, line, wanted)})`;
    if (marked.length < wanted && (await suppressUnreachable(db, turn, all)) === 0) break;
  }
  return marked;
}

/** The same of a chunk, by their ids. */
async function markListed(
  db: Kysely<Database>,
  turn: Turn,
  line: Line,
  ids: number[],
  wanted: number,
): Promise<Marked[]> {
  const marked: Marked[] = [];
  while (marked.length < wanted && ids.length > 0) {
    const list = ids.splice(0, wanted - marked.length);
    const chunk = turn.chunk ? within(turn.chunk, turn.epoch) : sql``;
    const next = sql`= any(${list}::bigint[]) and not_before <= ${turn.now} ${chunk}`;
    const rows = await markRows(db, turn, line, next);
    marked.push(...rows);
    if (rows.length === list.length) continue;
    const isHalted = (await suppressUnreachable(db, turn, next)) === 0 && rows.length === 0;
    if (isHalted) break;
  }
  return marked;
}

async function markRows(
  db: Kysely<Database>,
  turn: Turn,
  line: Line,
  which: RawBuilder<unknown>,
): Promise<Marked[]> {
  const { campaign, epoch, now } = turn;
  const { rows } = await sql<MarkedRow>`update deliveries set
      state = 'attempting', epoch = ${epoch}, attempted_at = ${now},
      begun_at = coalesce(begun_at, ${now}), attempts = attempts + 1
    where id ${which}
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
function dueIn(
  { campaign, now, chunk, epoch }: Turn,
  { provider, state }: Pick<Line, 'provider' | 'state'>,
  limit: number,
) {
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

/** @param which of the next ones @returns how many they were */
async function suppressUnreachable(
  db: Kysely<Database>,
  turn: Turn,
  which: RawBuilder<unknown>,
): Promise<number> {
  const { numAffectedRows } = await sql`update deliveries set
      state = 'suppressed', settled_at = ${turn.now},
      reason = 'unsubscribed', reply = 'Unsubscribed or suppressed before it was sent'
    where id ${which} and state in ('queued', 'deferred') and not ${subscriberIsReachable()}
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
  if (turn.chunk) return (await linesDue(db, turn, 1)).size > 0;
  for (const provider of turn.queue.order(turn.now))
    if (await hasDue(db, turn, provider)) return true;
  return false;
}
