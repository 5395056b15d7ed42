/** The connections to PostgreSQL. */
import type { Kysely } from 'kysely';
import pg from 'pg';
import { Client } from './client.ts';
import type { Database } from './schema.ts';

/** Connections of one process at most: a sender writes over one, and its tasks beside it over others. */
const CONNECTIONS = 5;
/** How long a connection may take, ms. */
const CONNECT_TIMEOUT = 10_000;

/**
 * A transaction in which nothing happens for so long is ended by the server, ms: a machine that froze or fell off the
 * network would keep its locks otherwise, and hold everybody else up.
 */
const SILENT = 20_000;
/** A connection on which nothing happens is tried after so long, ms: a server may go without a word. */
const ALIVE = 10_000;

/** Connections that give numbers for whole numbers, and outlive the loss of the server. */
export function openPool(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    Client,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    keepAliveInitialDelayMillis: ALIVE,
    application_name: 'broadsheet',
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
    // A role or a pooler may have turned off what the ledger is built on.
    onConnect: async (client) => {
      // Who uses a connection hears of its loss from the query; without a listener the process would end.
      client.on('error', () => {});
      await client.query(`set idle_in_transaction_session_timeout = ${SILENT};
        select set_config('synchronous_commit', 'on', false)
        where current_setting('synchronous_commit') = 'off'`);
    },
  });
  pool.on('error', () => {});
  return pool;
}

/** int8 and numeric are text to the driver; all of ours are times, ids and counts. */
const NUMBERS = [20, 1700];

function parserOf(oid: number, format?: 'text'): unknown {
  return NUMBERS.includes(oid) ? Number : pg.types.getTypeParser(oid, format);
}

const pools = new WeakMap<object, pg.Pool>();

/** So that pg-boss can work on the connections that we have. */
export function remember(db: Kysely<Database>, pool: pg.Pool): void {
  pools.set(db, pool);
}

/** @throws Error on SQLite and inside a transaction */
export function poolOf(db: Kysely<Database>): pg.Pool {
  const pool = pools.get(db);
  if (pool) return pool;
  throw new Error('This database has no pool of connections');
}
