/** A reader leaves: by the link in a mail, or by an operator's hand. The row and its history stay. */
import type { Kysely } from 'kysely';
import type { ConsentTable, Database } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { findSubscriber, noteConsent, type Subscriber, setState } from './subscribers.ts';
import { suppressionOf } from './suppression.ts';

export interface Leaving {
  newsletter: string;
  /** From a verified token. */
  publicId: string;
  /** `one-click` or `page`. */
  via: string;
  /** Whose mail held the link, where known. */
  campaignId?: number | undefined;
}

/** Unsubscribes; a second time changes nothing and says `already` (D-09). @param now ms */
export function unsubscribe(
  db: Kysely<Database>,
  { newsletter, publicId, via, campaignId }: Leaving,
  now: number,
): Promise<'unsubscribed' | 'already' | 'unknown'> {
  return inTransaction(db, async (trx) => {
    const reader = await readerOf(trx, newsletter, publicId);
    return leave(trx, reader, { event: 'unsubscribed', via, campaign_id: campaignId ?? null }, now);
  });
}

/** Takes a reader off the list by an operator's hand. @param now ms */
export function removeSubscriber(
  db: Kysely<Database>,
  { newsletter, address, via }: { newsletter: string; address: string; via: string },
  now: number,
): Promise<'removed' | 'already' | 'unknown'> {
  return inTransaction(db, async (trx) => {
    const reader = await findSubscriber(trx, newsletter, address);
    return leave(trx, reader, { event: 'removed', via, campaign_id: null }, now);
  });
}

async function leave<Event extends 'unsubscribed' | 'removed'>(
  trx: Kysely<Database>,
  reader: Subscriber | undefined,
  how: { event: Event } & Pick<ConsentTable, 'via' | 'campaign_id'>,
  now: number,
): Promise<Event | 'already' | 'unknown'> {
  if (!reader) return 'unknown';
  if (reader.state === 'unsubscribed') return 'already';
  const { id, newsletter } = reader;
  await setState(trx, id, 'unsubscribed', now);
  await noteConsent(trx, { newsletter, subscriber_id: id, at: now, ...how });
  return how.event;
}

/** How long an unsubscribing may be taken back, ms (W-05). */
const SLIP = 600_000;

/** Whether a reader has left by a link of their own within the last ten minutes. @param now ms */
export async function mayReturn(
  db: Kysely<Database>,
  { id, state, address_key: key }: Subscriber,
  now: number,
): Promise<boolean> {
  if (state !== 'unsubscribed' || (await suppressionOf(db, key))) return false;
  const last = await db
    .selectFrom('consents')
    .select(['event', 'at'])
    .where('subscriber_id', '=', id)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.event === 'unsubscribed' && now - last.at < SLIP;
}

/** Takes an unsubscribing back. A second time changes nothing; too late gives undefined. @param now ms */
export function comeBack(
  db: Kysely<Database>,
  newsletter: string,
  publicId: string,
  now: number,
): Promise<Subscriber | undefined> {
  return inTransaction(db, async (trx) => {
    const reader = await readerOf(trx, newsletter, publicId);
    if (!reader || reader.state === 'active') return reader;
    if (!(await mayReturn(trx, reader, now))) return undefined;
    await setState(trx, reader.id, 'active', now);
    const change = { newsletter, subscriber_id: reader.id, via: 'undo', at: now };
    await noteConsent(trx, { ...change, event: 'resubscribed' });
    return reader;
  });
}

/** The reader that a link is for. */
export async function readerOf(
  db: Kysely<Database>,
  newsletter: string,
  publicId: string,
): Promise<Subscriber | undefined> {
  return db
    .selectFrom('subscribers')
    .selectAll()
    .where('newsletter', '=', newsletter)
    .where('public_id', '=', publicId)
    .executeTakeFirst();
}
