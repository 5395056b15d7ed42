/** Brings the tables up to date, in one transaction: two processes that start at once take turns. */
import { type Kysely, sql } from 'kysely';
import { failedError } from '../errors.ts';
import * as first from './migrations/0001-first.ts';
import * as limits from './migrations/0002-limits.ts';
import * as audience from './migrations/0004-audience.ts';
import type { Database } from './schema.ts';

/** In the order in which they are applied. A landed migration is never changed. */
const MIGRATIONS = { '0001-first': first, '0002-limits': limits, '0004-audience': audience };

/**
 * Applies what is missing.
 * @throws BroadsheetError `database-newer` when a later version of Broadsheet has written the file,
 * `database-foreign` when another program has; the file is left as it was
 */
export async function migrate(db: Kysely<Database>, file: string): Promise<void> {
  // Looked at without the write lock, because nearly every start finds nothing to do.
  if (missing(await appliedTo(db, file)).length === 0) return;
  await db.transaction().execute(async (trx) => {
    const applied = await appliedTo(trx, file);
    await sql`create table if not exists migrations (name text primary key, at integer not null)`.execute(
      trx,
    );
    for (const [name, { up }] of missing(applied)) {
      await up(trx as unknown as Kysely<unknown>);
      await sql`insert into migrations
        values (${name}, cast(unixepoch('subsec') * 1000 as integer))`.execute(trx);
    }
  });
}

function missing(applied: string[]) {
  return Object.entries(MIGRATIONS).filter(([name]) => !applied.includes(name));
}

/** The names of the migrations that a file of ours has had. Only reads. */
async function appliedTo(db: Kysely<Database>, file: string): Promise<string[]> {
  const tables = await namesIn(
    db,
    sql`(select name from sqlite_master where type = 'table' and name not like 'sqlite%')`,
  );
  if (tables.length === 0) return [];
  if (!tables.includes('migrations')) throw foreign(file);
  const applied = await namesIn(db, sql`migrations`);
  if (applied.some((name) => !Object.hasOwn(MIGRATIONS, name))) throw newer(file);
  return applied;
}

async function namesIn(db: Kysely<Database>, table: ReturnType<typeof sql>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from ${table}`.execute(db);
  return rows.map(({ name }) => name);
}

function newer(file: string) {
  return failedError('database-newer', 'A newer version of Broadsheet has written this database', {
    file,
    hint: 'Use that version, or a backup from before.',
  });
}

function foreign(file: string) {
  return failedError('database-foreign', 'This database belongs to another program', {
    file,
    hint: 'Name a file of its own in DATABASE_URL, or unset it.',
  });
}
