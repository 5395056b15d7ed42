import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { isPassing, isPostgres } from './dialect.ts';
import type { Database } from './schema.ts';

/** Runs in the transaction that is open already, or in one of its own. */
export function inTransaction<Result>(
  db: Kysely<Database>,
  work: (trx: Kysely<Database>) => Promise<Result>,
): Promise<Result> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}

/**
 * Runs in a transaction of its own that may be run again when it fails: a connection that is lost while the commit is
 * under way leaves open whether it happened, and then PostgreSQL is asked.
 */
export async function inSureTransaction<Result>(
  db: Kysely<Database>,
  work: (trx: Kysely<Database>) => Promise<Result>,
): Promise<Result> {
  if (!isPostgres(db) || db.isTransaction) return inTransaction(db, work);
  let done: { id: string; result: Result } | undefined;
  try {
    return await db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ id: string }>`select pg_current_xact_id()::text as id`.execute(
        trx,
      );
      const result = await work(trx);
      done = { id: rows[0]?.id ?? '', result };
      return result;
    });
  } catch (error) {
    if (done && isPassing(error) && (await hasCommitted(db, done.id))) return done.result;
    throw error;
  }
}

/** How long a database that is away is asked again, and the pause between, ms. */
const PATIENCE = 5 * 60_000;
const RETRY = 100;

async function hasCommitted(db: Kysely<Database>, id: string): Promise<boolean> {
  const begun = performance.now();
  for (;;) {
    try {
      const { rows } = await sql<{
        status: string;
      }>`select pg_xact_status(${id}::xid8) as status`.execute(db);
      if (rows[0]?.status !== 'in progress') return rows[0]?.status === 'committed';
    } catch (error) {
      // A number that was not yet given out: the server crashed before it had written anything of it.
      if ((error as { code?: string }).code === '22023') return false;
      if (!isPassing(error) || performance.now() - begun > PATIENCE) throw error;
    }
    await sleep(RETRY);
  }
}
