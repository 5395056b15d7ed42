/** Writes down what reports say, once each, and what follows for their readers. In the transaction that is open. */
import type { Kysely } from 'kysely';
import { addressHash, parseAddress, providerOf } from '../audience/address.ts';
import { suppress } from '../audience/suppression.ts';
import { unsubscribe } from '../audience/unsubscribe.ts';
import { stopOnComplaints } from '../delivery/complaints.ts';
import { countSoft } from '../delivery/soft.ts';
import type { BounceTable, Database } from '../store/schema.ts';
import { type Finding, findingsOf } from './classify.ts';
import { type Identifier, type Identity, identify, identifyRecipient } from './identify.ts';
import type { Report } from './parse.ts';

/** A finding, and what came of it. */
export interface Bounce extends Finding {
  /** Null where nobody knows whose mail it was. */
  identity: Identity | null;
  effect: BounceTable['effect'];
  /** True where a person has to look: a mail did not arrive, and it is not known whose or why. */
  isForPerson: boolean;
}

export interface Reading extends Identifier {
  /** The newsletter that reads: a report that is about nobody is kept with it. */
  newsletter: string;
  /** Where the report was. */
  origin: string;
  /** The sender of the report is known for sure (a signature), so that the address it names is enough. */
  isTrusted?: boolean;
  /** ms. */
  now: number;
}

/**
 * Records one report. Mail that is no report, automatic answers and reports of success leave nothing behind (D-57).
 * @returns its findings; `known` where it was recorded before, and nothing follows
 */
export async function record(
  db: Kysely<Database>,
  report: Report,
  reading: Reading,
): Promise<Bounce[] | 'known'> {
  if (await isRecorded(db, report.hash)) return 'known';
  const bounces = await judge(db, report, reading);
  for (const [part, bounce] of bounces.entries()) {
    if (LEAVES_NOTHING.has(bounce.kind) && bounce.identity?.delivery?.state !== 'unknown') continue;
    if (!(await insert(db, report, reading, bounce, part))) return 'known';
    await settleUnknown(db, bounce, reading.now);
    await follow(db, reading, bounce);
  }
  return bounces;
}

const LEAVES_NOTHING = new Set<string>(['auto-reply', 'mail', 'delivered']);

async function isRecorded(db: Kysely<Database>, report: string): Promise<boolean> {
  const row = await db
    .selectFrom('bounces')
    .select('id')
    .where('report', '=', report)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * What a report says of mails of ours. One that names a delivery is about one reader; another one is about each
 * recipient in its fields.
 */
export async function judge(
  db: Kysely<Database>,
  report: Report,
  reading: Reading,
): Promise<Bounce[]> {
  const first = findingsOf(report);
  if (first.every(({ kind }) => kind === 'mail' || kind === 'auto-reply'))
    return first.map((finding) => bounceOf(finding, null, reading));
  const identity = await identify(db, report, reading, reading.now);
  if (identity !== null) {
    const findings = findingsOf(report, providerOf(identity.address));
    return [bounceOf(findingAbout(findings, identity.address), identity, reading)];
  }
  // An address in free text names nobody (D-53).
  const isSaid = report.form === 'delivery-status' || report.form === 'feedback';
  const bounces: Bounce[] = [];
  for (const finding of first) {
    const found = isSaid ? await identifyRecipient(db, finding.recipient, reading.now) : null;
    bounces.push(bounceOf(finding, found, reading));
  }
  return bounces;
}

/** Of several, the one about this reader; where they are about others, a forward of the reader's failed. */
function findingAbout(findings: readonly Finding[], address: string): Finding {
  const own = findings.find(({ recipient }) => isSame(recipient, address));
  if (own) return own;
  const [first] = findings as [Finding, ...Finding[]];
  const isOther = findings.every(({ recipient }) => recipient !== '');
  return isOther && first.consequence === 'suppress' ? milder(first) : first;
}

function isSame(recipient: string, address: string): boolean {
  return recipient.toLowerCase() === address.toLowerCase();
}

/** Counts, but does not give the address up by itself. */
function milder(finding: Finding): Finding {
  return { ...finding, consequence: 'soft' };
}

function bounceOf(finding: Finding, identity: Identity | null, { isTrusted }: Reading): Bounce {
  const believed = identity?.knownBy === 'recipient' && !isTrusted ? believable(finding) : finding;
  const isFailure = finding.isFinal && finding.kind !== 'delivered';
  return {
    ...believed,
    identity,
    effect: identity === null ? null : EFFECTS[believed.consequence ?? 'none'],
    isForPerson:
      finding.kind === 'unclassified' ||
      (isFailure && (identity === null || believed.kind === 'unclassified')),
  };
}

/** Anybody can write a report about an address; a flood of them must give nobody up. */
function believable(finding: Finding): Finding {
  if (finding.consequence === null || finding.consequence === 'soft') return finding;
  if (finding.consequence === 'suppress') return milder(finding);
  return { ...finding, kind: 'unclassified', consequence: null };
}

const EFFECTS = {
  suppress: 'suppressed',
  soft: 'soft',
  unsubscribe: 'unsubscribed',
  complaint: 'complaint',
  none: null,
} as const;

/** @returns false where another reader was quicker */
async function insert(
  db: Kysely<Database>,
  { hash, subject }: Report,
  { newsletter, origin, now }: Reading,
  { identity, kind, reason, status, reply, effect }: Bounce,
  part: number,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('bounces')
    .values({
      newsletter: identity?.newsletter ?? newsletter,
      report: hash,
      part,
      origin: origin.slice(-LONGEST),
      subject: kept(subject),
      delivery_id: identity?.delivery?.id ?? null,
      campaign_id: identity?.delivery?.campaignId ?? null,
      subscriber_id: identity?.subscriberId ?? null,
      known_by: identity?.knownBy ?? null,
      kind,
      reason,
      status: kept(status),
      reply: kept(reply),
      effect,
      at: now,
    })
    .onConflict((conflict) => conflict.columns(['report', 'part']).doNothing())
    .executeTakeFirstOrThrow();
  return Number(numInsertedOrUpdatedRows) > 0;
}

/** Characters that are kept of a text. */
const LONGEST = 500;

/** One line of it; null where there is none. */
function kept(text: string): string | null {
  return (
    text
      .toWellFormed()
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, LONGEST) || null
  );
}

