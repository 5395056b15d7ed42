/** Brings the tables up to date, in one transaction: two processes that start at once take turns. */
import { type Kysely, sql } from 'kysely';
import { failedError } from '../errors.ts';
import * as first from './migrations/0001-first.ts';
import type { Database } from './schema.ts';

/** In the order in which they are applied. A landed migration is never changed. */
const MIGRATIONS = { '0001-first': first };

/** @throws BroadsheetError `database-newer` when a later version of Broadsheet has written the file */
export async function migrate(db: Kysely<Database>, file: string): Promise<void> {
  if ((await upToDate(db)) === true) return;
  await db.transaction().execute(async (trx) => {
    await sql`create table if not exists migrations (name text primary key, at integer not null)`.execute(
      trx,
    );
    const applied = await appliedTo(trx);
    if (applied.some((name) => !(name in MIGRATIONS))) throw newer(file);
    for (const [name, { up }] of Object.entries(MIGRATIONS)) {
      if (applied.includes(name)) continue;
      await up(trx as unknown as Kysely<unknown>);
      await sql`insert into migrations values (${name}, unixepoch('subsec') * 1000)`.execute(trx);
    }
  });
}

/** Looked at without the write lock, because nearly every start finds nothing to do. */
async function upToDate(db: Kysely<Database>): Promise<boolean> {
  const { rows } =
    await sql`select 1 from sqlite_master where type = 'table' and name = 'migrations'`.execute(db);
  if (rows.length === 0) return false;
  const applied = await appliedTo(db);
  return (
    applied.length === Object.keys(MIGRATIONS).length && applied.every((name) => name in MIGRATIONS)
  );
}

async function appliedTo(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(db);
  return rows.map(({ name }) => name);
}

function newer(file: string) {
  return failedError('database-newer', 'A newer version of Broadsheet has written this database', {
    file,
    hint: 'Use that version, or a backup from before.',
  });
}
