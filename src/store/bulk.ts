/** Many rows at once, faster than a query builder can write them down. */
import { CompiledQuery, type Insertable, type Kysely } from 'kysely';
import { isPostgres } from './dialect.ts';
import type { Database } from './schema.ts';

/** Rows of one statement. SQLite takes 32,766 values in one, PostgreSQL 65,535. */
const PER_STATEMENT = 500;

/**
 * Inserts rows; those that are there already are passed over.
 * @param rows all with the same keys
 */
export async function insertMany<Table extends keyof Database>(
  db: Kysely<Database>,
  table: Table,
  rows: readonly Insertable<Database[Table]>[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += PER_STATEMENT) {
    const part = rows.slice(from, from + PER_STATEMENT) as Row[];
    const { text, values } = statement(table, part, isPostgres(db) ? [] : sameInAll(part));
    await db.executeQuery(CompiledQuery.raw(text, values));
  }
}

type Row = Record<string, unknown>;

/** To bind a value takes SQLite as long as to store it: what is the same in all rows is bound once. */
function sameInAll(rows: Row[]): string[] {
  const [first = {}] = rows;
  return Object.keys(first).filter((column) => rows.every((row) => row[column] === first[column]));
}

/** @param same columns that are written once for all rows: not for PostgreSQL, which takes such values for text */
function statement(table: string, rows: Row[], same: string[]) {
  const [first = {}] = rows;
  const others = Object.keys(first).filter((column) => !same.includes(column));
  const values = same.map((column) => first[column]);
  for (const row of rows) for (const column of others) values.push(row[column]);
  const into = `insert into "${table}" (${[...same, ...others].map((column) => `"${column}"`).join(', ')})`;
  return {
    text: `${into} ${same.length > 0 ? shared(rows, same, others) : listed(rows, others)} on conflict do nothing`,
    values,
  };
}

function listed(rows: Row[], columns: string[]): string {
  let next = 0;
  const row = () => {
    const marks = columns.map(() => {
      next += 1;
      return `$${next}`;
    });
    return `(${marks.join(', ')})`;
  };
  return `values ${rows.map(row).join(', ')}`;
}

function shared(rows: Row[], same: string[], others: string[]): string {
  const once = same.map(() => '?');
  if (others.length === 0) return `select ${once.join(', ')} where true`;
  const row = `(${others.map(() => '?').join(', ')})`;
  const columns = [...once, ...others.map((_, at) => `column${at + 1}`)];
  return `select ${columns.join(', ')} from (values ${rows.map(() => row).join(', ')}) where true`;
}
