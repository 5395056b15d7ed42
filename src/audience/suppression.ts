/** Addresses that get no mail whatever any list says; the address itself need not be kept. */
import type { Kysely } from 'kysely';
import type { Database, SuppressionTable } from '../store/schema.ts';
import { addressHash, parseAddress } from './address.ts';

export interface Suppression {
  newsletter: string;
  address: string;
  reason: SuppressionTable['reason'];
  detail?: string | undefined;
}

/** Suppresses an address; the first reason stays. @param now ms */
export async function suppress(
  db: Kysely<Database>,
  suppression: Suppression,
  now: number,
): Promise<void> {
  const { newsletter, address, reason, detail = null } = suppression;
  await db
    .insertInto('suppressions')
    .values({
      newsletter,
      address_hash: addressHash(parseAddress(address).key),
      reason,
      detail,
      created_at: now,
    })
    .onConflict((conflict) => conflict.column('address_hash').doNothing())
    .execute();
}

/** Why an address is suppressed; null when it is not. */
export async function suppressionOf(
  db: Kysely<Database>,
  addressKey: string,
): Promise<SuppressionTable['reason'] | null> {
  const row = await db
    .selectFrom('suppressions')
    .select('reason')
    .where('address_hash', '=', addressHash(addressKey))
    .executeTakeFirst();
  return row?.reason ?? null;
}
