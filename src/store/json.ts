/** What stands in a JSON object in a column of text, as SQLite and PostgreSQL ask for it. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres } from './dialect.ts';
import type { Database } from './schema.ts';

type Db = Pick<Kysely<Database>, 'getExecutor'>;

/**
 * The value of a key as text or number; null where there is none.
 * @param column of text that holds a JSON object, `subscribers.fields`
 * @param key letters, digits and hyphens
 */
export function jsonValue<Kind extends 'text' | 'number'>(
  db: Db,
  column: string,
  key: string,
  kind: Kind,
): RawBuilder<(Kind extends 'text' ? string : number) | null> {
  if (!isPostgres(db)) return sql`json_extract(${sql.ref(column)}, ${sql.lit(`$."${key}"`)})`;
  const text = sql`(${sql.ref(column)}::jsonb ->> ${sql.lit(key)})`;
  return kind === 'text' ? (text as never) : sql`${text}::double precision`;
}
