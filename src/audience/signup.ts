/**
 * Double opt-in: what a visitor asks for waits in a queue, so that the answer tells nothing about an address (W-04);
 * then it is decided, and a mail waits to be sent; its link confirms (W-01 to W-03).
 */
import { createHash } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import type { ConfirmationTable, Database, NoticeTable, SignupTable } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { addressHash, mailboxKey, parseAddress, providerOf } from './address.ts';
import { forgetBucket, type Limit, take } from './buckets.ts';
import {
  findSubscriber,
  type Now,
  noteConsent,
  rowOf,
  type Subscriber,
  setState,
} from './subscribers.ts';
import { suppressionOf, unsuppress } from './suppression.ts';

export type Signup = Selectable<SignupTable>;
export type Notice = Selectable<NoticeTable>;
export type Confirmation = Selectable<ConfirmationTable>;

/** What a visitor asks for. */
export type Request = Pick<SignupTable, 'newsletter' | 'kind' | 'address' | 'language' | 'source'> &
  Partial<Pick<SignupTable, 'subscriber_id' | 'wording'>>;

/** How many mails strangers can cause. Times are milliseconds. */
export interface MailLimits {
  address: { every: number; total: number };
  domain: { perHour: number };
  overall: { perHour: number };
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How long a link to confirm works, ms (W-03). */
export const CONFIRM_WITHIN = 72 * HOUR;

/** Puts a request aside. The same work for every address (W-04). @param now ms */
export async function queueSignup(
  db: Kysely<Database>,
  request: Request,
  now: number,
): Promise<void> {
  await db
    .insertInto('signups')
    .values({ ...request, at: now })
    .execute();
}

/** The oldest requests that nobody has decided. */
export function nextSignups(
  db: Kysely<Database>,
  newsletter: string,
  most: number,
): Promise<Signup[]> {
  return db
    .selectFrom('signups')
    .selectAll()
    .where('newsletter', '=', newsletter)
    .orderBy('id')
    .limit(most)
    .execute();
}

/**
 * Takes a request from the queue and decides it; another process may have been faster. `limited`: nothing follows,
 * because too many mails went there or out altogether; `ignored`: nothing is to be done.
 */
export async function decideSignup(
  db: Kysely<Database>,
  signup: Signup,
  { limits, takesMail }: { limits: MailLimits; takesMail: boolean },
  now: Now,
): Promise<'mailed' | 'limited' | 'ignored'> {
  return inTransaction(db, async (trx) => {
    const { numDeletedRows } = await trx
      .deleteFrom('signups')
      .where('id', '=', signup.id)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n || !takesMail) return 'ignored';
    return DECIDE[signup.kind](trx, signup, limits, now);
  });
}

type Decide = (
  trx: Kysely<Database>,
  signup: Signup,
  limits: MailLimits,
  now: Now,
) => Promise<'mailed' | 'limited' | 'ignored'>;

const DECIDE: Record<SignupTable['kind'], Decide> = {
  subscribe: decideSubscription,
  link: decideLink,
  move: decideMove,
};

async function decideSubscription(
  trx: Kysely<Database>,
  signup: Signup,
  limits: MailLimits,
  { now, random }: Now,
) {
  const { newsletter, address, wording, source } = signup;
  const { key } = parseAddress(address);
  const suppressed = await suppressionOf(trx, key);
  if (suppressed === 'manual') return 'ignored';
  const known = await findSubscriber(trx, newsletter, address);
  const isReader = known?.state === 'active' && !suppressed;
  const wanted = isReader
    ? [{ scope: `already:${hashOf(key)}`, capacity: 1, refill: DAY }, overall(limits)]
    : confirmationLimits(key, limits);
  if (!(await take(trx, newsletter, wanted, now))) return 'limited';
  const reader = known ?? (await addPending(trx, signup, { now, random }));
  if (isReader) return notify(trx, 'already', reader.id, signup, null, now);
  await noteConsent(trx, {
    newsletter,
    subscriber_id: reader.id,
    event: 'subscribed',
    via: source,
    detail: wording,
    at: signup.at,
  });
  await supersede(trx, reader.id, 'subscribe', now);
  const detail = { ...JSON.parse(wording ?? '{}'), source, askedAt: signup.at };
  return notify(trx, 'confirm', reader.id, signup, detail, now);
}

