/** Which column of a file holds what, and what a row says of one reader. */
import type { Fields } from '../config/settings.ts';
import { BroadsheetError, inputError } from '../errors.ts';
import { parseAddress } from './address.ts';
import { ACTIVE, type Standing, standingOf, stricter, timeOf } from './consent.ts';
import { type FieldValues, parseFields } from './fields.ts';
import { parseLanguage, parseName, parseTags } from './subscribers.ts';

/** What a file says of one reader. */
export interface Candidate {
  address: string;
  /** Canonical, what makes two addresses one reader. */
  key: string;
  name: string | null;
  language: string | null;
  tags: string[];
  fields: FieldValues;
  standing: Standing;
  /** Where the consent was given, as the file says. */
  source: string | null;
  /** When it was given, ms. */
  since: number | null;
  /** When it was confirmed by mail, ms. */
  confirmed: number | null;
}

/** What is known beside the file. */
export interface Layout {
  fields: Fields;
  /** Which column holds what: `email`, `name`, … or a field of the settings → the header in the file. */
  columns?: Record<string, string> | undefined;
  /** Of the readers whose row says none. */
  language?: string | undefined;
  /** Added to those of the row. */
  tags?: readonly string[] | undefined;
  /** Of the rows that say nothing of it. */
  standing?: Standing | undefined;
  /** Nothing is agreed to later than this, ms. */
  now: number;
}

/** The first that a file has of these is the column, in whatever case, with blanks, `-` or `_`. */
const HEADERS = {
  email: [
    'email',
    'e mail',
    'mail',
    'email address',
    'e mail address',
    '邮箱',
    '邮件',
    '电子邮件',
    '电子邮箱',
    '邮箱地址',
    'address',
  ],
  name: ['name', 'full name', '姓名', '名字', '称呼'],
  'first name': ['first name', 'given name', 'firstname'],
  'last name': ['last name', 'surname', 'family name', 'lastname'],
  language: ['language', 'lang', 'locale', '语言'],
  tags: ['tags', 'tag', 'labels', '标签'],
  state: ['state', 'status', '状态'],
  reason: ['reason'],
  source: ['source', 'consent source', 'signup source', '来源'],
  created: [
    'created',
    'consent date',
    'joined',
    'subscribed at',
    'signup date',
    'opt in date',
    'created at',
    '订阅时间',
  ],
  confirmed: ['confirmed', 'confirmed at', 'confirmation date'],
};
export type Column = keyof typeof HEADERS;

/** Longest note of where consent comes from, UTF-16 code units. */
const LONGEST_SOURCE = 200;

/** A day: clocks and zones differ, ms. */
const AHEAD = 86_400_000;

/** Reads rows: the reader of a row, or why it is refused. */
export type ReadRow = (cells: readonly string[]) => Candidate | string;

/** True for a first row that is no reader's. */
export function isHeader(cells: readonly string[]): boolean {
  return !cells.some((cell) => cell.includes('@'));
}

/**
 * Finds the columns by the first row, which may be a reader's already.
 * @throws BroadsheetError `csv-without-address`, `column-unknown` and the like
 */
export function readerOfRows(first: readonly string[], layout: Layout, file: string): ReadRow {
  const at = isHeader(first)
    ? columnsOf(first, layout, file)
    : columnsWithoutHeader(first, layout, file);
  const fieldColumns = Object.keys(layout.fields).flatMap((name) => {
    const index = at.get(name);
    return index === undefined ? [] : [[name, index] as const];
  });
  const defaults = defaultsOf(layout);
  return (cells) => {
    const cell = (column: Column) => {
      const index = at.get(column);
      return index === undefined ? '' : withFormula((cells[index] ?? '').trim());
    };
    const given: Record<string, string> = {};
    for (const [name, index] of fieldColumns)
      given[name] = withFormula((cells[index] ?? '').trim());
    return candidate(
      {
        email: cell('email'),
        name: cell('name') || `${cell('first name')} ${cell('last name')}`,
        language: cell('language'),
        tags: cell('tags'),
        standing: cell('reason') || cell('state'),
        source: cell('source'),
        created: cell('created'),
        confirmed: cell('confirmed'),
        fields: given,
      },
      layout,
      defaults,
    );
  };
}

/** What a row says, in words. */
export interface RowText {
  email: string;
  name: string;
  language: string;
  tags: string | readonly string[];
  /** A word, or what is known already. */
  standing: string | Standing;
  source: string;
  created: string;
  confirmed: string;
  fields: Record<string, string>;
}

interface Defaults {
  tags: string[];
  language: string | null;
}

/** @throws BroadsheetError for a language or a tag that is none */
export function defaultsOf({ tags = [], language = '' }: Layout): Defaults {
  return { tags: parseTags(tags), language: parseLanguage(language) };
}

