/** Brings the tables up to date, in one transaction: two processes that start at once take turns. */
import { type Kysely, sql } from 'kysely';
import { failedError } from '../errors.ts';
import { databaseTime, isPostgres, POSTGRES_TYPES } from './dialect.ts';
import type { Database } from './schema.ts';

/** In the order in which they are applied; loaded when one is missing. A landed migration is never changed. */
const MIGRATIONS = {
  '0001-first': () => import('./migrations/0001-first.ts'),
  '0002-limits': () => import('./migrations/0002-limits.ts'),
  '0003-bounces': () => import('./migrations/0003-bounces.ts'),
  '0004-audience': () => import('./migrations/0004-audience.ts'),
  '0005-signup': () => import('./migrations/0005-signup.ts'),
  '0006-clicks': () => import('./migrations/0006-clicks.ts'),
  '0007-rehearsals': () => import('./migrations/0007-rehearsals.ts'),
  '0009-cluster': () => import('./migrations/0009-cluster.ts'),
  '0010-alerts': () => import('./migrations/0010-alerts.ts'),
  '0011-commits': () => import('./migrations/0011-commits.ts'),
  '0012-lighter': () => import('./migrations/0012-lighter.ts'),
};

/** Names the lock by which two processes that migrate at once take turns, on PostgreSQL. */
const MIGRATING = 7_312_904;

/**
 * Applies what is missing.
 * @returns whether something was
 * @throws BroadsheetError `database-newer` when a later version of Broadsheet has written it,
 * `database-foreign` when another program has; it is left as it was
 */
export async function migrate(db: Kysely<Database>, file: string): Promise<boolean> {
  // Looked at without the write lock, because nearly every start finds nothing to do.
  if (missing(await appliedTo(db, file)).length === 0) return false;
  await db.transaction().execute(async (trx) => {
    if (isPostgres(trx))
      await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATING)})`.execute(trx);
    const typed = isPostgres(trx) ? trx.withPlugin(POSTGRES_TYPES) : trx;
    const applied = await appliedTo(trx, file);
    await typed.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('at', 'integer', (c) => c.notNull())
      .execute();
    for (const [name, load] of missing(applied)) {
      const { up } = await load();
      await up(typed as unknown as Kysely<unknown>);
      await sql`insert into migrations values (${name}, ${await databaseTime(trx)})`.execute(trx);
    }
  });
  return true;
}

/** What `migrate` would apply to a database that has tables already; nothing for a new one. */
export async function pendingMigrations(db: Kysely<Database>, file: string): Promise<string[]> {
  const applied = await appliedTo(db, file);
  return applied.length === 0 ? [] : missing(applied).map(([name]) => name);
}

function missing(applied: string[]) {
  return Object.entries(MIGRATIONS).filter(([name]) => !applied.includes(name));
}

/** The names of the migrations that a database of ours has had. Only reads. */
async function appliedTo(db: Kysely<Database>, file: string): Promise<string[]> {
  const tables = await namesIn(
    db,
    isPostgres(db)
      ? sql`(select tablename as name from pg_tables where schemaname = current_schema()) as tables`
      : sql`(select name from sqlite_master where type = 'table' and name not like 'sqlite%')`,
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