/** Who lost the link gets it by mail; who is not on the list gets nothing. */
async function decideLink(trx: Kysely<Database>, signup: Signup, limits: MailLimits, { now }: Now) {
  const { newsletter, address } = signup;
  const reader = await findSubscriber(trx, newsletter, address);
  if (!reader || reader.state === 'unsubscribed') return 'ignored';
  const scope = `link:${hashOf(reader.address_key)}`;
  const wanted = [{ scope, capacity: 3, refill: DAY }, overall(limits)];
  if (!(await take(trx, newsletter, wanted, now))) return 'limited';
  return notify(trx, 'link', reader.id, { ...signup, address: reader.address }, null, now);
}

/** The new address has to confirm (W-13). */
async function decideMove(trx: Kysely<Database>, signup: Signup, limits: MailLimits, { now }: Now) {
  const { newsletter, subscriber_id: id, address, source } = signup;
  const { key } = parseAddress(address);
  if (id === null || (await suppressionOf(trx, key)) === 'manual') return 'ignored';
  const wanted = [
    { scope: `moving:${id}`, capacity: 3, refill: DAY },
    ...confirmationLimits(key, limits),
  ];
  if (!(await take(trx, newsletter, wanted, now))) return 'limited';
  await supersede(trx, id, 'move', now);
  return notify(trx, 'confirm-move', id, signup, { source, askedAt: signup.at }, now);
}

/** W-09 and reliability against list bombing: by mailbox, by domain, and altogether. */
function confirmationLimits(key: string, { address, domain, overall: all }: MailLimits): Limit[] {
  const mailbox = hashOf(key);
  const isLarge = providerOf(key) !== 'other';
  const host = key.slice(key.lastIndexOf('@') + 1);
  return [
    { scope: `address:${mailbox}`, capacity: 1, refill: address.every },
    { scope: `unconfirmed:${mailbox}`, capacity: address.total, refill: Number.POSITIVE_INFINITY },
    ...(isLarge ? [] : [{ scope: `domain:${host}`, capacity: domain.perHour, refill: HOUR }]),
    overall({ overall: all }),
  ];
}

function overall({ overall: { perHour } }: Pick<MailLimits, 'overall'>): Limit {
  return { scope: 'overall', capacity: perHour, refill: HOUR };
}

function hashOf(key: string): string {
  return addressHash(mailboxKey(key));
}

