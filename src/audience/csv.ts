/** The list as CSV: in and out as streams, whatever its length. */
import { stringify } from 'csv-stringify/sync';
import type { Insertable, Kysely } from 'kysely';
import { BroadsheetError, inputError } from '../errors.ts';
import type { Database, SubscriberTable } from '../store/schema.ts';
import { addressHash, parseAddress } from './address.ts';
import { type CsvFile, csvRows } from './csv-rows.ts';
import { eachSubscriber, type Now, parseName, rowOf, type SubscriberState } from './subscribers.ts';

export interface RefusedRow {
  /** From 1, counting the header. */
  line: number;
  /** What stood there, cut to a readable length. */
  value: string;
  reason: string;
}

/** `name` is also the source that the consent is recorded with. */
export interface ImportInput extends CsvFile {
  newsletter: string;
  /** Only count. */
  dryRun?: boolean | undefined;
  onRefused?: ((row: RefusedRow) => void) | undefined;
}

/** Counts of rows; they add up to the rows of the file. */
export interface ImportReport {
  added: number;
  existing: number;
  /** Left the list and is not brought back by an import. */
  unsubscribed: number;
  suppressed: number;
  /** The same address again in this file. */
  repeated: number;
  refused: number;
}

/** Rows that are written in one transaction, and by one statement. */
const BATCH = 5_000;
const PER_STATEMENT = 200;

/** The first that a file has of these is the column. */
const HEADERS = {
  address: [
    'email',
    'e-mail',
    'mail',
    'email address',
    'e-mail address',
    '邮箱',
    '邮件',
    '电子邮件',
    '电子邮箱',
    '邮箱地址',
    'address',
  ],
  name: ['name', 'full name', '姓名', '名字', '称呼'],
  language: ['language', 'lang', '语言'],
  tags: ['tags', 'tag', '标签'],
  state: ['state', '状态'],
};
type Column = keyof typeof HEADERS;
type Columns = Partial<Record<Column, number>>;

/** What the export writes into the column `state`. Nobody who had left a list is brought back by a file. */
const STATES = ['active', 'pending', 'unsubscribed', 'suppressed'] as const;

interface Row {
  address: string;
  key: string;
  name: string | null;
  language: string | null;
  tags: string[];
  state: (typeof STATES)[number];
}

/**
 * Reads a CSV file into the list. Refused rows are reported and the rest is taken; running it again
 * adds nothing.
 * @throws BroadsheetError when the file is no CSV with an address column: nothing was written then; and
 * when it becomes unreadable further down: a dry run finds that out beforehand
 */
export async function importSubscribers(
  db: Kysely<Database>,
  options: ImportInput,
  world: Now,
): Promise<ImportReport> {
  const report = { added: 0, existing: 0, unsubscribed: 0, suppressed: 0, repeated: 0, refused: 0 };
  for await (const batch of batchesOf(options, report)) {
    if (options.dryRun) await sortOut(db, options.newsletter, batch, report);
    else await storeBatch(db, batch, options, world, report);
  }
  return report;
}

