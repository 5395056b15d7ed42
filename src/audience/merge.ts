/**
 * Readers of a file or another tool's list, joined with the list that there is. It adds, and takes consent away; it
 * never gives any: who left, is suppressed or has not confirmed is not made mailable by an import.
 *
 * Everything is read and sorted by address before anything is written. In that order the readers meet the indexes
 * page by page; in any other each would touch pages of its own, which takes three times as long.
 */
import { type Insertable, type Kysely, type Selectable, sql } from 'kysely';
import { insertMany } from '../store/bulk.ts';
import type { Database, SubscriberTable } from '../store/schema.ts';
import { addressHash } from './address.ts';
import type { Candidate } from './columns.ts';
import { ACTIVE, type Standing, stricter } from './consent.ts';
import type { FieldValues } from './fields.ts';
import { SortedLines } from './sorted.ts';
import type { Now } from './subscribers.ts';

/** A row of what is imported. */
export interface Entry {
  /** From 1, counting the header. */
  line: number;
  /** The reader, or why the row is refused and what stood there, of a readable length. */
  reader: Candidate | { reason: string; value: string };
}

export interface RefusedRow {
  line: number;
  value: string;
  reason: string;
}

export interface MergeInput {
  newsletter: string;
  /** Where the readers come from: `import:readers.csv`. */
  via: string;
  /** Only count. */
  dryRun?: boolean | undefined;
  /**
   * Takes over what rows say of readers who are on the list: names, languages and fields in place of theirs, tags
   * beside theirs. Never consent, and nothing is emptied.
   */
  update?: boolean | undefined;
  onRefused?: ((row: RefusedRow) => void) | undefined;
}

/** Counts of rows; without `updated` they add up to the rows of the file. */
export interface ImportReport {
  /** New, and may be mailed. */
  added: number;
  /** New, and not mailed before they confirm. */
  pending: number;
  existing: number;
  /** Of those who are on the list, changed by `update`. */
  updated: number;
  /** Left the list, here or where they come from, and are not brought back by an import. */
  unsubscribed: number;
  suppressed: number;
  /** The same address again in this file. */
  repeated: number;
  refused: number;
}

/** Values of one list in a statement. */
const PER_QUESTION = 500;

/** A candidate with what it is found by, its tags and fields as JSON. */
interface Comer extends Omit<Candidate, 'tags' | 'fields'> {
  hash: string;
  tags: string;
  fields: string;
}

type Known = Pick<
  Selectable<SubscriberTable>,
  'id' | 'state' | 'name' | 'language' | 'tags' | 'fields'
>;

/** What a row changes of a reader who is on the list. */
type Change = Pick<Known, 'id' | 'name' | 'language' | 'tags' | 'fields'>;

/** Joins readers with the list, in transactions of some thousand; running it again adds nothing. */
export async function mergeReaders(
  db: Kysely<Database>,
  entries: AsyncIterable<readonly Entry[]>,
  input: MergeInput,
  world: Now,
): Promise<ImportReport> {
  const report: ImportReport = {
    added: 0,
    pending: 0,
    existing: 0,
    updated: 0,
    unsubscribed: 0,
    suppressed: 0,
    repeated: 0,
    refused: 0,
  };
  const sorted = new SortedLines();
  try {
    const total = await takeIn(entries, sorted, input, report);
    const nextIds = publicIds(total, world.random);
    const before = await whatThereIs(db, input.newsletter);
    for await (const comers of eachOnce(sorted, report)) {
      if (input.dryRun) await sortOut(db, comers, before, input, report);
      else await mergeBatch(db, comers, { before, nextIds }, input, world, report);
    }
  } finally {
    await sorted.close();
  }
  return report;
}

/** Reads to the end. @returns how many readers there are, repeated ones too */
async function takeIn(
  entries: AsyncIterable<readonly Entry[]>,
  sorted: SortedLines,
  input: MergeInput,
  report: ImportReport,
): Promise<number> {
  let total = 0;
  for await (const part of entries) {
    const lines: string[] = [];
    for (const { line, reader } of part) {
      if ('reason' in reader) {
        report.refused += 1;
        input.onRefused?.({ line, ...reader });
      } else {
        // The same address again comes after, in the order of the file.
        lines.push(packed(reader, line));
      }
    }
    await sorted.add(lines);
    total += lines.length;
  }
  return total;
}

/**
 * A reader as one line, which its key begins: millions of them are written and read, and most say little. No value
 * holds a tab or a line break: none was let through (address, name, source) or JSON has none (tags, fields).
 */
