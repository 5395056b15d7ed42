/** Mails to one person that wait to be sent. Whoever sends one claims it first, for as long as that may take. */
import type { Kysely } from 'kysely';
import type { Database } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { CONFIRM_WITHIN, type Notice, tokenHash } from './signup.ts';
import type { Now } from './subscribers.ts';

const MINUTE = 60_000;

/** A sender that has not reported by then has died, ms: more than one mail may take. */
const LEASE = 20 * MINUTE;

/** What is not out by then is given up, ms: its reader has asked again or forgotten. */
const GIVE_UP = 48 * 60 * MINUTE;

/** Pauses before a deferred mail is tried again, ms. */
const PAUSES = [5, 15, 60, 240].map((minutes) => minutes * MINUTE);

/** Bytes of the token in a link to confirm: 256 bits (W-03). */
const TOKEN_BYTES = 32;

export interface Claimed extends Notice {
  /** Of the link to confirm; null in mails without. */
  token: string | null;
}

/** Whether any is due. @param now ms */
export async function isNoticeDue(
  db: Kysely<Database>,
  newsletter: string,
  now: number,
): Promise<boolean> {
  const due = await db
    .selectFrom('notices')
    .select('id')
    .where('newsletter', '=', newsletter)
    .where('not_before', '<=', now)
    .limit(1)
    .executeTakeFirst();
  return due !== undefined;
}

/** Claims what is due, oldest first. A link that is to be confirmed gets its token now. */
export async function claimNotices(
  db: Kysely<Database>,
  newsletter: string,
  most: number,
  { now, random }: Now,
): Promise<Claimed[]> {
  return inTransaction(db, async (trx) => {
    const due = await trx
      .selectFrom('notices')
      .selectAll()
      .where('newsletter', '=', newsletter)
      .where('not_before', '<=', now)
      .orderBy('id')
      .limit(most)
      .execute();
    const claimed: Claimed[] = [];
    for (const notice of due) {
      const { numUpdatedRows } = await trx
        .updateTable('notices')
        .set({ not_before: now + LEASE, attempts: notice.attempts + 1 })
        .where('id', '=', notice.id)
        .where('not_before', '=', notice.not_before)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) continue;
      claimed.push({ ...notice, token: await confirmationOf(trx, notice, { now, random }) });
    }
    return claimed;
  });
}

async function confirmationOf(
  trx: Kysely<Database>,
  notice: Notice,
  { now, random }: Now,
): Promise<string | null> {
  const { kind, newsletter, subscriber_id, address, detail } = notice;
  if (kind !== 'confirm' && kind !== 'confirm-move') return null;
  const token = random(TOKEN_BYTES).toString('base64url');
  await trx
    .insertInto('confirmations')
    .values({
      newsletter,
      kind: kind === 'confirm' ? 'subscribe' : 'move',
      subscriber_id,
      token_hash: tokenHash(token),
      address,
      detail,
      mailed_at: now,
      expires_at: now + CONFIRM_WITHIN,
    })
    .execute();
  return token;
}

/** It was sent, or will never be. */
export async function dropNotice(db: Kysely<Database>, id: number): Promise<void> {
  await db.deleteFrom('notices').where('id', '=', id).execute();
}

/** It is tried again later, or given up after two days. @param now ms */
export async function deferNotice(
  db: Kysely<Database>,
  { id, attempts, created_at }: Notice,
  now: number,
): Promise<void> {
  if (now - created_at > GIVE_UP) return dropNotice(db, id);
  const pause = PAUSES[Math.min(attempts, PAUSES.length - 1)] as number;
  await db
    .updateTable('notices')
    .set({ not_before: now + pause })
    .where('id', '=', id)
    .execute();
}
