/** The readers of a list. Every change of consent leaves a row in the same transaction. */
import type { Kysely, Selectable } from 'kysely';
import { inputError } from '../errors.ts';
import type { ConsentTable, Database, SubscriberTable } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { addressHash, parseAddress } from './address.ts';
import { suppressionOf, unsuppress, type Wish } from './suppression.ts';

export type Subscriber = Selectable<SubscriberTable>;
export type SubscriberState = SubscriberTable['state'];

export interface NewSubscriber {
  newsletter: string;
  address: string;
  name: string | null;
  language?: string | null;
  /** Words without spaces. */
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

/** Longest name of a reader, UTF-16 code units. */
const LONGEST_NAME = 200;

/**
 * Adds a reader who agreed to it.
 * @throws BroadsheetError `address-invalid`, `name-invalid`
 */
export async function addSubscriber(
  db: Kysely<Database>,
  reader: NewSubscriber,
  { now, random }: Now,
): Promise<AddResult> {
  const { address, key } = parseAddress(reader.address);
  const named = { ...reader, name: parseName(reader.name ?? '') };
  return inTransaction(db, async (trx) => {
    if (await suppressionOf(trx, key)) return 'suppressed';
    const row = rowOf(named, address, key, random(16).toString('base64url'), now);
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

/** A full row for the table; active unless the reader says otherwise. */
export function rowOf(
  reader: NewSubscriber & { state?: SubscriberState },
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
    state: reader.state ?? ('active' as const),
    public_id: publicId,
    tags: JSON.stringify(reader.tags ?? []),
    source: reader.source,
    created_at: now,
    updated_at: now,
  };
}

/**
 * A reader's name, which will stand in a header: one line (D-21). Null where it is empty.
 * @throws BroadsheetError `name-invalid`
 */
export function parseName(text: string): string | null {
  const name = text.trim();
  const wrong = /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)
    ? 'holds a line break or control character'
    : name.length > LONGEST_NAME && `is longer than ${LONGEST_NAME} characters`;
  if (wrong) throw inputError('name-invalid', `the name ${wrong}`);
  return name || null;
}

export interface Returning {
  newsletter: string;
  address: string;
  via: string;
  /** An operator brings nobody back who is suppressed; the reader's own confirmed wish may (D-69). */
  by: Wish;
}

/** Brings back a reader who left; `already` is one who had not left. @param now ms */
export async function resubscribe(
  db: Kysely<Database>,
  { newsletter, address, via, by }: Returning,
  now: number,
): Promise<'resubscribed' | 'already' | 'unknown' | 'suppressed'> {
  return inTransaction(db, async (trx) => {
    const reader = await findSubscriber(trx, newsletter, address);
    if (!reader) return 'unknown';
    if (await suppressionOf(trx, reader.address_key)) {
      if (by === 'operator') return 'suppressed';
      if ((await unsuppress(trx, { address, by })) === 'refused') return 'suppressed';
    } else if (reader.state !== 'unsubscribed') return 'already';
    await setState(trx, reader.id, 'active', now);
    await noteConsent(trx, {
      newsletter,
      subscriber_id: reader.id,
      event: 'resubscribed',
      via,
      at: now,
    });
    return 'resubscribed';
  });
}

/** The reader of an address, however it is written. @throws BroadsheetError `address-invalid` */
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

/** What of a reader may be changed without asking; undefined leaves it. */
export interface Change {
  name?: string | undefined;
  language?: string | undefined;
  tags?: string[] | undefined;
}

/** @param now ms @throws BroadsheetError `name-invalid` */
export function changeSubscriber(
  db: Kysely<Database>,
  { id }: Pick<Subscriber, 'id'>,
  { name, language, tags }: Change,
  now: number,
): Promise<Subscriber> {
  const changes = {
    ...(name === undefined ? {} : { name: parseName(name) }),
    ...(language === undefined ? {} : { language }),
    ...(tags === undefined ? {} : { tags: JSON.stringify(tags) }),
  };
  return db
    .updateTable('subscribers')
    .set({ ...changes, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
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
    campaign_id?: number | null;
    detail?: string | null;
  },
): Promise<void> {
  await db
    .insertInto('consents')
    .values({ campaign_id: null, detail: null, ...row })
    .execute();
}
