/** How a list grows and shrinks. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../store/schema.ts';
import { reachable } from './reachable.ts';

const DAY = 86_400_000;

export interface GrowthDay {
  /** Its beginning in UTC, ms. */
  at: number;
  joined: number;
  left: number;
  /** Who was on the list at its end. */
  readers: number;
}

/** The days on which something happened, oldest first. Who has not confirmed is not on the list. */
export async function listGrowth(db: Kysely<Database>, newsletter: string): Promise<GrowthDay[]> {
  const changes = (await listChanges(db, newsletter, 0)).filter(
    ({ kind }) => kind !== 'suppressed',
  );
  const days = Map.groupBy(changes, ({ at }) => Math.floor(at / DAY) * DAY);
  let readers = 0;
  return [...days]
    .sort(([a], [b]) => a - b)
    .map(([at, ofDay]) => {
      const count = (wanted: Change['kind']) =>
        ofDay.reduce((sum, { kind, count }) => sum + (kind === wanted ? count : 0), 0);
      const [joined, left] = [count('joined'), count('left')];
      readers = Math.max(0, readers + joined - left);
      return { at, joined, left, readers };
    });
}

export interface Change {
  /** ms. */
  at: number;
  kind: 'joined' | 'left' | 'suppressed';
  count: number;
}

/** Every change since a time, by quarter of an hour. @param from ms */
export async function listChanges(
  db: Kysely<Database>,
  newsletter: string,
  from: number,
): Promise<Change[]> {
  const consents = db
    .selectFrom('consents')
    .select(({ fn }) => [
      sql<number>`consents.at / 900000`.as('quarter'),
      fn.countAll<number>().as('count'),
    ])
    .where('consents.newsletter', '=', newsletter)
    .where('consents.at', '>=', from)
    .groupBy(sql`consents.at / 900000`);
  const joined = await consents.where(hasJoined()).execute();
  const left = await consents.where('event', 'in', ['unsubscribed', 'removed']).execute();
  const suppressed = await db
    .selectFrom('suppressions')
    .innerJoin('subscribers', 'subscribers.address_hash', 'suppressions.address_hash')
    .select(({ fn }) => [
      sql<number>`suppressions.created_at / 900000`.as('quarter'),
      fn.countAll<number>().as('count'),
    ])
    .where('subscribers.newsletter', '=', newsletter)
    .where('subscribers.state', '=', 'active')
    .where('suppressions.created_at', '>=', from)
    .groupBy(sql`suppressions.created_at / 900000`)
    .execute();
  const all = { joined, left, suppressed };
  return (Object.keys(all) as (keyof typeof all)[]).flatMap((kind) =>
    all[kind].map(({ quarter, count }) => ({
      at: Math.floor(Number(quarter)) * 900_000,
      kind,
      count: Number(count),
    })),
  );
}

/** Whoever asked and has yet to confirm has not joined; the confirmation counts, once. */
function hasJoined() {
  return sql<boolean>`(consents.event in ('confirmed', 'imported', 'resubscribed')
    or (consents.event = 'subscribed'
      and exists (select 1 from subscribers
        where subscribers.id = consents.subscriber_id and subscribers.state <> 'pending')
      and not exists (select 1 from consents as later
        where later.subscriber_id = consents.subscriber_id and later.event = 'confirmed')))`;
}

/** Readers who can be mailed now. */
export async function listSize(db: Kysely<Database>, newsletter: string): Promise<number> {
  const { count } = await db
    .selectFrom('subscribers')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('newsletter', '=', newsletter)
    .where(reachable())
    .executeTakeFirstOrThrow();
  return Number(count);
}
