import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { along, isPassing, isPostgres } from './dialect.ts';
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
 * under way leaves open whether it happened, and then the database is asked. (PostgreSQL's own numbers of transactions
 * do not tell: after a crash it gives those of lost ones to others.)
 * @param worker who runs it; one transaction at a time
 */
export async function inSureTransaction<Result>(
  db: Kysely<Database>,
  worker: number,
  work: (trx: Kysely<Database>) => Promise<Result>,
): Promise<Result> {
  if (!isPostgres(db) || db.isTransaction) return inTransaction(db, work);
  const token = randomUUID();
  let done: { result: Result } | undefined;
  try {
    return await db.transaction().execute(async (trx) => {
      await sql`${along}insert into commits (worker, token) values (${worker}, ${token})
        on conflict (worker) do update set token = excluded.token`.execute(trx);
      const result = await work(trx);
      done = { result };
      return result;
    });
  } catch (error) {
    if (done && isPassing(error) && (await hasCommitted(db, worker, token))) return done.result;
    throw error;
  }
}

/** How long a database that is away is asked again, and the pause between, ms. */
const PATIENCE = 5 * 60_000;
const RETRY = 100;

/** Waits for the transaction, should the server still be at it: it holds the worker's row. */
async function hasCommitted(db: Kysely<Database>, worker: number, token: string): Promise<boolean> {
  const begun = performance.now();
  for (;;) {
    try {
      const row = await db
        .insertInto('commits')
        .values({ worker, token: '' })
        .onConflict((conflict) => conflict.column('worker').doUpdateSet({ worker }))
        .returning('token')
        .executeTakeFirst();
      return row?.token === token;
    } catch (error) {
      if (!isPassing(error) || performance.now() - begun > PATIENCE) throw error;
    }
    await sleep(RETRY);
  }
}
