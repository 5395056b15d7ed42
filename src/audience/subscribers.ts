/** The readers of a list. Every change of consent leaves a row in the same transaction. */
import type { Expression, Kysely, Selectable, SqlBool, Updateable } from 'kysely';
import { inputError } from '../errors.ts';
import type { ConsentTable, Database, SubscriberTable } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { addressHash, parseAddress } from './address.ts';
import type { FieldValues } from './fields.ts';
import { suppressionOf, unsuppress, type Wish } from './suppression.ts';

export type Subscriber = Selectable<SubscriberTable>;
export type SubscriberState = SubscriberTable['state'];

export interface NewSubscriber {
  newsletter: string;
  address: string;
  name: string | null;
  language?: string | null;
  /** Words without spaces. */
  tags?: readonly string[];
  /** By the settings, as `parseFields` gives them. */
  fields?: FieldValues;
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
 * @throws BroadsheetError `address-invalid`, `name-invalid`, `language-invalid`, `tag-invalid`
 */
export async function addSubscriber(
  db: Kysely<Database>,
  reader: NewSubscriber,
  { now, random }: Now,
): Promise<AddResult> {
  const { address, key } = parseAddress(reader.address);
  const named = {
    ...reader,
    name: parseName(reader.name ?? ''),
    language: parseLanguage(reader.language ?? ''),
    tags: parseTags(reader.tags ?? []),
  };
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
    fields: JSON.stringify(reader.fields ?? {}),
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

/** A language tag (BCP 47) as it was written; null where it is empty. @throws BroadsheetError `language-invalid` */
export function parseLanguage(text: string): string | null {
  if (/^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$/.test(text)) return text || null;
  throw inputError('language-invalid', `${JSON.stringify(text).slice(0, 60)} is no language tag`, {
    hint: 'Write it like en or zh-CN.',
  });
}

/** Longest tag, UTF-16 code units, and how many one reader may have. */
const LONGEST_TAG = 60;
const MOST_TAGS = 100;

/**
 * Words without blanks, each once. A list in one text is cut at blanks, commas, semicolons and bars.
 * @throws BroadsheetError `tag-invalid`
 */
export function parseTags(given: string | readonly string[]): string[] {
  if (given.length === 0) return [];
  const tags = typeof given === 'string' ? given.split(/[\s,;|]+/).filter(Boolean) : given;
  const wrong = tags.find((tag) => tag.length > LONGEST_TAG || !/^[^\s,;|"\\\p{Cc}]+$/u.test(tag));
  if (wrong !== undefined || tags.length > MOST_TAGS) {
    const shown = JSON.stringify(wrong ?? `${tags.length} tags`).slice(0, 60);
    throw inputError('tag-invalid', `${shown} is no tag`, {
      hint: `A tag is a word of at most ${LONGEST_TAG} letters without blanks, commas and quotes.`,
    });
  }
  return [...new Set(tags)];
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

/** Some of the list. */
export interface Part {
  newsletter: string;
  state?: SubscriberState | undefined;
  /** True for a row of `subscribers` that belongs to it: a segment. */
  where?: Expression<SqlBool> | undefined;
}

/** All readers, or some, in the order in which they came (those of one import by address); memory holds one page. */
export async function* eachSubscriber(
  db: Kysely<Database>,
  { newsletter, state, where }: Part,
): AsyncGenerator<Subscriber> {
  for (let after = 0; ; ) {
    let page = db
      .selectFrom('subscribers')
      .selectAll()
      .where('newsletter', '=', newsletter)
      .where('erased_at', 'is', null)
      .where('id', '>', after)
      .orderBy('id')
      .limit(PAGE);
    if (state) page = page.where('state', '=', state);
    if (where) page = page.where(where);
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
  where?: Expression<SqlBool>,
): Promise<Partial<Record<SubscriberState, number>>> {
  let all = db
    .selectFrom('subscribers')
    .select(['state', (eb) => eb.fn.countAll<number>().as('count')])
    .where('newsletter', '=', newsletter)
    .where('erased_at', 'is', null)
    .groupBy('state');
  if (where) all = all.where(where);
  const rows = await all.execute();
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
}

/** What may be changed of a reader; what is left out stays. */
export interface Change {
  name?: string | null | undefined;
  language?: string | null | undefined;
  /** All that the reader has from now on. */
  tags?: readonly string[] | undefined;
  /** Added to those there are; null takes one away. */
  fields?: Record<string, string | number | null> | undefined;
}

/**
 * Changes what is kept of a reader; says nothing of consent. @param now ms
 * @throws BroadsheetError `name-invalid`, `language-invalid`, `tag-invalid`
 */
export async function changeSubscriber(
  db: Kysely<Database>,
  id: number,
  { name, language, tags, fields }: Change,
  now: number,
): Promise<void> {
  const change: Updateable<SubscriberTable> = { updated_at: now };
  if (name !== undefined) change.name = parseName(name ?? '');
  if (language !== undefined) change.language = parseLanguage(language ?? '');
  if (tags !== undefined) change.tags = JSON.stringify(parseTags(tags));
  await inTransaction(db, async (trx) => {
    if (fields !== undefined) {
      const row = await trx
        .selectFrom('subscribers')
        .select('fields')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      const merged = Object.entries({ ...fieldsOf(row), ...fields });
      change.fields = JSON.stringify(
        Object.fromEntries(merged.filter(([, value]) => value !== null)),
      );
    }
    await trx.updateTable('subscribers').set(change).where('id', '=', id).execute();
  });
}

export function tagsOf({ tags }: Pick<Subscriber, 'tags'>): string[] {
  return JSON.parse(tags) as string[];
}

export function fieldsOf({ fields }: Pick<Subscriber, 'fields'>): FieldValues {
  return JSON.parse(fields) as FieldValues;
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