async function* batchesOf(options: ImportInput, report: ImportReport): AsyncGenerator<Row[]> {
  const seen = new Set<string>();
  let batch: Row[] = [];
  let columns: Columns | undefined;
  for await (const { line, cells, broken } of csvRows(options)) {
    if (columns === undefined) {
      columns = columnsOf(cells, options.name);
      if (isHeader(cells)) continue;
    }
    const row = broken ?? readRow(cells, columns);
    if (typeof row === 'string') {
      report.refused += 1;
      options.onRefused?.({ line, value: cut(cells.join(',')), reason: row });
    } else if (seen.has(row.key)) {
      report.repeated += 1;
    } else {
      seen.add(row.key);
      batch.push(row);
    }
    if (batch.length >= BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/**
 * The list as CSV text, line by line; an import of it makes the same list. Cells that a spreadsheet
 * would run as formulas get a leading `'`.
 */
export async function* exportSubscribers(
  db: Kysely<Database>,
  newsletter: string,
): AsyncGenerator<string> {
  const suppressed = await suppressedOf(db, newsletter);
  yield stringify([['email', 'name', 'language', 'tags', 'state', 'source', 'created']]);
  for await (const reader of eachSubscriber(db, { newsletter })) {
    const cells = [
      reader.address,
      reader.name ?? '',
      reader.language ?? '',
      (JSON.parse(reader.tags) as string[]).join(' '),
      suppressed.has(reader.address_hash) ? 'suppressed' : reader.state,
      reader.source,
      new Date(reader.created_at).toISOString(),
    ];
    yield stringify([cells.map(withoutFormula)]);
  }
}

/** Signs that begin a formula, also in full width (OWASP, CSV Injection). */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;

function withoutFormula(cell: string): string {
  return FORMULA.test(cell) ? `'${cell}` : cell;
}

/** Undoes what the export did. */
function withFormula(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}

function isHeader(cells: string[]): boolean {
  return !cells.some((cell) => cell.includes('@'));
}

function columnsOf(cells: string[], name: string): Columns {
  if (!isHeader(cells)) {
    return {
      address: cells.findIndex((cell) => cell.includes('@')),
      ...(cells.length > 1 ? { name: cells[0]?.includes('@') ? 1 : 0 } : {}),
    };
  }
  const words = cells.map((cell) => cell.trim().toLowerCase());
  const columns: Columns = {};
  for (const [column, names] of Object.entries(HEADERS)) {
    const at = names.map((name) => words.indexOf(name)).find((index) => index >= 0);
    if (at !== undefined) columns[column as Column] = at;
  }
  if (columns.address !== undefined) return columns;
  throw inputError('csv-without-address', 'No column holds the addresses', {
    file: name,
    line: 1,
    hint: `The first line should name the columns: email,name. It says: ${cut(cells.join(', '))}`,
  });
}

/** The reader of a row, or why it is refused. */
function readRow(cells: string[], columns: Columns): Row | string {
  const cell = (column: Column) => withFormula((cells[columns[column] ?? -1] ?? '').trim());
  const language = cell('language');
  if (language && !/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(language))
    return `"${cut(language)}" is no language tag`;
  const state = cell('state').toLowerCase() || 'active';
  if (!isState(state)) return `"${cut(state)}" is no state: ${STATES.join(', ')}`;
  const tags = cell('tags').split(/[\s,;|]+/);
  if (tags.some((tag) => /\p{Cc}/u.test(tag))) return 'a tag holds a control character';
  if (!cell('address')) return 'no address';
  try {
    const name = parseName(cell('name'));
    const address = parseAddress(cell('address'));
    return { ...address, name, language: language || null, tags: tags.filter(Boolean), state };
  } catch (error) {
    if (error instanceof BroadsheetError)
      return error.problems.map(({ message }) => message).join('; ');
    throw error;
  }
}

function isState(text: string): text is Row['state'] {
  return (STATES as readonly string[]).includes(text);
}

function storeBatch(
  db: Kysely<Database>,
  batch: Row[],
  { newsletter, name }: ImportInput,
  { now, random }: Now,
  report: ImportReport,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    const source = `import:${name}`;
    const rows = (await sortOut(trx, newsletter, batch, report)).map(
      ({ address, key, state, ...rest }) => {
        const reader = { newsletter, address, source, state: state as SubscriberState, ...rest };
        return rowOf(reader, address, key, random(16).toString('base64url'), now);
      },
    );
    for (let from = 0; from < rows.length; from += PER_STATEMENT) {
      await insertImported(trx, rows.slice(from, from + PER_STATEMENT));
    }
  });
}

async function insertImported(
  db: Kysely<Database>,
  rows: Insertable<SubscriberTable>[],
): Promise<void> {
  const inserted = await db
    .insertInto('subscribers')
    .values(rows)
    .returning(['id', 'newsletter', 'state', 'source', 'created_at'])
    .execute();
  await db
    .insertInto('consents')
    .values(
      inserted.map(({ id, newsletter, state, source, created_at }) => ({
        newsletter,
        subscriber_id: id,
        event: 'imported' as const,
        via: source,
        campaign_id: null,
        detail: state === 'active' ? null : state,
        at: created_at,
      })),
    )
    .execute();
}

/** Counts the rows of a batch, and gives those that are to be written. */
async function sortOut(
  db: Kysely<Database>,
  newsletter: string,
  batch: Row[],
  report: ImportReport,
): Promise<Row[]> {
  const known = await knownRows(db, newsletter, batch);
  const suppressed = await suppressedHashes(db, batch);
  return batch.filter(({ key, state }) => {
    const before = known.get(key);
    const isSuppressed = state === 'suppressed' || suppressed.has(addressHash(key));
    if (before !== undefined) report[before === 'unsubscribed' ? before : 'existing'] += 1;
    else if (isSuppressed) report.suppressed += 1;
    // Kept as such, so that no other file adds the address.
    else if (state === 'unsubscribed') report.unsubscribed += 1;
    else report.added += 1;
    return before === undefined && !isSuppressed;
  });
}

async function knownRows(
  db: Kysely<Database>,
  newsletter: string,
  batch: Row[],
): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('subscribers')
    .select(['address_key', 'state'])
    .where('newsletter', '=', newsletter)
    .where(
      'address_key',
      'in',
      batch.map(({ key }) => key),
    )
    .execute();
  return new Map(rows.map(({ address_key, state }) => [address_key, state]));
}

/** Hashes of a newsletter's readers who are suppressed: few, whatever the length of the list. */
async function suppressedOf(db: Kysely<Database>, newsletter: string): Promise<Set<string>> {
  const rows = await db
    .selectFrom('suppressions')
    .innerJoin('subscribers', 'subscribers.address_hash', 'suppressions.address_hash')
    .select('suppressions.address_hash')
    .where('subscribers.newsletter', '=', newsletter)
    .execute();
  return new Set(rows.map(({ address_hash }) => address_hash));
}

async function suppressedHashes(db: Kysely<Database>, batch: Row[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('suppressions')
    .select('address_hash')
    .where(
      'address_hash',
      'in',
      batch.map(({ key }) => addressHash(key)),
    )
    .execute();
  return new Set(rows.map(({ address_hash }) => address_hash));
}

function cut(text: string): string {
  const printable = JSON.stringify(text).slice(1, -1);
  return printable.length > 100 ? `${printable.slice(0, 99)}…` : printable;
}