/** What nobody knew, a report tells: it arrived (somebody complains), or it did not. */
async function settleUnknown(
  db: Kysely<Database>,
  { identity, isFinal, kind, reason, reply }: Bounce,
  now: number,
): Promise<void> {
  if (!identity?.delivery || identity.knownBy === 'recipient') return;
  if (!isFinal || kind === 'unclassified') return;
  const arrived = kind === 'delivered' || kind === 'complaint' || kind === 'unsubscribe';
  const told = arrived
    ? { state: 'accepted' as const, reason: 'accepted' }
    : { state: 'failed' as const, reason };
  await db
    .updateTable('deliveries')
    .set({ ...told, reply: kept(reply) ?? `by a report: ${kind}`, settled_at: now })
    .where('id', '=', identity.delivery.id)
    .where('state', '=', 'unknown')
    .execute();
}

async function follow(
  db: Kysely<Database>,
  { now }: Reading,
  { identity, effect, reply }: Bounce,
): Promise<void> {
  if (identity === null) return;
  const { newsletter, subscriberId, address } = identity;
  const detail = kept(reply) ?? '';
  switch (effect) {
    case 'suppressed':
      return suppress(db, { newsletter, address, reason: 'hard-bounce', detail }, now);
    case 'soft':
      return countSoft(db, { newsletter, subscriberId, address, reply: detail }, now);
    case 'unsubscribed':
      return leave(db, identity, 'report', now, newsletter);
    case 'complaint':
      await suppress(db, { newsletter, address, reason: 'complaint', detail }, now);
      await leave(db, identity, 'complaint', now);
      if (identity.delivery) await stopOnComplaints(db, identity.delivery.campaignId, now);
  }
}

/** Takes a reader off one newsletter, or off every one of the database (D-55). */
async function leave(
  db: Kysely<Database>,
  { address, delivery }: Identity,
  via: string,
  now: number,
  only?: string,
): Promise<void> {
  const rows = await db
    .selectFrom('subscribers')
    .select(['newsletter', 'public_id as publicId'])
    .where('address_hash', '=', addressHash(parseAddress(address).key))
    .execute();
  for (const row of rows)
    if (only === undefined || row.newsletter === only)
      await unsubscribe(db, { ...row, via, campaignId: delivery?.campaignId }, now);
}
