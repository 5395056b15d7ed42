/** The list as CSV: in and out as streams, whatever its length. */
import { stringify } from 'csv-stringify/sync';
import type { Kysely } from 'kysely';
import type { Fields } from '../config/settings.ts';
import type { Database } from '../store/schema.ts';
import {
  cut,
  isHeader,
  type Layout,
  type ReadRow,
  readerOfRows,
  withoutFormula,
} from './columns.ts';
import { type CsvFile, csvRows } from './csv-rows.ts';
import { fieldText } from './fields.ts';
import { readerOfExport, type Tool } from './foreign.ts';
import { type Entry, type ImportReport, type MergeInput, mergeReaders } from './merge.ts';
import { eachSubscriber, fieldsOf, type Now, tagsOf } from './subscribers.ts';

/** `name` is also the source that the consent is recorded with. */
export interface ImportInput extends CsvFile, Omit<Layout, 'now'>, Omit<MergeInput, 'via'> {
  /** Whose export it is; absent: a table with a header. */
  from?: Tool | undefined;
  /** Whether a domain takes mail; absent: nobody is asked. */
  takesMail?: ((domain: string) => Promise<boolean>) | undefined;
}

/**
 * Reads a CSV file into the list. Refused rows are reported and the rest is taken; running it again
 * adds nothing.
 * @throws BroadsheetError when the file is no CSV with an address column, or becomes unreadable further down: nothing
 * was written then
 */
export function importSubscribers(
  db: Kysely<Database>,
  input: ImportInput,
  world: Now,
): Promise<ImportReport> {
  const entries = entriesOf(input, { ...input, now: world.now });
  return mergeReaders(db, entries, { ...input, via: `import:${input.name}` }, world);
}

async function* entriesOf(input: ImportInput, layout: Layout): AsyncGenerator<Entry[]> {
  let read: ReadRow | undefined;
  for await (const rows of csvRows(input)) {
    let from = 0;
    if (!read) {
      const first = rows[0]?.cells ?? [];
      read = input.from
        ? readerOfExport(input.from, first, layout, input.name)
        : readerOfRows(first, layout, input.name);
      if (isHeader(first)) from = 1;
    }
    const entries: Entry[] = [];
    for (let at = from; at < rows.length; at += 1) {
      const row = rows[at];
      if (!row) continue;
      const { line, cells, broken } = row;
      const reader = broken ?? read(cells);
      entries.push({
        line,
        reader:
          typeof reader === 'string' ? { reason: reader, value: cut(cells.join(',')) } : reader,
      });
    }
    yield input.takesMail ? await withoutDeadDomains(entries, input.takesMail) : entries;
  }
}

/** Domains that are asked for at once. */
const ASKED = 50;

/** Refuses who cannot be reached because the domain takes no mail (D-66). */
async function withoutDeadDomains(
  entries: Entry[],
  takesMail: (domain: string) => Promise<boolean>,
): Promise<Entry[]> {
  const domainOf = ({ reader }: Entry) =>
    'key' in reader ? reader.key.slice(reader.key.lastIndexOf('@') + 1) : '';
  const domains = [...new Set(entries.map(domainOf))].filter(Boolean);
  const dead = new Set<string>();
  for (let from = 0; from < domains.length; from += ASKED) {
    const ask = async (domain: string) => void ((await takesMail(domain)) || dead.add(domain));
    await Promise.all(domains.slice(from, from + ASKED).map(ask));
  }
  return entries.map((entry) => {
    const domain = domainOf(entry);
    if (!dead.has(domain) || !('key' in entry.reader)) return entry;
    const reader = { reason: `${domain} takes no mail`, value: entry.reader.address };
    return { line: entry.line, reader };
  });
}

const OWN = ['email', 'name', 'language', 'tags', 'state', 'reason', 'source', 'created'];

/**
 * The list as CSV text, page by page; an import of it makes the same list. Cells that a spreadsheet
 * would run as formulas get a leading `'`.
 */
export async function* exportSubscribers(
  db: Kysely<Database>,
  newsletter: string,
  fields: Fields = {},
): AsyncGenerator<string> {
  const suppressed = await suppressedOf(db, newsletter);
  const names = Object.keys(fields);
  yield stringify([[...OWN, ...names]]);
  let lines: string[][] = [];
  for await (const reader of eachSubscriber(db, { newsletter })) {
    const reason = suppressed.get(reader.address_hash);
    const values = fieldsOf(reader);
    const cells = [
      reader.address,
      reader.name ?? '',
      reader.language ?? '',
      tagsOf(reader).join(' '),
      reason ? 'suppressed' : reader.state,
      reason ?? '',
      reader.source,
      new Date(reader.created_at).toISOString(),
      ...names.map((name) => fieldText(values[name])),
    ];
    lines.push(cells.map(withoutFormula));
    if (lines.length < LINES) continue;
    yield stringify(lines);
    lines = [];
  }
  if (lines.length > 0) yield stringify(lines);
}

/** Lines that are written at once. */
const LINES = 500;

/** The report of an import: what was refused, with line and reason; no cell is run as a formula. */
export function refusedLines(
  rows: readonly { line: number; reason: string; value: string }[],
): string {
  return stringify(rows.map((row) => [String(row.line), row.reason, withoutFormula(row.value)]));
}

/** Why a newsletter's readers are suppressed, by hash: few, whatever the length of the list. */
async function suppressedOf(
  db: Kysely<Database>,
  newsletter: string,
): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('suppressions')
    .innerJoin('subscribers', 'subscribers.address_hash', 'suppressions.address_hash')
    .select(['suppressions.address_hash', 'suppressions.reason'])
    .where('subscribers.newsletter', '=', newsletter)
    .execute();
  return new Map(rows.map(({ address_hash, reason }) => [address_hash, reason]));
}
