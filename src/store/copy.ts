/** Copies a whole database into another, and proves that both hold the same. */
import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { blockedError, failedError } from '../errors.ts';
import { type ColumnType, tableOf } from './dialect.ts';
import type { Database } from './schema.ts';

type Row = Record<string, unknown>;

interface Table {
  name: string;
  columns: Record<string, ColumnType>;
}

/** Rows that are read and written at once. */
const PAGE = 2_000;

/** What SQLite's types are called in PostgreSQL. */
const TYPES: Record<string, ColumnType> = {
  integer: 'bigint',
  real: 'double precision',
  text: 'text',
  blob: 'bytea',
};

/**
 * Copies every row of a SQLite database into an empty PostgreSQL one, ids included, in one transaction of each.
 * Nobody writes to the first meanwhile.
 * @param onProgress rows copied so far
 * @returns rows by table
 * @throws BroadsheetError `database-not-empty`, `copy-differs`: the second one is then as it was
 */
export async function copyDatabase(
  from: Kysely<Database>,
  to: Kysely<Database>,
  onProgress: (rows: number) => void,
): Promise<Record<string, number>> {
  return from.transaction().execute((source) =>
    to.transaction().execute(async (target) => {
      const tables = await tablesOf(source);
      for (const table of tables) await requireEmpty(target, table);
      const copied: Record<string, number> = {};
      let sum = 0;
      for (const table of tables) {
        const before = createDigest();
        for await (const read of pagesOf(source, table)) {
          const page = read.map(storable);
          await insert(target, table, page);
          before.add(page);
          sum += page.length;
          onProgress(sum);
        }
        await requireSame(target, table, before);
        copied[table.name] = before.rows;
      }
      await setSequences(source, target, tables);
      return copied;
    }),
  );
}

/** Those that rows of others refer to come first. */
async function tablesOf(db: Kysely<Database>): Promise<Table[]> {
  const { rows } = await sql<{ name: string; column: string; type: string }>`
    select tables.name, columns.name as "column", lower(columns.type) as type
    from sqlite_master as tables join pragma_table_info(tables.name) as columns
    where tables.type = 'table' and tables.name not like 'sqlite%' and tables.name <> 'migrations'
    order by tables.rowid, columns.cid`.execute(db);
  const tables = Map.groupBy(rows, ({ name }) => name);
  const { rows: links } = await sql<{ name: string; needs: string }>`
    select tables.name, links."table" as needs
    from sqlite_master as tables join pragma_foreign_key_list(tables.name) as links
    where tables.type = 'table'`.execute(db);
  const ordered = new Set<string>();
  const visit = (name: string): void => {
    for (const link of links) {
      if (link.name === name && link.needs !== name && !ordered.has(link.needs)) visit(link.needs);
    }
    ordered.add(name);
  };
  for (const name of tables.keys()) visit(name);
  return [...ordered].map((name) => ({
    name,
    columns: Object.fromEntries(
      (tables.get(name) ?? []).map(({ column, type }) => [column, TYPES[type] ?? 'text']),
    ),
  }));
}

async function requireEmpty(db: Kysely<Database>, { name }: Table): Promise<void> {
  const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db);
  if (rows.length === 0) return;
  throw blockedError(
    'database-not-empty',
    `The table ${name} has rows already; nothing was copied`,
    {
      hint: 'Copy into a new database.',
    },
  );
}

async function* pagesOf(db: Kysely<Database>, { name, columns }: Table): AsyncGenerator<Row[]> {
  if (!('id' in columns)) {
    const { rows } = await sql<Row>`select * from ${sql.table(name)}`.execute(db);
    if (rows.length > 0) yield rows;
    return;
  }
  for (let after = 0; ; ) {
    const { rows } = await sql<Row>`select * from ${sql.table(name)} where id > ${after}
      order by id limit ${PAGE}`.execute(db);
    if (rows.length === 0) return;
    yield rows;
    after = Number(rows.at(-1)?.id);
  }
}

async function insert(db: Kysely<Database>, table: Table, rows: Row[]): Promise<void> {
  const names = sql.join(Object.keys(table.columns).map((column) => sql.ref(column)));
  await sql`insert into ${sql.table(table.name)} (${names})
    select ${names} from ${tableOf(db, 'copied', table.columns, rows)}`.execute(db);
}

/** PostgreSQL keeps no NUL in text; such a sign can only have come from a mail server that sent rubbish. */
function storable(row: Row): Row {
  const values = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === 'string' ? value.replaceAll('\0', '\ufffd').toWellFormed() : value,
  ]);
  return Object.fromEntries(values);
}

/** A sum over rows in which their order has no part. */
function createDigest() {
  const sum = Buffer.alloc(32);
  let count = 0;
  return {
    get rows() {
      return count;
    },
    add(rows: Row[]): void {
      for (const row of rows) {
        const digest = createHash('sha256').update(canonical(row)).digest();
        for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) ^ (digest[at] ?? 0);
      }
      count += rows.length;
    },
    value: () => `${count}:${sum.toString('hex')}`,
  };
}

function canonical(row: Row): string {
  const values = Object.keys(row)
    .sort()
    .map((name) => {
      const value = row[name];
      return [name, Buffer.isBuffer(value) ? `bytes ${value.toString('hex')}` : value];
    });
  return JSON.stringify(values);
}

async function requireSame(
  db: Kysely<Database>,
  table: Table,
  expected: ReturnType<typeof createDigest>,
): Promise<void> {
  const found = createDigest();
  for await (const page of pagesOf(db, table)) found.add(page);
  if (found.value() === expected.value()) return;
  throw failedError(
    'copy-differs',
    `The copy of ${table.name} is not what was read; nothing was copied`,
  );
}

/** An id that a row once had is never given to another. */
async function setSequences(
  source: Kysely<Database>,
  target: Kysely<Database>,
  tables: Table[],
): Promise<void> {
  const { rows } = await sql<{
    name: string;
    seq: number;
  }>`select name, seq from sqlite_sequence`.execute(source);
  for (const { name, seq } of rows) {
    if (seq === 0 || !tables.some((table) => table.name === name)) continue;
    await sql`select setval(pg_get_serial_sequence(${name}, 'id'), ${seq})`.execute(target);
  }
}
