/** The list as CSV: in and out as streams, whatever its length. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type CsvError, parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import type { Kysely } from 'kysely';
import { BroadsheetError, inputError } from '../errors.ts';
import type { Database } from '../store/schema.ts';
import { addressHash, parseAddress } from './address.ts';
import { eachSubscriber, type Now, rowOf } from './subscribers.ts';

export interface RefusedRow {
  /** From 1, counting the header. */
  line: number;
  /** What stood there, cut to a readable length. */
  value: string;
  reason: string;
}

export interface ImportInput {
  newsletter: string;
  input: AsyncIterable<Uint8Array>;
  /** File name, for messages and as the source of the consent. */
  name: string;
  /** Absent: found out from the first line. */
  delimiter?: string | undefined;
  /** `utf-8` (default), `gbk`, `gb18030`. */
  encoding?: string | undefined;
  /** Only count. */
  dryRun?: boolean | undefined;
  onRefused?: (row: RefusedRow) => void;
  /** Called with the bytes read so far. */
  onProgress?: (bytes: number) => void;
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

/** Largest row, bytes: an unclosed quote must not swallow the file. */
const LARGEST_ROW = 65_536;
const LONGEST_NAME = 200;
/** Rows that are written in one transaction. */
const BATCH = 5_000;

const HEADERS = {
  address: [
    'email',
    'e-mail',
    'mail',
    'address',
    'email address',
    'e-mail address',
    '邮箱',
    '邮件',
    '电子邮件',
    '电子邮箱',
    '邮箱地址',
  ],
  name: ['name', 'full name', '姓名', '名字', '称呼'],
  language: ['language', 'lang', '语言'],
  tags: ['tags', 'tag', '标签'],
};
type Column = keyof typeof HEADERS;
type Columns = Partial<Record<Column, number>>;

interface Row {
  address: string;
  key: string;
  name: string | null;
  language: string | null;
  tags: string[];
}

/**
 * Reads a CSV file into the list. Refused rows are reported and the rest is taken; running it again
 * adds nothing.
 * @throws BroadsheetError when the file is no CSV with an address column; nothing was written then
 */
export async function importSubscribers(
  db: Kysely<Database>,
  options: ImportInput,
  world: Now,
): Promise<ImportReport> {
  const report: ImportReport = {
    added: 0,
    existing: 0,
    unsubscribed: 0,
    suppressed: 0,
    repeated: 0,
    refused: 0,
  };
  const seen = new Set<string>();
  let batch: Row[] = [];
  const flush = async () => {
    if (batch.length > 0) await storeBatch(db, batch, options, world, report);
    batch = [];
  };
  for await (const { line, cells, columns } of rowsOf(options)) {
    const row = readRow(cells, columns);
    if ('reason' in row) {
      report.refused += 1;
      options.onRefused?.({ line, value: cut(cells.join(',')), reason: row.reason });
    } else if (seen.has(row.key)) {
      report.repeated += 1;
    } else {
      seen.add(row.key);
      batch.push(row);
      if (batch.length >= BATCH) await flush();
    }
  }
  await flush();
  return report;
}

/** The list as CSV text, line by line. Cells that a spreadsheet would run as formulas get a leading `'`. */
export async function* exportSubscribers(
  db: Kysely<Database>,
  newsletter: string,
): AsyncGenerator<string> {
  yield stringify([['email', 'name', 'language', 'tags', 'state', 'source', 'created']]);
  for await (const reader of eachSubscriber(db, { newsletter })) {
    const tags = (JSON.parse(reader.tags) as string[]).join(' ');
    const created = new Date(reader.created_at).toISOString();
    const cells = [
      reader.address,
      reader.name ?? '',
      reader.language ?? '',
      tags,
      reader.state,
      reader.source,
      created,
    ];
    yield stringify([cells.map(withoutFormula)]);
  }
}

function withoutFormula(cell: string): string {
  return /^'?[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
}

/** Undoes what the export did. */
function withFormula(cell: string): string {
  return /^'+[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
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
    const at = words.findIndex((word) => names.includes(word));
    if (at >= 0) columns[column as Column] = at;
  }
  if (columns.address !== undefined) return columns;
  throw inputError('csv-without-address', 'No column holds the addresses', {
    file: name,
    line: 1,
    hint: `The first line should name the columns: email,name. It says: ${cut(cells.join(', '))}`,
  });
}

function readRow(cells: string[], columns: Columns): Row | { reason: string } {
  const cell = (column: Column) => withFormula((cells[columns[column] ?? -1] ?? '').trim());
  const name = cell('name');
  if (/[\x00-\x1f\x7f]/.test(name))
    return { reason: 'the name holds a line break or control character' };
  if (name.length > LONGEST_NAME)
    return { reason: `the name is longer than ${LONGEST_NAME} characters` };
  const language = cell('language');
  if (language && !/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(language))
    return { reason: `"${cut(language)}" is no language tag` };
  try {
    const address = parseAddress(cell('address'));
    return {
      ...address,
      name: name || null,
      language: language || null,
      tags: cell('tags')
        .split(/[\s,;|]+/)
        .filter(Boolean),
    };
  } catch {
    return { reason: cell('address') ? 'no valid email address' : 'no address' };
  }
}

async function storeBatch(
  db: Kysely<Database>,
  batch: Row[],
  { newsletter, name, dryRun }: ImportInput,
  { now, random }: Now,
  report: ImportReport,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const known = await knownRows(trx, newsletter, batch);
    const suppressed = await suppressedHashes(trx, batch);
    const fresh = batch.filter(({ key }) => {
      const state = known.get(key);
      if (state !== undefined) report[state === 'unsubscribed' ? 'unsubscribed' : 'existing'] += 1;
      else if (suppressed.has(addressHash(key))) report.suppressed += 1;
      else return true;
      return false;
    });
    report.added += fresh.length;
    if (dryRun) return;
    for (const { address, key, ...row } of fresh) {
      const reader = { newsletter, address, source: `import:${name}`, ...row };
      const { id } = await trx
        .insertInto('subscribers')
        .values(rowOf(reader, address, key, random(16).toString('base64url'), now))
        .returning('id')
        .executeTakeFirstOrThrow();
      await trx
        .insertInto('consents')
        .values({
          newsletter,
          subscriber_id: id,
          event: 'imported',
          via: reader.source,
          campaign_id: null,
          detail: null,
          at: now,
        })
        .execute();
    }
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
