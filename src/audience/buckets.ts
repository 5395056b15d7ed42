/** Token buckets in the database (W-09): they survive a restart, and hold for all processes together. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../store/schema.ts';

export interface Limit {
  /** What is limited: `network:HASH`, `domain:example.net`, `overall`. */
  scope: string;
  /** So many at once. */
  capacity: number;
  /** An empty bucket is full again after so long, ms; Infinity: never. */
  refill: number;
}

/** Further than any clock: a bucket that never fills is never swept. */
const NEVER = 8_640_000_000_000_000;

/** Takes one token from each bucket, or from none. @param now ms @returns false where one is empty */
export async function take(
  db: Kysely<Database>,
  newsletter: string,
  limits: readonly Limit[],
  now: number,
): Promise<boolean> {
  for (const [at, limit] of limits.entries()) {
    if (await takeOne(db, newsletter, limit, now)) continue;
    for (const { scope } of limits.slice(0, at)) await giveBack(db, newsletter, scope);
    return false;
  }
  return true;
}

/** In one statement, so that two processes never take the same token. */
async function takeOne(
  db: Kysely<Database>,
  newsletter: string,
  { scope, capacity, refill }: Limit,
  now: number,
): Promise<boolean> {
  const perMs = Number.isFinite(refill) ? capacity / refill : 0;
  const filled = sql<number>`buckets.tokens + (${now} - buckets.updated_at) * cast(${perMs} as double precision)`;
  const level = sql<number>`case when ${filled} > ${capacity} then ${capacity} else ${filled} end`;
  const full = perMs > 0 ? now + refill : NEVER;
  const row = { tokens: capacity - 1, updated_at: now, full_at: full };
  const taken = await db
    .insertInto('buckets')
    .values({ newsletter, scope, ...row })
    .onConflict((conflict) =>
      conflict
        .columns(['newsletter', 'scope'])
        .doUpdateSet({ ...row, tokens: sql<number>`${level} - 1` })
        .where(sql<boolean>`${level} >= 1`),
    )
    .returning('scope')
    .executeTakeFirst();
  return taken !== undefined;
}

async function giveBack(db: Kysely<Database>, newsletter: string, scope: string): Promise<void> {
  await db
    .updateTable('buckets')
    .set(({ eb }) => ({ tokens: eb('tokens', '+', 1) }))
    .where('newsletter', '=', newsletter)
    .where('scope', '=', scope)
    .execute();
}

/** Empties no longer count: the next one is the first. */
export async function forgetBucket(
  db: Kysely<Database>,
  newsletter: string,
  scope: string,
): Promise<void> {
  await db
    .deleteFrom('buckets')
    .where('newsletter', '=', newsletter)
    .where('scope', '=', scope)
    .execute();
}

/** Removes the buckets that are full again: they say nothing. @param now ms */
export async function sweepBuckets(
  db: Kysely<Database>,
  newsletter: string,
  now: number,
): Promise<void> {
  await db
    .deleteFrom('buckets')
    .where('newsletter', '=', newsletter)
    .where('full_at', '<=', now)
    .execute();
}