/** The reader whom these words describe, or why there is none. */
export function candidate(
  row: RowText,
  { fields, standing: other = ACTIVE, now }: Layout,
  defaults: Defaults,
): Candidate | string {
  if (!row.email) return 'no address';
  const standing = typeof row.standing === 'string' ? said(row.standing, other) : row.standing;
  if (!standing) return `"${cut(String(row.standing))}" is no state`;
  const since = time(row.created, now);
  const confirmed = time(row.confirmed, now);
  for (const wrong of [since, confirmed]) if (typeof wrong === 'string') return wrong;
  if (row.source.length > LONGEST_SOURCE || /\p{Cc}/u.test(row.source))
    return 'the source is too long or holds a control character';
  try {
    return {
      ...parseAddress(row.email),
      name: parseName(row.name),
      language: row.language ? parseLanguage(row.language) : defaults.language,
      tags: withDefaults(parseTags(row.tags), defaults.tags),
      fields: parseFields(row.fields, fields),
      standing,
      source: row.source || null,
      since: (since ?? confirmed) as number | null,
      confirmed: confirmed as number | null,
    };
  } catch (error) {
    if (error instanceof BroadsheetError)
      return error.problems.map(({ message }) => message).join('; ');
    throw error;
  }
}

/** What was said for the whole file holds unless the row says worse. */
function said(word: string, other: Standing): Standing | undefined {
  if (!word) return other;
  const own = standingOf(word);
  return own && stricter(other, own);
}

function time(text: string, now: number): number | null | string {
  if (!text) return null;
  const at = timeOf(text);
  if (at === undefined)
    return `"${cut(text)}" is no date such as 2026-11-25 or 2026-11-25T08:00:00Z`;
  return at <= now + AHEAD ? at : `the consent date ${cut(text)} lies in the future`;
}

function withDefaults(tags: string[], more: string[]): string[] {
  return more.length === 0 ? tags : [...new Set([...tags, ...more])];
}

function columnsOf(
  header: readonly string[],
  { columns = {}, fields }: Layout,
  file: string,
): Map<string, number> {
  const words = header.map(plain);
  const at = new Map<string, number>();
  const known: Record<string, readonly string[]> = {
    ...Object.fromEntries(Object.keys(fields).map((name) => [name, [plain(name)]])),
    ...HEADERS,
  };
  for (const [column, names] of Object.entries(known)) {
    const index = names.map((name) => words.indexOf(name)).find((found) => found >= 0);
    if (index !== undefined) at.set(column, index);
  }
  for (const [column, name] of Object.entries(columns)) {
    if (!Object.hasOwn(known, column)) throw unknownColumn(column, Object.keys(known));
    const index = words.indexOf(plain(name));
    if (index < 0) throw missingColumn(name, header, file);
    at.set(column, index);
  }
  if (at.has('email')) return at;
  throw inputError('csv-without-address', 'No column holds the addresses', {
    file,
    line: 1,
    hint: `Say which one does: --column email=NAME. The first line says: ${cut(header.join(', '))}`,
  });
}

/** Without names only the address can be told, and a name beside it. */
function columnsWithoutHeader(
  first: readonly string[],
  { columns = {} }: Layout,
  file: string,
): Map<string, number> {
  const [name] = Object.values(columns);
  if (name !== undefined) throw missingColumn(name, first, file);
  const email = first.findIndex((cell) => cell.includes('@'));
  return new Map([
    ['email', email],
    ...(first.length > 1 ? [['name', email === 0 ? 1 : 0]] : []),
  ] as [string, number][]);
}

/** `Email-Address` and `email_address` are one name. */
function plain(header: string): string {
  return header
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ');
}

/** Signs that begin a formula, also in full width (OWASP, CSV Injection). */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;

/** So that no spreadsheet runs it. */
export function withoutFormula(cell: string): string {
  return FORMULA.test(cell) ? `'${cell}` : cell;
}

/** Undoes what the export did. */
function withFormula(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}

/** For messages: printable, and of a readable length. */
export function cut(text: string): string {
  const printable = JSON.stringify(text).slice(1, -1);
  return printable.length > 100 ? `${printable.slice(0, 99)}…` : printable;
}

function unknownColumn(column: string, known: string[]) {
  return inputError('column-unknown', `Nothing that is called "${column}" is kept of readers`, {
    hint: `Known: ${known.join(', ')}. Others are declared under "fields" in config/newsletter.yaml.`,
  });
}

function missingColumn(name: string, header: readonly string[], file: string) {
  return inputError('csv-without-column', `There is no column "${name}"`, {
    file,
    line: 1,
    hint: `The first line says: ${cut(header.join(', '))}`,
  });
}