function packed(reader: Candidate, line: number): string {
  const { address, key, name, language, standing, source, since, confirmed } = reader;
  const head = `${key}\t${1e9 + line}\t${address === key ? '' : address}\t${name ?? ''}`;
  const tags = reader.tags.length > 0 ? JSON.stringify(reader.tags) : '';
  const fields = JSON.stringify(reader.fields);
  const isPlain = tags === '' && fields === '{}' && standing.state === 'active';
  if (isPlain && (language ?? source ?? since ?? confirmed) === null) return head;
  const reason = standing.state === 'suppressed' ? standing.reason : '';
  const dates = `${source ?? ''}\t${since ?? ''}\t${confirmed ?? ''}`;
  return `${head}\t${language ?? ''}\t${tags}\t${fields}\t${standing.state}\t${reason}\t${dates}`;
}

function unpacked(line: string): Comer {
  const [
    key = '',
    ,
    address,
    name,
    language,
    tags,
    fields,
    state,
    reason,
    source,
    since,
    confirmed,
  ] = line.split('\t');
  return {
    key,
    hash: addressHash(key),
    address: address || key,
    name: name || null,
    language: language || null,
    tags: tags || '[]',
    fields: fields || '{}',
    standing: state === undefined || state === 'active' ? ACTIVE : ({ state, reason } as Standing),
    source: source || null,
    since: since ? Number(since) : null,
    confirmed: confirmed ? Number(confirmed) : null,
  };
}

/** In the order of their addresses, each once: what its rows say differently, the strictest decides. */
async function* eachOnce(sorted: SortedLines, report: ImportReport): AsyncGenerator<Comer[]> {
  let last: Comer | undefined;
  for await (const lines of sorted.batches()) {
    const comers: Comer[] = [];
    for (const line of lines) {
      const comer = unpacked(line);
      if (last?.key === comer.key) {
        last.standing = stricter(last.standing, comer.standing);
        report.repeated += 1;
      } else {
        if (last) comers.push(last);
        last = comer;
      }
    }
    yield comers;
  }
  if (last) yield [last];
}

interface Start {
  before: { readers: boolean; suppressions: boolean };
  nextIds: (count: number) => string[];
}

/** Nobody has to be looked for in an empty table. */
async function whatThereIs(db: Kysely<Database>, newsletter: string): Promise<Start['before']> {
  const readers = await db
    .selectFrom('subscribers')
    .select('id')
    .where('newsletter', '=', newsletter)
    .limit(1)
    .execute();
  const suppressions = await db.selectFrom('suppressions').select('id').limit(1).execute();
  return { readers: readers.length > 0, suppressions: suppressions.length > 0 };
}

async function mergeBatch(
  db: Kysely<Database>,
  comers: Comer[],
  { before, nextIds }: Start,
  input: MergeInput,
  world: Now,
  report: ImportReport,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { fresh, leaving, suppressed, changes } = await sortOut(
      trx,
      comers,
      before,
      input,
      report,
    );
    await suppressAll(trx, suppressed, input, world.now);
    await takeOff(trx, leaving, input, world.now);
    await takeOver(trx, changes, world.now);
    await insertFresh(trx, fresh, nextIds(fresh.length), input, world);
  });
}

interface Sorted {
  fresh: Comer[];
  /** Ids of readers on the list whom the file says have left. */
  leaving: number[];
  suppressed: Comer[];
  changes: Change[];
}

/** Counts the readers, and tells what is to be done for whom. */
async function sortOut(
  db: Kysely<Database>,
  comers: Comer[],
  there: Start['before'],
  { newsletter, update = false }: MergeInput,
  report: ImportReport,
): Promise<Sorted> {
  const known = await knownReaders(db, newsletter, there.readers ? comers : []);
  const suppressedHashes = await suppressedAmong(db, there.suppressions ? comers : []);
  const sorted: Sorted = { fresh: [], leaving: [], suppressed: [], changes: [] };
  for (const comer of comers) {
    const { standing } = comer;
    const before = known.get(comer.key);
    const wasSuppressed = suppressedHashes.has(comer.hash);
    if (standing.state === 'suppressed') sorted.suppressed.push(comer);
    const gone = standing.state === 'suppressed' || standing.state === 'unsubscribed';
    if (before && before.state !== 'unsubscribed' && gone) sorted.leaving.push(before.id);
    // Who is suppressed already leaves no new row: the hash says enough.
    if (!before && !wasSuppressed) sorted.fresh.push(comer);
    const change = update && before && !gone ? changeOf(before, comer) : null;
    if (change) sorted.changes.push(change);
    count(report, comer, before, wasSuppressed);
  }
  report.updated += sorted.changes.length;
  return sorted;
}

