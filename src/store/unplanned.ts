/** A number in a statement that runs thousands of times. */
import { type RawBuilder, sql } from 'kysely';

/**
 * The number, hidden from the planner. SQLite plans by the values that are bound to limits and indexed columns, and
 * where they are bound anew it prepares the whole statement again: half of what marking a delivery takes.
 */
export function unplanned(value: number): RawBuilder<number> {
  return sql`cast(${value} as bigint)`;
}
