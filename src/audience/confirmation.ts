/** Double opt-in, second half: the link in the mail makes a subscription, or moves one to another address (W-02, W-03). */
import type { Kysely, Selectable } from 'kysely';
import type { ConfirmationTable, Database } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { addressHash, mailboxHash, parseAddress } from './address.ts';
import { forgetBucket } from './buckets.ts';
import { queueNotice, tokenHash } from './notices.ts';
import { findSubscriber, noteConsent, type Subscriber, setState } from './subscribers.ts';
import { suppressionOf, unsuppress } from './suppression.ts';

export type Confirmation = Selectable<ConfirmationTable>;

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
    await forgetBucket(trx, newsletter, `unconfirmed:${mailboxHash(key)}`);
    await (found.kind === 'move' ? move : join)(trx, found, now);
    return 'confirmed';
  });
}

/** How long an expired link is remembered, so that its page offers a fresh one, ms. */
const REMEMBERED = 30 * 86_400_000;

/** Forgets links, and the addresses that they went to, a month after they have expired. @param now ms */
export async function sweepConfirmations(
  db: Kysely<Database>,
  newsletter: string,
  now: number,
): Promise<void> {
  await db
    .deleteFrom('confirmations')
    .where('newsletter', '=', newsletter)
    .where('expires_at', '<=', now - REMEMBERED)
    .execute();
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
  await queueNotice(trx, 'moved', id, told, { to: address }, now);
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
