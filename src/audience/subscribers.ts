/** The readers of a list. Every change of consent leaves a row in the same transaction. */
import type { Kysely, Selectable } from 'kysely';
import type { ConsentTable, Database, SubscriberTable } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { addressHash, parseAddress } from './address.ts';
import { suppressionOf } from './suppression.ts';

export type Subscriber = Selectable<SubscriberTable>;
export type SubscriberState = SubscriberTable['state'];

export interface NewSubscriber {
  newsletter: string;
  address: string;
  name: string | null;
  language?: string | null;
  tags?: string[];
  /** `cli`, `import:FILE`, `form`. */
  source: string;
}

/**
 * `existing` is on the list already; `unsubscribed` left it and is not brought back by an operator;
 * `suppressed` must not be mailed.
 */
export type AddResult = 'added' | 'existing' | 'unsubscribed' | 'suppressed';

/** The outside world of a change. */
export interface Now {
  /** ms. */
  now: number;
  random: (bytes: number) => Buffer;
}

/** Rows that one page of a walk through the list holds. */
const PAGE = 500;

/** Adds a reader who agreed to it. @throws BroadsheetError `address-invalid` */
export async function addSubscriber(
  db: Kysely<Database>,
  reader: NewSubscriber,
  { now, random }: Now,
): Promise<AddResult> {
  const { address, key } = parseAddress(reader.address);
  return inTransaction(db, async (trx) => {
    if (await suppressionOf(trx, key)) return 'suppressed';
    const row = rowOf(reader, address, key, random(16).toString('base64url'), now);
    const inserted = await trx
      .insertInto('subscribers')
      .values(row)
      .onConflict((conflict) => conflict.columns(['newsletter', 'address_key']).doNothing())
      .returning('id')
      .executeTakeFirst();
    if (!inserted) {
      const known = await findSubscriber(trx, reader.newsletter, address);
      return known?.state === 'unsubscribed' ? 'unsubscribed' : 'existing';
    }
    await noteConsent(trx, {
      newsletter: reader.newsletter,
      subscriber_id: inserted.id,
      event: reader.source.startsWith('import:') ? 'imported' : 'subscribed',
      via: reader.source,
      at: now,
    });
    return 'added';
  });
}

/** A full row for the table. */
export function rowOf(
  reader: NewSubscriber,
  address: string,
  key: string,
  publicId: string,
  now: number,
) {
  return {
    newsletter: reader.newsletter,
    address,
    address_key: key,
    address_hash: addressHash(key),
    name: reader.name,
    language: reader.language ?? null,
    state: 'active' as const,
    public_id: publicId,
    tags: JSON.stringify(reader.tags ?? []),
    source: reader.source,
    created_at: now,
    updated_at: now,
  };
}

/** Takes a reader off the list by an operator's hand. @returns whether there was one to take off */
export async function removeSubscriber(
  db: Kysely<Database>,
  { newsletter, address, via }: { newsletter: string; address: string; via: string },
  now: number,
): Promise<'removed' | 'already' | 'unknown'> {
  return inTransaction(db, async (trx) => {
    const reader = await findSubscriber(trx, newsletter, address);
    if (!reader) return 'unknown';
    if (reader.state === 'unsubscribed') return 'already';
    await setState(trx, reader.id, 'unsubscribed', now);
    await noteConsent(trx, {
      newsletter,
      subscriber_id: reader.id,
      event: 'removed',
      via,
      at: now,
    });
    return 'removed';
  });
}

export async function findSubscriber(
  db: Kysely<Database>,
  newsletter: string,
  address: string,
): Promise<Subscriber | undefined> {
  return db
    .selectFrom('subscribers')
    .selectAll()
    .where('newsletter', '=', newsletter)
    .where('address_key', '=', parseAddress(address).key)
    .executeTakeFirst();
}

/** All readers, or those in one state, in the order in which they came; memory holds one page. */
export async function* eachSubscriber(
  db: Kysely<Database>,
  { newsletter, state }: { newsletter: string; state?: SubscriberState | undefined },
): AsyncGenerator<Subscriber> {
  for (let after = 0; ; ) {
    let page = db
      .selectFrom('subscribers')
      .selectAll()
      .where('newsletter', '=', newsletter)
      .where('id', '>', after)
      .orderBy('id')
      .limit(PAGE);
    if (state) page = page.where('state', '=', state);
    const rows = await page.execute();
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last.id;
  }
}

/** How many readers are in each state. */
export async function countSubscribers(
  db: Kysely<Database>,
  newsletter: string,
): Promise<Partial<Record<SubscriberState, number>>> {
  const rows = await db
    .selectFrom('subscribers')
    .select(['state', (eb) => eb.fn.countAll<number>().as('count')])
    .where('newsletter', '=', newsletter)
    .groupBy('state')
    .execute();
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
}

export async function setState(
  db: Kysely<Database>,
  id: number,
  state: SubscriberState,
  now: number,
): Promise<void> {
  await db
    .updateTable('subscribers')
    .set({ state, updated_at: now })
    .where('id', '=', id)
    .execute();
}

/** Appends to the consent log; nothing in it is ever changed (D-72, W-15). */
export async function noteConsent(
  db: Kysely<Database>,
  row: Pick<ConsentTable, 'newsletter' | 'subscriber_id' | 'event' | 'via' | 'at'> & {
    campaign_id?: number;
  },
): Promise<void> {
  await db
    .insertInto('consents')
    .values({ campaign_id: null, detail: null, ...row })
    .execute();
}
