/** A reader has themself forgotten (D-75): what is left is a hash that keeps the address from being mailed again. */
import type { Kysely } from 'kysely';
import { holdList } from '../store/dialect.ts';
import type { Database } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { addressHash, parseAddress } from './address.ts';

export interface Forgotten {
  /** Rows that were deleted or emptied, by table. */
  rows: Record<string, number>;
  /** Deliveries there were: their files in the outbox begin with these ids. */
  deliveries: number[];
}

/** Replies of a relay mostly repeat the address. */
const EMPTIED = { address: null, slots: null, reply: null };

/**
 * Erases an address from all newsletters of the database. Consents go; deliveries stay without address and reply, for
 * the sums of their campaigns; whoever had any leaves an empty row for them to belong to.
 * @param now ms
 * @throws BroadsheetError `address-invalid`
 */
export async function forgetAddress(
  db: Kysely<Database>,
  { newsletter, address }: { newsletter: string; address: string },
  { now, random }: { now: number; random: (bytes: number) => Buffer },
): Promise<Forgotten> {
  const { key } = parseAddress(address);
  return inTransaction(db, async (trx) => {
    await holdList(trx, 'alone');
    const readers = await trx
      .selectFrom('subscribers')
      .select('id')
      .where('address_key', '=', key)
      .execute();
    const forgotten: Forgotten = { rows: {}, deliveries: [] };
    for (const { id } of readers) await forgetReader(trx, id, forgotten, { now, random });
    // Asked for, and not looked at yet.
    await trx
      .deleteFrom('signups')
      .where(({ fn }) => fn<string>('lower', ['address']), '=', key)
      .execute();
    const row = {
      newsletter,
      address_hash: addressHash(key),
      reason: 'erased' as const,
      detail: null,
      created_at: now,
    };
    await trx
      .insertInto('suppressions')
      .values(row)
      // A complaint stays one: nobody but the reader lifts it (D-69).
      .onConflict((conflict) => conflict.column('address_hash').doUpdateSet({ detail: null }))
      .execute();
    return forgotten;
  });
}

async function forgetReader(
  db: Kysely<Database>,
  id: number,
  { rows, deliveries }: Forgotten,
  { now, random }: { now: number; random: (bytes: number) => Buffer },
): Promise<void> {
  const note = (table: string, count: bigint | number) => {
    if (Number(count) > 0) rows[table] = (rows[table] ?? 0) + Number(count);
  };
  const consents = await db
    .deleteFrom('consents')
    .where('subscriber_id', '=', id)
    .executeTakeFirst();
  note('consents', consents.numDeletedRows);
  for (const table of ['signups', 'notices', 'confirmations'] as const) {
    const waiting = await db.deleteFrom(table).where('subscriber_id', '=', id).executeTakeFirst();
    note(table, waiting.numDeletedRows);
  }
  const bounces = await db
    .updateTable('bounces')
    .set({ subject: null, reply: null, origin: '', subscriber_id: null })
    .where('subscriber_id', '=', id)
    .executeTakeFirst();
  note('bounces', bounces.numUpdatedRows);
  const own = await db
    .selectFrom('deliveries')
    .select('id')
    .where('subscriber_id', '=', id)
    .execute();
  const ids = own.map((row) => row.id);
  note('subscribers', 1);
  if (ids.length === 0) {
    await db.deleteFrom('subscribers').where('id', '=', id).execute();
    return;
  }
  deliveries.push(...ids);
  await db.updateTable('deliveries').set(EMPTIED).where('subscriber_id', '=', id).execute();
  note('deliveries', ids.length);
  const attempts = await db
    .updateTable('attempts')
    .set({ reply: null })
    .where('delivery_id', 'in', ids)
    .executeTakeFirst();
  note('attempts', attempts.numUpdatedRows);
  await db
    .updateTable('subscribers')
    .set({
      // Unique, and nobody's.
      address: `erased-${id}`,
      address_key: `erased-${id}`,
      address_hash: '',
      name: null,
      language: null,
      state: 'unsubscribed',
      public_id: random(16).toString('base64url'),
      tags: '[]',
      fields: '{}',
      source: 'erased',
      created_at: now,
      updated_at: now,
      erased_at: now,
    })
    .where('id', '=', id)
    .execute();
}
