/** How a list grows and shrinks. */
import { type Kysely, sql } from 'kysely';
import type { ConsentTable, Database } from '../store/schema.ts';
import { reachable } from './reachable.ts';

const DAY = 86_400_000;

const LEFT: ConsentTable['event'][] = ['unsubscribed', 'removed'];

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
  const joined = await db
    .selectFrom('subscribers')
    .select(({ fn }) => [day('created_at').as('day'), fn.countAll<number>().as('count')])
    .where('newsletter', '=', newsletter)
    .where('state', '<>', 'pending')
    .groupBy(day('created_at'))
    .execute();
  const left = await leaving(db, newsletter, LEFT);
  const back = await leaving(db, newsletter, ['resubscribed']);
  const days = new Map<number, { joined: number; left: number }>();
  const add = (kind: 'joined' | 'left', rows: { day: number; count: number }[]) => {
    for (const { day, count } of rows) {
      const sum = days.get(Number(day)) ?? { joined: 0, left: 0 };
      days.set(Number(day), { ...sum, [kind]: sum[kind] + Number(count) });
    }
  };
  add('joined', joined);
  add('joined', back);
  add('left', left);
  let readers = 0;
  return [...days]
    .sort(([a], [b]) => a - b)
    .map(([at, change]) => {
      readers = Math.max(0, readers + change.joined - change.left);
      return { at: at * DAY, ...change, readers };
    });
}

function leaving(db: Kysely<Database>, newsletter: string, events: ConsentTable['event'][]) {
  return db
    .selectFrom('consents')
    .select(({ fn }) => [day('at').as('day'), fn.countAll<number>().as('count')])
    .where('newsletter', '=', newsletter)
    .where('event', 'in', events)
    .groupBy(day('at'))
    .execute();
}

/** Days since 1970: whole numbers divide without a rest on both databases. */
function day(column: 'created_at' | 'at') {
  return sql<number>`${sql.ref(column)} / ${sql.lit(DAY)}`;
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
