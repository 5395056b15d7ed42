/** Writes results down: what becomes of each delivery, and what follows for its reader, its provider group and the campaign. */
import { type Kysely, sql } from 'kysely';
import { suppress } from '../audience/suppression.ts';
import { unsubscribe } from '../audience/unsubscribe.ts';
import { failedError } from '../errors.ts';
import { isPostgres, tableOf } from '../store/dialect.ts';
import type { Database } from '../store/schema.ts';
import { unplanned } from '../store/unplanned.ts';
import { logEvent } from './events.ts';
import { hold, type Limits, lift } from './limits.ts';
import type { Marked } from './mark.ts';
import type { Outcome } from './outcome.ts';
import { haltCampaign } from './progress.ts';
import { jittered, retryDelay } from './retry.ts';
import { countSoft } from './soft.ts';
import { type LedgerRules, MOST_RESENDS, SENDER_ENDED, type Turn } from './turn.ts';

export interface Result {
  delivery: Marked;
  outcome: Outcome;
}

/** What becomes of a delivery after an attempt. */
interface Fate {
  id: number;
  state: Outcome['state'] | 'queued';
  code: number | null;
  reply: string;
  reason: string;
  attempts: number;
  resends: number;
  /** ms; null leaves it as it is. */
  not_before: number | null;
  settled_at: number | null;
}

const FATE = {
  id: 'bigint',
  state: 'text',
  code: 'bigint',
  reply: 'text',
  reason: 'text',
  attempts: 'bigint',
  resends: 'bigint',
  not_before: 'bigint',
  settled_at: 'bigint',
} as const;

/** In the transaction that is open. */
export async function settle(
  db: Kysely<Database>,
  turn: Turn,
  results: readonly Result[],
  limits: Limits,
): Promise<void> {
  const fates = results.map(({ delivery, outcome }) => fateOf(turn, delivery, outcome));
  await writeAccepted(
    db,
    turn,
    fates.filter(({ state }) => state === 'accepted'),
  );
  await writeFates(
    db,
    turn,
    fates.filter(({ state }) => state !== 'accepted'),
  );
  const { newsletter } = turn.campaign;
  // The relay talks to us again: its next failure is a first one.
  const wasHeld = (limits.rows.get('relay')?.step ?? 0) > 0;
  if (wasHeld && results.some(({ outcome }) => !outcome.relayFault))
    await lift(db, newsletter, 'relay');
  for (const result of results) {
    if (result.outcome.state === 'accepted') continue;
    await logAttempt(db, turn, result);
    await follow(db, turn, result);
  }
}

/** What nearly all results are, with as little as they need. */
async function writeAccepted(
  db: Kysely<Database>,
  { epoch, now }: Turn,
  fates: readonly Fate[],
): Promise<void> {
  if (fates.length === 0) return;
  const columns = { id: 'bigint', code: 'bigint', reply: 'text' } as const;
  const { numAffectedRows } = await sql`update deliveries set
      state = 'accepted', reason = 'accepted', settled_at = ${now},
      code = fate.code, reply = fate.reply
    from ${tableOf(db, 'fate', columns, fates)}
    where deliveries.id = fate.id
      and epoch = ${unplanned(epoch)} and deliveries.state = 'attempting'`.execute(db);
  if (Number(numAffectedRows) === fates.length) return;
  if (!isPostgres(db)) throw overtaken(fates.length, numAffectedRows);
  await acceptLate(db, now, fates);
}

/**
 * This worker was silent for so long that another took its chunk over and gave the mail up. The relay took it all the
 * same: a late reply settles what is in doubt (I4). What the other has begun again is the other's to settle.
 */
async function acceptLate(
  db: Kysely<Database>,
  now: number,
  fates: readonly Fate[],
): Promise<void> {
  const columns = { id: 'bigint', code: 'bigint', reply: 'text' } as const;
  await sql`update deliveries set
      state = 'accepted', reason = 'accepted', settled_at = ${now},
      code = fate.code, reply = fate.reply
    from ${tableOf(db, 'fate', columns, fates)}
    where deliveries.id = fate.id and deliveries.reason = ${SENDER_ENDED}
      and deliveries.state in ('queued', 'unknown')`.execute(db);
}

async function writeFates(
  db: Kysely<Database>,
  { epoch }: Turn,
  fates: readonly Fate[],
): Promise<void> {
  if (fates.length === 0) return;
  const { numAffectedRows } = await sql`update deliveries set
      state = fate.state, code = fate.code, reply = fate.reply, reason = fate.reason,
      attempts = fate.attempts, resends = fate.resends, settled_at = fate.settled_at,
      not_before = coalesce(fate.not_before, deliveries.not_before)
    from ${tableOf(db, 'fate', FATE, fates)}
    where deliveries.id = fate.id
      and epoch = ${epoch} and deliveries.state = 'attempting'`.execute(db);
  if (Number(numAffectedRows) !== fates.length && !isPostgres(db))
    throw overtaken(fates.length, numAffectedRows);
}

/** On SQLite a delivery that is not ours any more is a sign of a second sender (I3, I4). */
function overtaken(wanted: number, found: bigint | undefined) {
  return failedError(
    'ledger-overtaken',
    `Of ${wanted} deliveries that this sender had marked, ${found} are still its own`,
    { hint: 'Another sender works on the same database. Stop one of them.' },
  );
}

