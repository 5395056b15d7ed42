/**
 * Who may get mail. The one predicate: the plan selects by it, and the mark before each mail asks it
 * again, so that an unsubscribe or suppression in between is honoured.
 */
import { type RawBuilder, sql } from 'kysely';

/** True for a row of `subscribers` (under that name or the given alias) that may be mailed. */
export function reachable(subscriber = 'subscribers'): RawBuilder<boolean> {
  return sql<boolean>`(${isActive(subscriber)} and not ${isSuppressed(subscriber)})`;
}

export function isActive(subscriber: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(`${subscriber}.state`)} = 'active'`;
}

/** Suppression acts across all newsletters of the database. */
export function isSuppressed(subscriber: string): RawBuilder<boolean> {
  return sql<boolean>`exists (select 1 from suppressions
    where suppressions.address_hash = ${sql.ref(`${subscriber}.address_hash`)})`;
}
