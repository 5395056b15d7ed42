/** PostgreSQL, 15 or later: one pool of connections, and words for what goes wrong. */
import { Kysely, PostgresDialect, sql } from 'kysely';
import { inputError } from '../errors.ts';
import { ENGINE_SCHEMA, hasEngine, migrateEngine } from './engine.ts';
import { explain } from './explain.ts';
import { migrate } from './migrate.ts';
import type { Store } from './open.ts';
import { openPool, remember } from './pool.ts';
import type { Database } from './schema.ts';

/**
 * Connects, and brings the tables up to date where this role may and something is missing.
 * @param url `postgres://user:password@host:port/database?sslmode=verify-full`
 * @throws BroadsheetError `database-unreachable`, `database-refused`, `database-untrusted`, `database-outdated`,
 * `database-newer`, `database-foreign`
 */
export async function openPostgres(url: string): Promise<Store> {
  const path = withoutPassword(url);
  const pool = openPool(url);
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  remember(db, pool);
  try {
    if ((await migrate(db, path)) || !(await hasEngine(db))) await migrateEngine(db);
    return { db, path, close: () => db.destroy() };
  } catch (error) {
    await db.destroy();
    throw explain(error, path);
  }
}

/**
 * Gives a role what sending, planning and the pages need: to read and write rows. Tables belong to whoever migrates.
 * @throws BroadsheetError `role-unknown`
 */
export async function grantTo(db: Kysely<Database>, role: string): Promise<void> {
  const known = await sql`select 1 from pg_roles where rolname = ${role}`.execute(db);
  if (known.rows.length === 0)
    throw inputError('role-unknown', `PostgreSQL knows no role "${role}"`, {
      hint: `Make it first: create role ${role} login password '…'`,
    });
  const { rows } = await sql<{ name: string }>`select current_schema() as name`.execute(db);
  const to = sql.id(role);
  for (const { name } of [...rows, { name: ENGINE_SCHEMA }]) {
    const schema = sql.id(name);
    for (const right of [
      sql`usage on schema ${schema}`,
      sql`select, insert, update, delete on all tables in schema ${schema}`,
      sql`usage on all sequences in schema ${schema}`,
    ])
      await sql`grant ${right} to ${to}`.execute(db);
  }
  for (const { name } of rows)
    await sql`revoke insert, update, delete on ${sql.id(name, 'migrations')} from ${to}`.execute(
      db,
    );
}

/** `postgres://user@host:port/database`: what may stand in words and logs. */
function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return 'postgres:';
  const { protocol, username, host, pathname } = new URL(url);
  return `${protocol}//${username ? `${username}@` : ''}${host}${pathname}`;
}