async function addPending(
  trx: Kysely<Database>,
  { newsletter, address, source, language, at }: Signup,
  { now, random }: Now,
): Promise<Subscriber> {
  const parsed = parseAddress(address);
  const reader = { newsletter, address, name: null, language, source, state: 'pending' as const };
  const publicId = random(16).toString('base64url');
  const row = rowOf(reader, parsed.address, parsed.key, publicId, now);
  return trx
    .insertInto('subscribers')
    .values({ ...row, created_at: at })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** A new request takes the place of the older ones (W-03). */
async function supersede(
  trx: Kysely<Database>,
  subscriberId: number,
  kind: ConfirmationTable['kind'],
  now: number,
): Promise<void> {
  await trx
    .updateTable('confirmations')
    .set({ expires_at: now })
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', kind)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .execute();
  await trx
    .deleteFrom('notices')
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', kind === 'move' ? 'confirm-move' : 'confirm')
    .execute();
}

async function notify(
  trx: Kysely<Database>,
  kind: NoticeTable['kind'],
  subscriberId: number,
  { newsletter, address, language }: Pick<Signup, 'newsletter' | 'address' | 'language'>,
  detail: object | null,
  now: number,
): Promise<'mailed'> {
  await trx
    .insertInto('notices')
    .values({
      newsletter,
      kind,
      subscriber_id: subscriberId,
      address,
      language,
      detail: detail && JSON.stringify(detail),
      created_at: now,
    })
    .execute();
  return 'mailed';
}

/** What the database keeps of a token (W-03). */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** The mailed link that a token belongs to. Changes nothing. */
export function findConfirmation(
  db: Kysely<Database>,
  newsletter: string,
  token: string,
): Promise<Confirmation | undefined> {
  return db
    .selectFrom('confirmations')
    .selectAll()
    .where('newsletter', '=', newsletter)
    .where('token_hash', '=', tokenHash(token))
    .executeTakeFirst();
}

/**
 * Uses a link. A second time changes nothing and says `already`; `expired` is also one that a newer request has
 * replaced; `refused` is an address that the editor has banned.
 * @param now ms
 */
export async function confirm(
  db: Kysely<Database>,
  newsletter: string,
  token: string,
  now: number,
): Promise<'confirmed' | 'already' | 'expired' | 'refused' | 'unknown'> {
  return inTransaction(db, async (trx) => {
    const found = await findConfirmation(trx, newsletter, token);
    if (!found) return 'unknown';
    if (found.used_at !== null) return 'already';
    if (found.expires_at <= now) return 'expired';
    const { key } = parseAddress(found.address);
    const suppressed = await suppressionOf(trx, key);
    const { address } = found;
    if (suppressed && (await unsuppress(trx, { address, by: 'reader' })) === 'refused')
      return 'refused';
    const { numUpdatedRows } = await trx
      .updateTable('confirmations')
      .set({ used_at: now })
      .where('id', '=', found.id)
      .where('used_at', 'is', null)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return 'already';
    await forgetBucket(trx, newsletter, `unconfirmed:${hashOf(key)}`);
    await (found.kind === 'move' ? move : join)(trx, found, now);
    return 'confirmed';
  });
}

/** The reader is on the list from now on, also one who left it before. */
async function join(trx: Kysely<Database>, found: Confirmation, now: number): Promise<void> {
  const { newsletter, subscriber_id, detail, mailed_at: mailedAt } = found;
  await setState(trx, subscriber_id, 'active', now);
  await noteConsent(trx, {
    newsletter,
    subscriber_id,
    event: 'confirmed',
    via: 'confirmation',
    detail: JSON.stringify({ ...JSON.parse(detail ?? '{}'), mailedAt }),
    at: now,
  });
}

/** The list goes to the new address; the old one is told (W-13). */
async function move(trx: Kysely<Database>, found: Confirmation, now: number): Promise<void> {
  const { newsletter, subscriber_id: id, address } = found;
  const reader = await trx
    .selectFrom('subscribers')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const other = await findSubscriber(trx, newsletter, address);
  if (other && other.id !== id) await takeOver(trx, reader, other, now);
  else await readdress(trx, reader, address, now);
  const { language } = reader;
  const told = { newsletter, address: reader.address, language: language ?? '' };
  await notify(trx, 'moved', id, told, { to: address }, now);
}

async function readdress(
  trx: Kysely<Database>,
  { id, newsletter }: Subscriber,
  given: string,
  now: number,
): Promise<void> {
  const { address, key } = parseAddress(given);
  await trx
    .updateTable('subscribers')
    .set({ address, address_key: key, address_hash: addressHash(key), updated_at: now })
    .where('id', '=', id)
    .execute();
  const change = { newsletter, subscriber_id: id, at: now, via: 'move' };
  await noteConsent(trx, { ...change, event: 'confirmed' });
}

/** The new address has a row of its own: that one gets the list, and this one no longer. */
async function takeOver(
  trx: Kysely<Database>,
  reader: Subscriber,
  other: Subscriber,
  now: number,
): Promise<void> {
  const { newsletter } = reader;
  const change = { newsletter, at: now, via: 'move' };
  await setState(trx, reader.id, 'unsubscribed', now);
  await noteConsent(trx, { ...change, subscriber_id: reader.id, event: 'unsubscribed' });
  if (other.state === 'active') return;
  await setState(trx, other.id, 'active', now);
  await noteConsent(trx, { ...change, subscriber_id: other.id, event: 'confirmed' });
}
