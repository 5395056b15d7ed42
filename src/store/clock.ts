/** One clock for all machines: the database's. */
import type { Kysely } from 'kysely';
import { databaseTime } from './dialect.ts';
import { explain } from './explain.ts';
import type { Store } from './open.ts';
import type { Database } from './schema.ts';

/** How often it is asked, ms; between two answers this machine's steady clock goes on. */
const ASKED_EVERY = 10_000;
/** Of so many answers the quickest is believed. */
const ANSWERS = 3;

/**
 * The time of the database, ms; steps of this machine's own clock have no part in it.
 * While the database is away it goes on by itself.
 * @throws BroadsheetError `database-unreachable`
 */
export async function databaseClock({ db, path }: Omit<Store, 'close'>): Promise<() => number> {
  let known = await offsetOf(db).catch((error: unknown) => {
    throw explain(error, path);
  });
  const timer = setInterval(() => {
    offsetOf(db).then(
      (found) => {
        // An answer that took long does not contradict one that was quick.
        const isNews = Math.abs(found.offset - known.offset) > found.took / 2;
        if (isNews || found.took < known.took) known = found;
      },
      () => {},
    );
  }, ASKED_EVERY);
  timer.unref();
  return () => Math.floor(performance.now() + known.offset);
}

/** What is to be added to this machine's steady clock; right to half the time that the answer took, ms. */
async function offsetOf(db: Kysely<Database>): Promise<{ took: number; offset: number }> {
  let best = { took: Number.POSITIVE_INFINITY, offset: 0 };
  for (let n = 0; n < ANSWERS; n += 1) {
    const asked = performance.now();
    const time = await databaseTime(db);
    const took = performance.now() - asked;
    if (took < best.took) best = { took, offset: time - (asked + took / 2) };
  }
  return best;
}
