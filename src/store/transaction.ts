import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

/** Runs in the transaction that is open already, or in one of its own. */
export function inTransaction<Result>(
  db: Kysely<Database>,
  work: (trx: Kysely<Database>) => Promise<Result>,
): Promise<Result> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}
