/** Named parts of the list: a condition of the settings → what a database is asked. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Condition, Fields, Segments } from '../config/settings.ts';
import { inputError } from '../errors.ts';
import { jsonValue } from '../store/json.ts';
import type { Database } from '../store/schema.ts';

/** What conditions are read with. */
export interface Reading {
  db: Kysely<Database>;
  fields: Fields;
  /** ms. */
  now: number;
}

type Truth = RawBuilder<boolean>;

/** The condition of a segment. @throws BroadsheetError `segment-unknown` */
export function segmentNamed(segments: Segments, name: string): Condition {
  const known = Object.hasOwn(segments, name) ? segments[name] : undefined;
  if (known) return known;
  const names = Object.keys(segments).join(', ');
  throw inputError('segment-unknown', `There is no segment "${name}"`, {
    file: 'config/newsletter.yaml',
    hint: names
      ? `Segments: ${names}.`
      : 'Write it under "segments"; docs/subscribers.md shows how.',
  });
}

/**
 * True for a row of `subscribers` that the condition is true of; what is not known of a reader is never true, and
 * `not` turns that round. Says nothing of who may be mailed.
 */
export function matches(condition: Condition, reading: Reading): Truth {
  const { all, any, not, tag, language, joined } = condition;
  if (all) return sql`(${sql.join(each(all, reading), sql` and `)})`;
  if (any) return sql`(${sql.join(each(any, reading), sql` or `)})`;
  if (not) return sql`(not ${matches(not, reading)})`;
  if (tag !== undefined) return hasTag(tag);
  if (language !== undefined) return reads(language);
  if (joined) return joinedAt(joined, reading.now);
  return ofField(condition, reading);
}

function each(conditions: Condition[], reading: Reading): Truth[] {
  return conditions.map((one) => matches(one, reading));
}

/** Tags are kept as a JSON list of words without quotes, so that each is found with its own. */
function hasTag(tag: string): Truth {
  return sql`(replace(subscribers.tags, ${JSON.stringify(tag)}, '') <> subscribers.tags)`;
}

/** `zh` is `zh-CN` as well; in whatever case. */
function reads(language: string): Truth {
  const lower = language.toLowerCase();
  const own = sql`lower(coalesce(subscribers.language, ''))`;
  return sql`(${own} = ${lower} or ${own} like ${`${lower}-%`})`;
}

const DAY = 86_400_000;

function joinedAt({ before, after, within }: NonNullable<Condition['joined']>, now: number): Truth {
  const at = sql.ref('subscribers.created_at');
  const asked: Truth[] = [];
  if (before) asked.push(sql`${at} < ${startOf(before)}`);
  // After a day: not on it.
  if (after) asked.push(sql`${at} >= ${startOf(after) + DAY}`);
  if (within !== undefined) asked.push(sql`${at} >= ${now - within}`);
  return asked.length === 0 ? sql`(1 = 1)` : sql`(${sql.join(asked, sql` and `)})`;
}

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

function ofField(condition: Condition, { db, fields }: Reading): Truth {
  const { field = '', is, in: among, before, after, above, below, known } = condition;
  const isNumber = fields[field] === 'number';
  const value = jsonValue(db, 'subscribers.fields', field, isNumber ? 'number' : 'text');
  const asked: Truth[] = [];
  if (known !== undefined) asked.push(known ? sql`${value} is not null` : sql`${value} is null`);
  if (is !== undefined) asked.push(sql`${value} = ${kept(is, fields[field])}`);
  if (among) {
    const values = among.map((one) => sql`${kept(one, fields[field])}`);
    asked.push(sql`${value} in (${sql.join(values)})`);
  }
  // Days as text: 2026-09-30 comes before 2026-10-01 in every order of letters.
  if (before) asked.push(sql`${value} < ${before}`);
  if (after) asked.push(sql`${value} > ${after}`);
  if (above !== undefined) asked.push(sql`${value} > ${above}`);
  if (below !== undefined) asked.push(sql`${value} < ${below}`);
  return sql`coalesce((${sql.join(asked, sql` and `)}), ${sql.lit(false)})`;
}

/** As `parseFields` keeps it. */
function kept(value: string | number | boolean, kind: Fields[string] | undefined): string | number {
  if (kind === 'number') return Number(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}
