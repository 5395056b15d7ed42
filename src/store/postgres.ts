/** PostgreSQL, 15 or later: one pool of connections, and words for what goes wrong. */
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { BroadsheetError, failedError, inputError } from '../errors.ts';
import { migrate } from './migrate.ts';
import type { Store } from './open.ts';
import type { Database } from './schema.ts';

/** Connections of one process at most: a sender writes over one, and its tasks beside it over others. */
const CONNECTIONS = 5;
/** How long a connection may take, ms. */
const CONNECT_TIMEOUT = 10_000;

/**
 * Connects, and brings the tables up to date where this role may and something is missing.
 * @param url `postgres://user:password@host:port/database?sslmode=verify-full`
 * @throws BroadsheetError `database-unreachable`, `database-refused`, `database-outdated`, `database-newer`,
 * `database-foreign`
 */
export async function openPostgres(url: string): Promise<Store> {
  const path = withoutPassword(url);
  const pool = openPool(url);
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(db, path);
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
  for (const { name } of rows) {
    const schema = sql.id(name);
    for (const right of [
      sql`usage on schema ${schema}`,
      sql`select, insert, update, delete on all tables in schema ${schema}`,
      sql`usage on all sequences in schema ${schema}`,
    ])
      await sql`grant ${right} to ${to}`.execute(db);
    await sql`revoke insert, update, delete on ${sql.id(name, 'migrations')} from ${to}`.execute(
      db,
    );
  }
}

/** Connections that give numbers for whole numbers, and outlive the loss of the server. */
export function openPool(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    application_name: 'broadsheet',
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
  });
  // Who uses a connection hears of its loss from the query; without a listener the process would end.
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.on('error', () => {});
    // A role or a pooler may have turned off what the ledger is built on.
    client
      .query(
        "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
      )
      .catch(() => {});
  });
  return pool;
}

/** int8 and numeric are text to the driver; all of ours are times, ids and counts. */
const NUMBERS = [20, 1700];

function parserOf(oid: number, format?: 'text'): unknown {
  return NUMBERS.includes(oid) ? Number : pg.types.getTypeParser(oid, format);
}

/** `postgres://user@host:port/database`: what may stand in words and logs. */
function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return 'postgres:';
  const { protocol, username, host, pathname } = new URL(url);
  return `${protocol}//${username ? `${username}@` : ''}${host}${pathname}`;
}

function explain(error: unknown, path: string): unknown {
  if (error instanceof BroadsheetError) return error;
  const { code = '', message } = error as { code?: string; message: string };
  if (code === '42501')
    return failedError(
      'database-outdated',
      'The tables are not up to date, and this role may not change them',
      {
        file: path,
        hint: 'As the owner of the database: broadsheet database migrate --grant ROLE',
      },
    );
  if (/^(28|3D)/.test(code))
    return failedError('database-refused', `PostgreSQL lets us not in: ${message}`, {
      file: path,
      hint: 'Look at user, password and database in DATABASE_URL, and at pg_hba.conf.',
    });
  if (/^(08|57P|E[A-Z]+$)/.test(code) || /timeout|terminated|SSL/i.test(message))
    return failedError('database-unreachable', `PostgreSQL cannot be reached: ${message}`, {
      file: path,
      hint: 'Look whether it runs and whether host, port and sslmode in DATABASE_URL are right.',
    });
  return error;
}
