/** The store as a whole: its tables, its backups, its move to PostgreSQL. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { blockedError, inputError } from '../errors.ts';
import { backUp, replaceFile, requireWhole } from '../store/backup.ts';
import { copyDatabase } from '../store/copy.ts';
import { isPostgres } from '../store/dialect.ts';
import { acquireLock } from '../store/lock.ts';
import { isPostgresUrl, openStore } from '../store/open.ts';
import type { Database } from '../store/schema.ts';
import { pathOf } from '../store/sqlite.ts';
import { assetsOf, copyAssets } from './assets.ts';
import type { Newsletter } from './newsletter.ts';

/** Where a newsletter's database is, whether or not it can be opened. */
export interface DatabasePlace {
  /** DATABASE_URL. */
  url: string | undefined;
  stateDir: string;
}

/**
 * The tables are brought up to date whenever a database is opened; this says so, and lets a role work on them.
 * @param role of PostgreSQL that gets what a worker needs; absent: none
 * @throws BroadsheetError `database-not-postgres`, `role-unknown`
 */
export async function migrateDatabase({ db }: Newsletter, role: string | undefined): Promise<void> {
  if (role === undefined) return;
  requirePostgres(db);
  const { grantTo } = await import('../store/postgres.ts');
  await grantTo(db, role);
}

/**
 * Copies the SQLite file while it is in use, and beside it, in `….assets/`, the pictures that sent issues show.
 * @param to absent: a name with the time, in `backups/` of the state directory
 * @returns the path
 * @throws BroadsheetError `database-not-a-file` on PostgreSQL, `file-exists`
 */
export async function backUpDatabase(
  place: DatabasePlace,
  to: string | undefined,
  now: number,
): Promise<string> {
  const path = fileOf(
    place,
    `pg_dump --format=custom --file=backup.dump "$DATABASE_URL", and copy ${assetsOf(place)}`,
  );
  if (!existsSync(path)) throw inputError('file-missing', `There is no database ${path}`);
  const target = to ?? join(place.stateDir, 'backups', `broadsheet-${stamp(now)}.db`);
  if (await backUp(path, target)) {
    // Later than the database: pictures are only ever added, so all that it names are there.
    copyAssets(assetsOf(place), picturesOf(target));
    return target;
  }
  throw inputError('file-exists', `There is a file ${target} already`, {
    hint: 'Name another one.',
  });
}

/** The pictures that belong to a backup. */
function picturesOf(backup: string): string {
  return `${backup}.assets`;
}

/**
 * Puts a backup in the place of the database, which is moved aside, and its pictures beside those that are there. Nothing is sent from it until it is adopted.
 * @returns where the former database is now; null where there was none
 * @throws BroadsheetError `backup-damaged`, `database-in-use`, and as `openStore` does; nothing was changed then
 */
export async function restoreDatabase(
  place: DatabasePlace,
  from: string,
  now: number,
): Promise<string | null> {
  const path = fileOf(place, 'pg_restore --clean --dbname="$DATABASE_URL" backup.dump');
  requireWhole(from);
  const lock = acquireLock(join(place.stateDir, 'sender.lock'));
  if (!lock) throw sending();
  const prepared = `${path}.restoring`;
  try {
    rmSync(prepared, { force: true });
    await backUp(from, prepared);
    const { db, close } = await openStore({ url: `sqlite:${prepared}`, stateDir: place.stateDir });
    await disown(db, `restored ${stamp(now)}`, now);
    await close();
    copyAssets(picturesOf(from), assetsOf(place));
    const aside = existsSync(path) ? `${path}.replaced-${stamp(now)}` : null;
    replaceFile(path, prepared, aside ?? '');
    return aside;
  } finally {
    rmSync(prepared, { force: true });
    lock.release();
  }
}

/** Whoever sends from it next has to say so, for each newsletter that it holds. */
async function disown(db: Kysely<Database>, instance: string, now: number): Promise<void> {
  const home = { instance, since: now };
  await db.transaction().execute(async (trx) => {
    const newsletters = await trx
      .selectFrom('subscribers')
      .select('newsletter')
      .distinct()
      .execute();
    for (const { newsletter } of newsletters) {
      await trx
        .insertInto('installations')
        .values({ newsletter, ...home })
        .onConflict((conflict) => conflict.column('newsletter').doUpdateSet(home))
        .execute();
    }
    await trx.updateTable('schedules').set({ instance }).execute();
  });
}

/**
 * Copies a SQLite file into the newsletter's PostgreSQL database, which must be empty. Nothing is sent from that one
 * until it is adopted.
 * @param from path; absent: the file of the state directory
 * @param onProgress rows copied so far
 * @returns rows by table
 * @throws BroadsheetError `database-not-postgres`, `database-not-empty`, `copy-differs`
 */
export async function copyFrom(
  { db, stateDir, clock }: Newsletter,
  from: string | undefined,
  onProgress: (rows: number) => void,
): Promise<Record<string, number>> {
  requirePostgres(db);
  const path = from ?? join(stateDir, 'broadsheet.db');
  requireWhole(path);
  const lock = acquireLock(join(stateDir, 'sender.lock'));
  if (!lock) throw sending();
  const source = await openStore({ url: `sqlite:${path}`, stateDir });
  try {
    const copied = await copyDatabase(source.db, db, onProgress);
    await disown(db, `copied ${stamp(clock())}`, clock());
    return copied;
  } finally {
    await source.close();
    lock.release();
  }
}

function requirePostgres(db: Kysely<Database>): void {
  if (isPostgres(db)) return;
  throw inputError('database-not-postgres', 'DATABASE_URL does not name a PostgreSQL database', {
    hint: 'Set DATABASE_URL=postgres://… to the database that shall hold everything from now on.',
  });
}

function fileOf({ url, stateDir }: DatabasePlace, instead: string): string {
  if (!url || !isPostgresUrl(url)) return pathOf(url, stateDir);
  throw inputError(
    'database-not-a-file',
    'The database is PostgreSQL, which has tools of its own',
    {
      hint: `Run: ${instead}`,
    },
  );
}

/** `2026-11-25T170512` */
function stamp(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replaceAll(':', '');
}

function sending() {
  return blockedError('sender-running', 'A sender works on this database', {
    hint: 'End it (broadsheet serve, send, worker), then try again. Nothing was changed.',
  });
}
