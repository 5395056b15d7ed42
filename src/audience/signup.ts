/**
 * Double opt-in, first half: what a visitor asks for waits in a queue, so that the answer tells nothing about an address
 * (W-04); then it is decided, and a mail with a link to confirm waits to be sent (W-01).
 */
import type { Kysely, Selectable } from 'kysely';
import type { ConfirmationTable, Database, SignupTable } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { mailboxHash, parseAddress, providerOf } from './address.ts';
import { type Limit, take } from './buckets.ts';
import { queueNotice } from './notices.ts';
import { findSubscriber, type Now, noteConsent, rowOf, type Subscriber } from './subscribers.ts';
import { suppressionOf } from './suppression.ts';

export type Signup = Selectable<SignupTable>;

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
    ? [{ scope: `already:${mailboxHash(key)}`, capacity: 1, refill: DAY }, overall(limits)]
    : confirmationLimits(key, limits);
  if (!(await take(trx, newsletter, wanted, now))) return 'limited';
  const reader = known ?? (await addPending(trx, signup, { now, random }));
  if (isReader) return mailed(trx, 'already', reader.id, signup, null, now);
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
  return mailed(trx, 'confirm', reader.id, signup, detail, now);
}

/** Who lost the link gets it by mail; who is not on the list gets nothing. */
async function decideLink(trx: Kysely<Database>, signup: Signup, limits: MailLimits, { now }: Now) {
  const { newsletter, address } = signup;
  const reader = await findSubscriber(trx, newsletter, address);
  if (!reader || reader.state === 'unsubscribed') return 'ignored';
  const scope = `link:${mailboxHash(reader.address_key)}`;
  const wanted = [{ scope, capacity: 3, refill: DAY }, overall(limits)];
  if (!(await take(trx, newsletter, wanted, now))) return 'limited';
  return mailed(trx, 'link', reader.id, { ...signup, address: reader.address }, null, now);
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
  return mailed(trx, 'confirm-move', id, signup, { source, askedAt: signup.at }, now);
}

async function mailed(...what: Parameters<typeof queueNotice>): Promise<'mailed'> {
  await queueNotice(...what);
  return 'mailed';
}

/** W-09 and reliability against list bombing: by mailbox, by domain, and altogether. */
function confirmationLimits(key: string, { address, domain, overall: all }: MailLimits): Limit[] {
  const mailbox = mailboxHash(key);
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
