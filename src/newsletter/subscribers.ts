/** The list, as the person who keeps it knows it. */
import { parseAddress } from '../audience/address.ts';
import { parseFields } from '../audience/fields.ts';
import * as audience from '../audience/subscribers.ts';
import { suppressionOf } from '../audience/suppression.ts';
import { removeSubscriber as takeOff } from '../audience/unsubscribe.ts';
import { inputError } from '../errors.ts';
import type { Newsletter } from './newsletter.ts';
import { inSegment } from './segments.ts';

/** Where reports of imports are written, below the state directory. */
export const IMPORTS = 'imports';

const STATES = ['active', 'pending', 'unsubscribed'] as const;

export interface Selection {
  state?: string | undefined;
  segment?: string | undefined;
}

/** Every reader, or those in one state or segment, in the order in which they came. */
export function eachSubscriber(newsletter: Newsletter, { state, segment }: Selection = {}) {
  const known = STATES.find((name) => name === state);
  if (state !== undefined && !known) {
    throw inputError('state-unknown', `No reader is "${state}"`, {
      hint: `States: ${STATES.join(', ')}.`,
    });
  }
  return audience.eachSubscriber(newsletter.db, {
    newsletter: newsletter.settings.slug,
    state: known,
    where: segment === undefined ? undefined : inSegment(newsletter, segment),
  });
}

/** A reader as a list shows them. */
export function shown(reader: audience.Subscriber) {
  const {
    id: _,
    public_id: __,
    address_hash: ___,
    address_key: ____,
    erased_at: _____,
    ...kept
  } = reader;
  return { ...kept, tags: audience.tagsOf(reader), fields: audience.fieldsOf(reader) };
}

export interface Counts {
  segment: string | null;
  active: number;
  pending: number;
  unsubscribed: number;
}

/** How many readers there are, in all or in a segment, by state. */
export async function countReaders(
  newsletter: Newsletter,
  { segment }: Pick<Selection, 'segment'>,
): Promise<Counts> {
  const within = segment === undefined ? undefined : inSegment(newsletter, segment);
  const counts = await audience.countSubscribers(newsletter.db, newsletter.settings.slug, within);
  return { segment: segment ?? null, active: 0, pending: 0, unsubscribed: 0, ...counts };
}

/** Everything known of one reader: state, consent, suppression, every delivery and reply. */
export async function showSubscriber(newsletter: Newsletter, address: string) {
  const { db, settings } = newsletter;
  const reader = await audience.findSubscriber(db, settings.slug, address);
  if (!reader) throw unknownReader(address);
  return {
    ...shown(reader),
    suppressed: await suppressionOf(db, reader.address_key),
    consents: await consentsOf(newsletter, reader.id),
    deliveries: await deliveriesOf(newsletter, reader.id),
    bounces: await bouncesOf(newsletter, reader.id),
  };
}

function bouncesOf({ db }: Newsletter, reader: number) {
  return db
    .selectFrom('bounces')
    .leftJoin('deliveries', 'deliveries.id', 'bounces.delivery_id')
    .select(['bounces.at', 'deliveries.issue', 'bounces.kind', 'bounces.effect', 'bounces.reply'])
    .where('bounces.subscriber_id', '=', reader)
    .orderBy('bounces.id')
    .execute();
}

function consentsOf({ db }: Newsletter, reader: number) {
  return db
    .selectFrom('consents')
    .select(['at', 'event', 'via', 'campaign_id as campaign', 'detail'])
    .where('subscriber_id', '=', reader)
    .orderBy('at')
    .orderBy('id')
    .execute();
}

async function deliveriesOf({ db }: Newsletter, reader: number) {
  const deliveries = await db
    .selectFrom('deliveries')
    .select([
      'id',
      'issue',
      'channel',
      'campaign_id as campaign',
      'state',
      'attempts',
      'reason',
      'code',
      'reply',
      'attempted_at',
      'settled_at as at',
    ])
    .where('subscriber_id', '=', reader)
    .orderBy('id')
    .execute();
  const ids = deliveries.map(({ id }) => id);
  const attempts = await db
    .selectFrom('attempts')
    .select(['delivery_id', 'at', 'state', 'reason', 'code', 'reply'])
    .where('delivery_id', 'in', ids)
    .orderBy('id')
    .execute();
  return deliveries.map(({ id, ...delivery }) => ({
    ...delivery,
    unsuccessful: attempts
      .filter(({ delivery_id }) => delivery_id === id)
      .map(({ delivery_id: _, ...attempt }) => attempt),
  }));
}

/** All that is known of one address, in every newsletter of the database: what the law calls access (D-72, D-75). */
export async function exportOne(newsletter: Newsletter, given: string) {
  const { db, clock } = newsletter;
  const { address, key } = parseAddress(given);
  const readers = await db
    .selectFrom('subscribers')
    .selectAll()
    .where('address_key', '=', key)
    .orderBy('id')
    .execute();
  const suppressed = await suppressionOf(db, key);
  if (readers.length === 0 && !suppressed) throw unknownReader(address);
  const subscriptions = [];
  for (const reader of readers) {
    subscriptions.push({
      ...shown(reader),
      consents: await consentsOf(newsletter, reader.id),
      deliveries: await deliveriesOf(newsletter, reader.id),
      bounces: await bouncesOf(newsletter, reader.id),
    });
  }
  return { address, at: clock(), suppressed, subscriptions };
}

export interface AddInput {
  address: string;
  name: string | null;
  language?: string | undefined;
  tags?: readonly string[] | undefined;
  /** As a person writes them. */
  fields?: Record<string, string> | undefined;
}

/** Adds a reader who agreed to it; says so where one left before, and brings nobody back. */
export async function addSubscriber(
  { db, settings, clock, random }: Newsletter,
  { address, name, language = '', tags = [], fields = {} }: AddInput,
) {
  const result = await audience.addSubscriber(
    db,
    {
      newsletter: settings.slug,
      source: 'cli',
      address,
      name,
      language,
      tags,
      fields: parseFields(fields, settings.fields),
    },
    { now: clock(), random },
  );
  return { address, result };
}

export interface ChangeInput {
  /** Tags that the reader gets, and loses. */
  add?: readonly string[] | undefined;
  remove?: readonly string[] | undefined;
}

/** Changes the tags of a reader. @returns those there are now */
export async function tagSubscriber(
  { db, settings, clock }: Newsletter,
  address: string,
  { add = [], remove = [] }: ChangeInput,
) {
  const added = audience.parseTags(add);
  const reader = await audience.findSubscriber(db, settings.slug, address);
  if (!reader) throw unknownReader(address);
  const kept = [...audience.tagsOf(reader), ...added].filter((tag) => !remove.includes(tag));
  const tags = [...new Set(kept)];
  await audience.changeSubscriber(db, reader.id, { tags }, clock());
  return { address: reader.address, tags };
}

/** Unsubscribes a reader. The row stays, so that an import does not bring the address back. */
export async function removeSubscriber({ db, settings, clock }: Newsletter, address: string) {
  const leaving = { newsletter: settings.slug, address, via: 'cli' };
  const result = await takeOff(db, leaving, clock());
  if (result === 'unknown') throw unknownReader(address);
  return { address, result };
}

/** The list as CSV. */
export async function* exportLines({ db, settings }: Newsletter): AsyncGenerator<string> {
  const { exportSubscribers } = await import('../audience/csv.ts');
  yield* exportSubscribers(db, settings.slug, settings.fields);
}

function unknownReader(address: string) {
  return inputError('reader-unknown', `${address} is not on the list`);
}
