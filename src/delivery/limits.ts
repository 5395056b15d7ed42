/**
 * How much may start now: rates and pauses of the relay and of each provider group, kept in the database, so that
 * all senders share them and a restart forgets none.
 */
import { type Kysely, sql } from 'kysely';
import type { Provider } from '../audience/address.ts';
import type { Database } from '../store/schema.ts';

export type Scope = 'relay' | Provider;

/** Mails at most; what is absent is not limited. */
export interface Rate {
  perSecond?: number | undefined;
  perMinute?: number | undefined;
  /** In any 24 hours. */
  perDay?: number | undefined;
}

export type Rates = Partial<Record<Scope, Rate | undefined>>;

/** Whether anything is limited at all. */
export function hasRates(rates: Rates): boolean {
  return Object.values(rates).some((rate) =>
    Object.values(rate ?? {}).some((most) => most !== undefined),
  );
}

export interface Allowance {
  /** Mails that may start now. */
  count: number;
  /** When more may, ms; null where nothing holds them back. */
  again: number | null;
}

/** So far may a mail run ahead of an even pace, ms: 1 % of the ten seconds in which a rate is judged. */
const AHEAD = 100;
const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY_HOURS = 24;

interface LimitRow {
  scope: string;
  next_at: number;
  held_until: number;
  step: number;
  note: string | null;
}

/** What the database holds of all limits of a newsletter, at one moment. */
export interface Limits {
  rows: ReadonlyMap<string, LimitRow>;
  /** Mails begun in the last 24 hours and the hour before, oldest first, by scope. */
  used: ReadonlyMap<string, { hour: number; used: number }[]>;
}

/** Two queries at most, whatever the number of scopes. @param now ms */
export async function readLimits(
  db: Kysely<Database>,
  newsletter: string,
  rates: Rates,
  now: number,
): Promise<Limits> {
  const rows = await db
    .selectFrom('limits')
    .select(['scope', 'next_at', 'held_until', 'step', 'note'])
    .where('newsletter', '=', newsletter)
    .execute();
  const daily = Object.values(rates).some((rate) => rate?.perDay !== undefined);
  const used = daily
    ? await db
        .selectFrom('budgets')
        .select(['scope', 'hour', 'used'])
        .where('newsletter', '=', newsletter)
        .where('hour', '>=', hourOf(now) - DAY_HOURS)
        .orderBy('hour')
        .execute()
    : [];
  return {
    rows: new Map(rows.map((row) => [row.scope, row])),
    used: Map.groupBy(used, ({ scope }) => scope),
  };
}

/** How many mails of a scope may start now. @param now ms */
export function allowance(
  { rows, used }: Limits,
  rates: Rates,
  scope: Scope,
  now: number,
): Allowance {
  const row = rows.get(scope);
  const heldUntil = row?.held_until ?? 0;
  if (heldUntil > now) return { count: 0, again: heldUntil };
  const rate = rates[scope] ?? {};
  return least([
    pace(intervalOf(rate), row?.next_at ?? 0, now),
    daily(rate.perDay, used.get(scope) ?? [], now),
  ]);
}

/** Of several allowances the one that holds back most; when it opens again, all must have. */
export function least(allowances: Allowance[]): Allowance {
  const count = Math.min(...allowances.map((each) => each.count));
  const closed = allowances.filter((each) => each.count === count && each.again !== null);
  return {
    count,
    again: closed.length > 0 ? Math.max(...closed.map(({ again }) => again ?? 0)) : null,
  };
}

/** An even pace (GCRA, ITU-T I.371): no burst after a silence. */
function pace(interval: number, nextAt: number, now: number): Allowance {
  if (interval === 0) return { count: Number.POSITIVE_INFINITY, again: null };
  const from = Math.max(nextAt, now);
  const again = Math.ceil(nextAt - AHEAD);
  if (from > now + AHEAD) return { count: 0, again };
  return { count: Math.floor((now + AHEAD - from) / interval) + 1, again: now + interval };
}

