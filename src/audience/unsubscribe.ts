/** A reader leaves. */
import type { Kysely } from 'kysely';
import type { Database } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { noteConsent, type Subscriber, setState } from './subscribers.ts';

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
export async function unsubscribe(
  db: Kysely<Database>,
  { newsletter, publicId, via, campaignId }: Leaving,
  now: number,
): Promise<'unsubscribed' | 'already' | 'unknown'> {
  return inTransaction(db, async (trx) => {
    const reader = await readerOf(trx, newsletter, publicId);
    if (!reader) return 'unknown';
    if (reader.state === 'unsubscribed') return 'already';
    await setState(trx, reader.id, 'unsubscribed', now);
    await noteConsent(trx, {
      newsletter,
      subscriber_id: reader.id,
      event: 'unsubscribed',
      via,
      campaign_id: campaignId ?? null,
      at: now,
    });
    return 'unsubscribed';
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
