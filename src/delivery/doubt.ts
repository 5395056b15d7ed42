/** What a sender that is gone had marked. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../store/schema.ts';
import { type LedgerRules, MOST_RESENDS, SENDER_ENDED } from './turn.ts';

export interface Doubtful {
  newsletter: string;
  /** Of the marked deliveries. */
  which: RawBuilder<boolean>;
  onUnknown: LedgerRules['onUnknown'];
  /** ms. */
  now: number;
}

/**
 * Marked deliveries of which nobody will hear any more: sent once more, or left for a person. In the transaction that
 * is open.
 * @returns the epochs of those who had marked them
 */
export async function doubt(
  db: Kysely<Database>,
  { newsletter, which, onUnknown, now }: Doubtful,
): Promise<number[]> {
  const again = onUnknown === 'resend' ? MOST_RESENDS : 0;
  const reply = 'The sender ended before the relay had answered';
  const reason = SENDER_ENDED;
  const doubtful = db.updateTable('deliveries').where('state', '=', 'attempting').where(which);
  const resent = await doubtful
    .set({ state: 'queued', resends: sql`resends + 1`, not_before: now, reply, reason })
    .where('resends', '<', again)
    .returning(['id', 'epoch'])
    .execute();
  const unknown = await doubtful
    .set({ state: 'unknown', settled_at: now, reply, reason })
    .returning(['id', 'epoch'])
    .execute();
  const orphans = [...resent, ...unknown];
  for (const { id } of orphans) {
    const attempt = { delivery_id: id, state: 'unknown' as const, code: null, reply, reason };
    await db
      .insertInto('attempts')
      .values({ newsletter, at: now, ...attempt })
      .execute();
  }
  return orphans.map(({ epoch }) => epoch);
}
