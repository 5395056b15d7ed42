/** A campaign is planned in one transaction: what is sent and to whom, both frozen. */
import { type Expression, type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { parseAddress, providerOf } from '../audience/address.ts';
import { isActive, isSuppressed, reachable } from '../audience/reachable.ts';
import { blockedError } from '../errors.ts';
import type { Email } from '../issue/email.ts';
import { type Program, programHash, serialise } from '../message/program.ts';
import { holdCampaign, holdList, tableOf } from '../store/dialect.ts';
import type { Channel, Database } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { unplanned } from '../store/unplanned.ts';
import { handOutPlanned } from './chunks.ts';
import { logEvent } from './events.ts';
import { failpoint } from './failpoint.ts';
import { type CampaignProgress, campaignProgress } from './progress.ts';

/** What a campaign is about. */
export interface CampaignKey {
  newsletter: string;
  channel: Channel;
  issue: string;
  audience: Audience;
  /** True for a row of `subscribers` that belongs to the segment; absent: for all. */
  within?: Expression<SqlBool> | undefined;
}

export interface Audience {
  /** Name of the segment; null is everybody. */
  segment: string | null;
  /** A further campaign for readers who have not been planned for this issue yet. */
  newReaders: boolean;
}

export interface PlanInput extends CampaignKey {
  /** Slot of the schedule that it is for. */
  slot?: string;
  email: Email;
  program: Program;
  /** Envelope sender. */
  sender: string;
  /** Token of a reader's unsubscribe link. */
  tokenFor: (publicId: string) => string;
  /** The editor's own mailboxes get it first, the others after a pause in which it can be stopped. */
  firstWave?: FirstWave | undefined;
  /** Findings that a person overrode, for the log. */
  overridden?: readonly string[] | undefined;
  /** ms. */
  now: number;
}

export interface FirstWave {
  /** Addresses of readers of the list. */
  addresses: readonly string[];
  /** ms. */
  pause: number;
}

export interface Plan {
  campaignId: number;
  /** Deliveries, one for each reader. */
  planned: number;
  /** Of them in the first wave. */
  first: number;
}

export interface PlanPreview {
  recipients: number;
  /** Recipients by mailbox provider. */
  byProvider: Record<string, number>;
  /** Readers left out, by reason. */
  excluded: Record<string, number>;
}

/** Deliveries that are written, and readers that are read, at once. */
const PAGE = 1_000;

/**
 * Freezes an edition and its recipients. Joins the transaction that is open, or makes one of its own.
 * @throws BroadsheetError `nobody-to-send-to`
 */
export function planCampaign(db: Kysely<Database>, input: PlanInput): Promise<Plan> {
  return inTransaction(db, async (trx) => {
    await holdList(trx, 'together');
    const campaignId = await insertCampaign(trx, input);
    const editionId = await insertEdition(trx, input, campaignId);
    const first = await firstReaders(trx, input);
    let planned = 0;
    /** While the database writes a page down, the next one is made ready. */
    let writing = Promise.resolve();
    for await (const page of recipients(trx, input)) {
      const rows = deliveriesOf(input, first, page);
      await writing;
      writing = insertDeliveries(trx, input, { campaignId, editionId }, rows);
      // Told where it is waited for.
      writing.catch(() => {});
      planned += page.length;
    }
    await writing;
    if (planned === 0) throw nobody(input);
    await trx.updateTable('campaigns').set({ planned }).where('id', '=', campaignId).execute();
    await logPlan(trx, input, campaignId, planned);
    await handOutPlanned(trx, input.newsletter, campaignId, input.now);
    failpoint('after-plan-insert');
    return { campaignId, planned, first: first.size };
  });
}

async function logPlan(
  db: Kysely<Database>,
  { overridden = [], now: at }: PlanInput,
  id: number,
  planned: number,
): Promise<void> {
  await logEvent(db, id, { kind: 'planned', detail: `${planned} readers`, at });
  await logOverridden(db, id, overridden, at);
}

async function logOverridden(
  db: Kysely<Database>,
  campaign: number,
  ids: readonly string[],
  at: number,
): Promise<void> {
  if (ids.length > 0)
    await logEvent(db, campaign, { kind: 'overridden', detail: ids.join(', '), at });
}

/** Ids of the readers who get it before the others; nobody where no first wave is wanted. */
async function firstReaders(
  db: Kysely<Database>,
  { firstWave, newsletter, within }: PlanInput,
): Promise<ReadonlySet<number>> {
  const keys = (firstWave?.addresses ?? []).map((address) => parseAddress(address).key);
  if (keys.length === 0) return new Set();
  let wave = db
    .selectFrom('subscribers')
    .select('id')
    .where('newsletter', '=', newsletter)
    .where('address_key', 'in', keys)
    .where(reachable());
  if (within) wave = wave.where(within);
  const rows = await wave.execute();
  return new Set(rows.map(({ id }) => id));
}

/** What is sent, beside to whom. */
export type Content = Pick<
  PlanInput,
  'newsletter' | 'email' | 'program' | 'sender' | 'now' | 'overridden'
>;

/**
 * A mistake was found after half is sent: freezes a second edition for the readers to whom no attempt has been
 * made. Whoever was attempted, unknown or deferred, keeps the first, so that a resend has its bytes (I11).
 * @returns how many get it
 * @throws BroadsheetError `campaign-not-paused`
 */
export function amendCampaign(
  db: Kysely<Database>,
  campaignId: number,
  content: Content,
): Promise<number> {
  return inTransaction(db, async (trx) => {
    await holdCampaign(trx, campaignId, 'alone');
    const { state } = await trx
      .selectFrom('campaigns')
      .select('state')
      .where('id', '=', campaignId)
      .executeTakeFirstOrThrow();
    if (state !== 'paused') throw notPaused(campaignId, state);
    const edition = await insertEdition(trx, content, campaignId);
    const { numUpdatedRows } = await trx
      .updateTable('deliveries')
      .set({ edition_id: edition })
      .where('campaign_id', '=', campaignId)
      .where('state', '=', 'queued')
      .where('attempted_at', 'is', null)
      .where('resends', '=', 0)
      .executeTakeFirst();
    const detail = `${numUpdatedRows} readers get another edition`;
    await logEvent(trx, campaignId, { kind: 'amended', detail, at: content.now });
    await logOverridden(trx, campaignId, content.overridden ?? [], content.now);
    return Number(numUpdatedRows);
  });
}

/** What a plan would hold now. Writes nothing. */
export async function previewPlan(db: Kysely<Database>, key: CampaignKey): Promise<PlanPreview> {
  const byProvider: Record<string, number> = {};
  let count = 0;
  for await (const page of recipients(db, key)) {
    for (const { address } of page) {
      const provider = providerOf(address);
      byProvider[provider] = (byProvider[provider] ?? 0) + 1;
      count += 1;
    }
  }
  return { recipients: count, byProvider, excluded: await excludedCounts(db, key) };
}

/** The campaign of an issue that is under way, else the last finished one; with where it stands. */
export async function findCampaign(
  db: Kysely<Database>,
  { newsletter, channel, issue }: CampaignKey,
): Promise<CampaignProgress | undefined> {
  const rows = await db
    .selectFrom('campaigns')
    .select(['id', 'state'])
    .where('newsletter', '=', newsletter)
    .where('channel', '=', channel)
    .where('issue', '=', issue)
    .where('state', '<>', 'cancelled')
    .orderBy('id', 'desc')
    .execute();
  const found = rows.find(({ state }) => state !== 'finished') ?? rows[0];
  return found && campaignProgress(db, found.id);
}

async function insertCampaign(db: Kysely<Database>, input: PlanInput): Promise<number> {
  const { newsletter, channel, issue, slot = null, audience, now } = input;
  const { id } = await db
    .insertInto('campaigns')
    .values({
      newsletter,
      channel,
      issue,
      slot,
      state: 'sending',
      note: null,
      audience: JSON.stringify(audience),
      planned: 0,
      created_at: now,
      finished_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

async function insertEdition(
  db: Kysely<Database>,
  { newsletter, email, program, sender, now }: Content,
  campaignId: number,
): Promise<number> {
  const { id } = await db
    .insertInto('editions')
    .values({
      newsletter,
      campaign_id: campaignId,
      hash: programHash(program),
      subject: email.subject,
      sender,
      email: JSON.stringify(email),
      program: serialise(program),
      created_at: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export interface Recipient {
  id: number;
  address: string;
  name: string | null;
  public_id: string;
}

/** Reachable readers who have no delivery of this issue on this channel, in pages, by their ids. */
export async function* recipients(
  db: Kysely<Database>,
  key: CampaignKey,
): AsyncGenerator<Recipient[]> {
  let whole = db
    .selectFrom('subscribers')
    .select(['id', 'address', 'name', 'public_id'])
    .where('newsletter', '=', key.newsletter)
    .where(reachable())
    .orderBy('id')
    .limit(PAGE);
  if (key.within) whole = whole.where(key.within);
  const after = (id: number) =>
    whole
      .where('id', '>', id)
      .where(sql<boolean>`not ${hasDelivery(key, id)}`)
      .execute();
  for (let page = await after(0); ; ) {
    const last = page.at(-1);
    if (!last) return;
    // Read while this one is worked upon.
    const next = after(last.id);
    next.catch(() => {});
    yield page;
    page = await next;
  }
}

/**
 * True for a subscriber who has a delivery of this issue on this channel, whatever became of it.
 * @param after only those with a greater id are asked for: what is planned just now need not be looked through again
 */
function hasDelivery({ newsletter, channel, issue }: CampaignKey, after = 0) {
  return sql<boolean>`exists (select 1 from deliveries
    where deliveries.subscriber_id = subscribers.id and deliveries.newsletter = ${newsletter}
      and deliveries.channel = ${channel} and deliveries.issue = ${issue}
      and deliveries.taken = 1 and deliveries.subscriber_id > ${after})`;
}

function deliveriesOf(
  { tokenFor, firstWave, now }: PlanInput,
  first: ReadonlySet<number>,
  page: readonly Recipient[],
) {
  const later = firstWave && first.size > 0 ? now + firstWave.pause : 0;
  return page.map(({ id, address, name, public_id }) => ({
    subscriber_id: id,
    address,
    slots: JSON.stringify({ name, token: tokenFor(public_id) }),
    provider: providerOf(address),
    not_before: first.has(id) ? 0 : later,
  }));
}

async function insertDeliveries(
  db: Kysely<Database>,
  { newsletter, channel, issue }: PlanInput,
  { campaignId, editionId }: { campaignId: number; editionId: number },
  rows: ReturnType<typeof deliveriesOf>,
): Promise<void> {
  await sql`insert into deliveries (newsletter, channel, issue, campaign_id, edition_id, state,
      subscriber_id, address, slots, provider, not_before)
    select ${newsletter}, ${channel}, ${issue}, ${unplanned(campaignId)}, ${unplanned(editionId)}, 'queued',
      subscriber_id, address, slots, provider, not_before
    from ${tableOf(db, 'reader', READER, rows)}`.execute(db);
}

const READER = {
  subscriber_id: 'bigint',
  address: 'text',
  slots: 'text',
  provider: 'text',
  not_before: 'bigint',
} as const;

async function excludedCounts(
  db: Kysely<Database>,
  key: CampaignKey,
): Promise<Record<string, number>> {
  const within = key.within ?? sql<boolean>`(1 = 1)`;
  const reasons: Record<string, RawBuilder<boolean>> = {
    ...(key.within ? { 'not in the segment': sql`${reachable()} and not ${within}` } : {}),
    unsubscribed: sql`state = 'unsubscribed' and erased_at is null and ${within}`,
    unconfirmed: sql`state = 'pending' and ${within}`,
    suppressed: sql`${isActive('subscribers')} and ${isSuppressed('subscribers')} and ${within}`,
    'already planned': sql`${reachable()} and ${hasDelivery(key)} and ${within}`,
  };
  const counts: Record<string, number> = {};
  for (const [reason, condition] of Object.entries(reasons)) {
    const { n } = await db
      .selectFrom('subscribers')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where('newsletter', '=', key.newsletter)
      .where(condition)
      .executeTakeFirstOrThrow();
    if (n > 0) counts[reason] = Number(n);
  }
  return counts;
}

function notPaused(campaignId: number, state: string) {
  const hint =
    state === 'sending'
      ? `Pause it first: broadsheet campaigns pause ${campaignId}`
      : 'Only what has not been sent can be changed.';
  return blockedError('campaign-not-paused', `Campaign ${campaignId} is ${state}`, { hint });
}

function nobody({ issue, audience }: PlanInput) {
  const hint = audience.newReaders
    ? 'Every reader who can be reached has a delivery of it already.'
    : audience.segment
      ? `Nobody of the segment "${audience.segment}" can be reached: broadsheet subscribers count --segment ${audience.segment}`
      : 'Add readers: broadsheet subscribers import FILE, or: broadsheet subscribers add ADDRESS';
  return blockedError('nobody-to-send-to', `There is nobody to send ${issue} to`, { hint });
}
