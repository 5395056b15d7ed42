/** How a list grows and shrinks, day by day. */
import { type Kysely, sql } from 'kysely';
import type { ConsentTable, Database } from '../store/schema.ts';

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
