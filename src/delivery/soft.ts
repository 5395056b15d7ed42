/** Refusals that are no reader's fault by themselves: an address is given up when they come back (standards 1.9 row 11). */
import type { Kysely } from 'kysely';
import { suppress } from '../audience/suppression.ts';
import type { Database } from '../store/schema.ts';
import { SOFT_REASONS } from './replies.ts';

export interface SoftRefusal {
  newsletter: string;
  subscriberId: number;
  address: string;
  /** The words of the latest one. */
  reply: string;
}

/** So many issues, over so long, that an address was refused in: it is given up. */
const SOFT_ISSUES = 3;
const SOFT_SPAN = 15 * 86_400_000;

/**
 * Suppresses an address that has been refused in several issues over some time, by the relay or by reports. The
 * latest refusal is written down already. @param now ms
 */
export async function countSoft(
  db: Kysely<Database>,
  { newsletter, subscriberId, address, reply }: SoftRefusal,
  now: number,
): Promise<void> {
  const atRelay = await db
    .selectFrom('deliveries')
    .select(['issue', 'settled_at as at'])
    .where('subscriber_id', '=', subscriberId)
    .where('state', '=', 'failed')
    .where('reason', 'in', SOFT_REASONS)
    .execute();
  const reported = await db
    .selectFrom('bounces')
    .innerJoin('deliveries', 'deliveries.id', 'bounces.delivery_id')
    .select(['deliveries.issue', 'bounces.at'])
    .where('bounces.subscriber_id', '=', subscriberId)
    .where('bounces.effect', '=', 'soft')
    .execute();
  const all = [...atRelay, ...reported];
  const since = Math.min(now, ...all.map(({ at }) => at ?? now));
  const issues = new Set(all.map(({ issue }) => issue));
  if (issues.size < SOFT_ISSUES || now - since < SOFT_SPAN) return;
  await suppress(db, { newsletter, address, reason: 'soft-bounces', detail: reply }, now);
}