function fateOf(turn: Turn, delivery: Marked, outcome: Outcome): Fate {
  const { state, code, reply, reason } = outcome;
  const { id, attempts, resends } = delivery;
  const final: Fate = {
    id,
    state,
    code,
    reply,
    reason,
    attempts,
    resends,
    not_before: null,
    settled_at: turn.now,
  };
  if (state === 'deferred') return deferral(turn, delivery, outcome, final);
  return state === 'unknown' ? doubtful(turn.rules.onUnknown, final) : final;
}

function deferral(turn: Turn, { begunAt }: Marked, outcome: Outcome, fate: Fate): Fate {
  const { now, rules, chance } = turn;
  const { relayFault, consequence, mostAttempts = Number.POSITIVE_INFINITY } = outcome;
  const attempts = relayFault ? fate.attempts - 1 : fate.attempts;
  if (consequence?.kind === 'stop')
    return { ...fate, state: 'queued', attempts, not_before: now, settled_at: null };
  const delay = outcome.retryAfter
    ? jittered(outcome.retryAfter, chance())
    : retryDelay(fate.attempts, relayFault, chance());
  const isLate = now + delay > begunAt + rules.expireAfter;
  if (isLate) return { ...fate, state: 'failed', reply: `expired: ${fate.reply}` };
  if (fate.attempts >= mostAttempts) return { ...fate, state: 'failed' };
  return { ...fate, attempts, not_before: now + delay, settled_at: null };
}

/** Not to be known: sent once more behind all others, or left for a person. */
function doubtful(onUnknown: LedgerRules['onUnknown'], fate: Fate): Fate {
  if (onUnknown === 'hold' || fate.resends >= MOST_RESENDS) return fate;
  const { resends, settled_at: now } = fate;
  return { ...fate, state: 'queued', resends: resends + 1, not_before: now, settled_at: null };
}

async function logAttempt(
  db: Kysely<Database>,
  { campaign, now }: Turn,
  { delivery, outcome }: Result,
): Promise<void> {
  const { state, reason, code, reply } = outcome;
  await db
    .insertInto('attempts')
    .values({
      newsletter: campaign.newsletter,
      delivery_id: delivery.id,
      state: state as 'deferred' | 'failed' | 'unknown',
      reason,
      code,
      reply,
      at: now,
    })
    .execute();
}

/** What an outcome means beyond its own delivery. */
async function follow(db: Kysely<Database>, turn: Turn, result: Result): Promise<void> {
  const { delivery, outcome } = result;
  const { campaign, now } = turn;
  const { consequence, reply } = outcome;
  if (outcome.reason === 'content') await countContent(db, turn, result);
  switch (consequence?.kind) {
    case undefined:
      return;
    case 'suppress':
      return suppress(
        db,
        {
          newsletter: campaign.newsletter,
          address: delivery.address,
          reason: 'hard-bounce',
          detail: reply,
        },
        now,
      );
    case 'unsubscribe':
      return leave(db, turn, delivery);
    case 'soft': {
      const { subscriberId, address } = delivery;
      const { newsletter } = campaign;
      return countSoft(db, { newsletter, subscriberId, address, reply }, now);
    }
    case 'hold':
      return holdProvider(db, turn, result, consequence);
    case 'stop':
      return haltCampaign(db, campaign.id, reply, now);
  }
}

/** The reader's own provider says that the reader does not want it (QQ). */
async function leave(db: Kysely<Database>, turn: Turn, delivery: Marked): Promise<void> {
  const { newsletter, id } = turn.campaign;
  const { publicId } = await db
    .selectFrom('subscribers')
    .select('public_id as publicId')
    .where('id', '=', delivery.subscriberId)
    .executeTakeFirstOrThrow();
  await unsubscribe(db, { newsletter, publicId, via: 'relay', campaignId: id }, turn.now);
}

/** Provider groups that refuse us at the same time: then it is not about one of them. */
const BLOCKED_GROUPS = 2;

async function holdProvider(
  db: Kysely<Database>,
  turn: Turn,
  { delivery, outcome }: Result,
  { ms, tell }: { ms: number; tell: boolean },
): Promise<void> {
  const { campaign, now } = turn;
  const { provider } = delivery;
  const { reason, reply } = outcome;
  // Unrelated domains: what one of them says holds for none of the others.
  if (provider === 'other') return;
  await hold(db, campaign.newsletter, provider, { until: now + ms, note: `${reason}: ${reply}` });
  const minutes = Math.round(ms / 60_000);
  const detail = `${provider} for ${minutes} min: ${reply}`;
  await logEvent(db, campaign.id, { kind: tell ? 'held' : 'slowed', detail, at: now });
  if (reason !== 'blocked') return;
  const { count } = await db
    .selectFrom('limits')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('newsletter', '=', campaign.newsletter)
    .where('held_until', '>', now)
    .where('note', 'like', 'blocked:%')
    .executeTakeFirstOrThrow();
  if (Number(count) >= BLOCKED_GROUPS)
    await haltCampaign(
      db,
      campaign.id,
      `${count} provider groups block us, the last one with: ${reply}`,
      now,
    );
}

/** Refusals for its content that make a provider group wait for a person. */
const CONTENT_REFUSALS = 3;
const DAY = 86_400_000;

async function countContent(db: Kysely<Database>, turn: Turn, result: Result): Promise<void> {
  const { count } = await db
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('campaign_id', '=', turn.campaign.id)
    .where('state', '=', 'failed')
    .where('provider', '=', result.delivery.provider)
    .where('reason', '=', 'content')
    .executeTakeFirstOrThrow();
  if (Number(count) > 0 && Number(count) % CONTENT_REFUSALS === 0)
    await holdProvider(db, turn, result, { ms: DAY, tell: true });
}