/** At most so many in any 24 hours; counted by the hour, so it may wait up to an hour too long. */
function daily(
  perDay: number | undefined,
  used: readonly { hour: number; used: number }[],
  now: number,
): Allowance {
  if (perDay === undefined) return { count: Number.POSITIVE_INFINITY, again: null };
  const sum = used.reduce((total, each) => total + each.used, 0);
  const oldest = used.find((each) => each.used > 0)?.hour ?? hourOf(now);
  return { count: Math.max(0, perDay - sum), again: (oldest + DAY_HOURS + 1) * HOUR };
}

/** ms between two mails; 0: as fast as it goes. */
function intervalOf({ perSecond, perMinute }: Rate): number {
  return Math.max(
    perSecond === undefined ? 0 : SECOND / perSecond,
    perMinute === undefined ? 0 : (60 * SECOND) / perMinute,
  );
}

/** Takes what has been marked off the limits of a scope. @param now ms */
export async function spend(
  db: Kysely<Database>,
  newsletter: string,
  rates: Rates,
  scope: Scope,
  count: number,
  now: number,
): Promise<void> {
  const rate = rates[scope];
  if (!rate || count === 0) return;
  const interval = intervalOf(rate);
  if (interval > 0) {
    await db
      .insertInto('limits')
      .values({ newsletter, scope, next_at: now + count * interval, note: null })
      .onConflict((conflict) =>
        conflict.columns(['newsletter', 'scope']).doUpdateSet({
          next_at: sql`case when limits.next_at > ${now} then limits.next_at else ${now} end + ${count * interval}`,
        }),
      )
      .execute();
  }
  if (rate.perDay === undefined) return;
  await db
    .insertInto('budgets')
    .values({ newsletter, scope, hour: hourOf(now), used: count })
    .onConflict((conflict) =>
      conflict
        .columns(['newsletter', 'scope', 'hour'])
        .doUpdateSet(({ ref, eb }) => ({ used: eb(ref('budgets.used'), '+', count) })),
    )
    .execute();
}

/** Nothing of the scope starts before `until` (ms); a longer hold stays. */
export async function hold(
  db: Kysely<Database>,
  newsletter: string,
  scope: Scope,
  { until, step = 0, note }: { until: number; step?: number; note: string },
): Promise<void> {
  await db
    .insertInto('limits')
    .values({ newsletter, scope, held_until: until, step, note })
    .onConflict((conflict) =>
      conflict
        .columns(['newsletter', 'scope'])
        .doUpdateSet({ held_until: until, step, note })
        .where('limits.held_until', '<=', until),
    )
    .execute();
}

/** The scope works again: it is no longer held, and the next hold is a first one. */
export async function lift(db: Kysely<Database>, newsletter: string, scope: Scope): Promise<void> {
  await db
    .updateTable('limits')
    .set({ held_until: 0, step: 0, note: null })
    .where('newsletter', '=', newsletter)
    .where('scope', '=', scope)
    .execute();
}

function hourOf(now: number): number {
  return Math.floor(now / HOUR);
}

/**
 * How long so many mails take at these rates at least, ms; what the relay itself needs comes on top.
 * @param byProvider recipients by provider group
 */
export function shortestDuration(rates: Rates, byProvider: Record<string, number>): number {
  const total = Object.values(byProvider).reduce((sum, count) => sum + count, 0);
  const scopes = Object.entries({ ...byProvider, relay: total });
  return Math.max(0, ...scopes.map(([scope, count]) => durationOf(rates[scope as Scope], count)));
}

function durationOf(rate: Rate | undefined, count: number): number {
  if (!rate || count === 0) return 0;
  const paced = intervalOf(rate) * (count - 1);
  const days = rate.perDay === undefined ? 0 : Math.ceil(count / rate.perDay) - 1;
  return Math.max(paced, days * DAY_HOURS * HOUR);
}