/** Null where the row says nothing new. */
function changeOf(before: Known, { name, language, tags, fields }: Comer): Change | null {
  const known = JSON.parse(before.tags) as string[];
  const values = JSON.parse(before.fields) as FieldValues;
  const change = {
    id: before.id,
    name: name ?? before.name,
    language: language ?? before.language,
    tags: JSON.stringify([...new Set([...known, ...(JSON.parse(tags) as string[])])]),
    fields: JSON.stringify({ ...values, ...(JSON.parse(fields) as FieldValues) }),
  };
  const isSame =
    change.name === before.name &&
    change.language === before.language &&
    change.tags === JSON.stringify(known) &&
    change.fields === JSON.stringify(values);
  return isSame ? null : change;
}

async function takeOver(db: Kysely<Database>, changes: Change[], now: number): Promise<void> {
  for (const { id, ...values } of changes)
    await db
      .updateTable('subscribers')
      .set({ ...values, updated_at: now })
      .where('id', '=', id)
      .execute();
}

function count(
  report: ImportReport,
  { standing }: Comer,
  before: Known | undefined,
  wasSuppressed: boolean,
): void {
  if (wasSuppressed || standing.state === 'suppressed') report.suppressed += 1;
  else if (before?.state === 'unsubscribed' || standing.state === 'unsubscribed')
    report.unsubscribed += 1;
  else if (before) report.existing += 1;
  else if (standing.state === 'pending') report.pending += 1;
  else report.added += 1;
}

async function knownReaders(
  db: Kysely<Database>,
  newsletter: string,
  comers: Comer[],
): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  for (const keys of inParts(comers.map(({ key }) => key))) {
    const rows = await db
      .selectFrom('subscribers')
      .select(['address_key', 'id', 'state', 'name', 'language', 'tags', 'fields'])
      .where('newsletter', '=', newsletter)
      .where('address_key', 'in', keys)
      .execute();
    for (const { address_key, ...reader } of rows) known.set(address_key, reader);
  }
  return known;
}

async function suppressedAmong(db: Kysely<Database>, comers: Comer[]): Promise<Set<string>> {
  const hashes = new Set<string>();
  for (const part of inParts(comers.map(({ hash }) => hash))) {
    const rows = await db
      .selectFrom('suppressions')
      .select('address_hash')
      .where('address_hash', 'in', part)
      .execute();
    for (const { address_hash } of rows) hashes.add(address_hash);
  }
  return hashes;
}

/** The first reason stays, except that a complaint outweighs every other, as in `suppress`. */
async function suppressAll(
  db: Kysely<Database>,
  comers: Comer[],
  { newsletter, via }: MergeInput,
  now: number,
): Promise<void> {
  const rows = comers.flatMap(({ hash, standing }) =>
    standing.state === 'suppressed'
      ? [
          {
            newsletter,
            address_hash: hash,
            reason: standing.reason,
            detail: via,
            created_at: now,
          },
        ]
      : [],
  );
  await insertMany(db, 'suppressions', rows);
  const complaints = rows.filter(({ reason }) => reason === 'complaint');
  for (const hashes of inParts(complaints.map(({ address_hash }) => address_hash))) {
    await db
      .updateTable('suppressions')
      .set({ reason: 'complaint', detail: via })
      .where('address_hash', 'in', hashes)
      .where('reason', '<>', 'complaint')
      .execute();
  }
}

async function takeOff(
  db: Kysely<Database>,
  ids: number[],
  { newsletter, via }: MergeInput,
  now: number,
): Promise<void> {
  for (const part of inParts(ids)) {
    await db
      .updateTable('subscribers')
      .set({ state: 'unsubscribed', updated_at: now })
      .where('id', 'in', part)
      .execute();
  }
  const event = { event: 'unsubscribed' as const, via, campaign_id: null, detail: null, at: now };
  await insertMany(
    db,
    'consents',
    ids.map((id) => ({ newsletter, subscriber_id: id, ...event })),
  );
}

async function insertFresh(
  db: Kysely<Database>,
  comers: Comer[],
  ids: string[],
  { newsletter, via }: MergeInput,
  { now }: Now,
): Promise<void> {
  if (comers.length === 0) return;
  const { last } = await db
    .selectFrom('subscribers')
    .select(({ fn }) => fn.max('id').as('last'))
    .executeTakeFirstOrThrow();
  const rows = comers.map((comer, at): Insertable<SubscriberTable> => {
    const { standing } = comer;
    return {
      newsletter,
      address: comer.address,
      address_key: comer.key,
      address_hash: comer.hash,
      name: comer.name,
      language: comer.language,
      state: standing.state === 'suppressed' ? 'unsubscribed' : standing.state,
      public_id: ids[at] ?? '',
      tags: comer.tags,
      fields: comer.fields,
      source: comer.source ?? via,
      created_at: comer.since ?? now,
      updated_at: now,
    };
  });
  await insertMany(db, 'subscribers', rows);
  const isDated = comers.some(({ since }) => since !== null);
  await noteImported(db, { newsletter, via, now, last: Number(last ?? 0), isDated });
  await noteConfirmed(db, { newsletter, now }, comers, ids);
}

/** In the order in which an index keeps them. */
const SIGNS = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';

/**
 * Ids that rise with the addresses, so that both meet their index in its order: 36 bits that are spread evenly over
 * all readers, then 96 random ones. Nobody guesses one.
 */
function publicIds(total: number, random: Now['random']): (count: number) => string[] {
  let given = 0;
  return (count) => {
    const bytes = random(count * 16);
    return Array.from({ length: count }, (_, at) => {
      const share = (given + bytes.readUInt32LE(at * 16) / 2 ** 32) / total;
      given += 1;
      let rest = Math.floor(share * 2 ** 36);
      let head = '';
      for (let sign = 0; sign < 6; sign += 1) {
        head = SIGNS[rest % 64] + head;
        rest = Math.floor(rest / 64);
      }
      return head + bytes.toString('base64url', at * 16 + 4, at * 16 + 16);
    });
  };
}

interface Imported {
  newsletter: string;
  via: string;
  now: number;
  /** The highest id before. */
  last: number;
  /** Some agreed before now. */
  isDated: boolean;
}

/** That they were imported; before that, that they agreed, where the file says when. */
async function noteImported(
  db: Kysely<Database>,
  { newsletter, via, now, last, isDated }: Imported,
): Promise<void> {
  const columns = [
    'newsletter',
    'subscriber_id',
    'event',
    'via',
    'campaign_id',
    'detail',
    'at',
  ] as const;
  // Another process may add a reader meanwhile (on PostgreSQL): only those of this import were changed just now.
  const fresh = db
    .selectFrom('subscribers')
    .where('newsletter', '=', newsletter)
    .where('id', '>', last)
    .where('updated_at', '=', now);
  if (isDated)
    await db
      .insertInto('consents')
      .columns([...columns])
      .expression(
        fresh
          .where('created_at', '<>', now)
          .select([
            'newsletter',
            'id',
            sql.lit('subscribed').as('event'),
            'source',
            sql<null>`null`.as('campaign_id'),
            sql.val(via).as('detail'),
            'created_at',
          ]),
      )
      .execute();
  await db
    .insertInto('consents')
    .columns([...columns])
    .expression(
      fresh.select([
        'newsletter',
        'id',
        sql.lit('imported').as('event'),
        sql.val(via).as('via'),
        sql<null>`null`.as('campaign_id'),
        sql<string | null>`case when state = 'active' then null else state end`.as('detail'),
        sql.val(now).as('at'),
      ]),
    )
    .execute();
}

async function noteConfirmed(
  db: Kysely<Database>,
  { newsletter, now }: { newsletter: string; now: number },
  comers: Comer[],
  ids: string[],
): Promise<void> {
  const times = new Map(
    comers.flatMap(({ confirmed }, at) => (confirmed === null ? [] : [[ids[at] ?? '', confirmed]])),
  );
  for (const part of inParts([...times.keys()])) {
    const rows = await db
      .selectFrom('subscribers')
      .select(['id', 'public_id', 'source'])
      .where('public_id', 'in', part)
      .execute();
    const events = rows.map(({ id, public_id, source }) => ({
      newsletter,
      subscriber_id: id,
      event: 'confirmed' as const,
      via: source,
      campaign_id: null,
      detail: null,
      at: times.get(public_id) ?? now,
    }));
    await insertMany(db, 'consents', events);
  }
}

function* inParts<Value>(values: Value[]): Generator<Value[]> {
  for (let from = 0; from < values.length; from += PER_QUESTION)
    yield values.slice(from, from + PER_QUESTION);
}
