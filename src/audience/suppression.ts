/** Addresses that get no mail whatever any list says; the address itself need not be kept. */
import type { Kysely } from 'kysely';
import type { Database, SuppressionTable } from '../store/schema.ts';
import { addressHash, parseAddress } from './address.ts';

export interface Suppression {
  newsletter: string;
  address: string;
  reason: Reason;
  detail?: string | undefined;
}

type Reason = SuppressionTable['reason'];

/** Whose wish it is: an operator's, or the reader's own, confirmed by mail. */
export type Wish = 'operator' | 'reader';

/** Who may lift what: a complaint and an erasure are the reader's, a ban is the operator's (D-69). */
const LIFTED_BY: Record<Wish, Reason[]> = {
  operator: ['hard-bounce', 'soft-bounces', 'manual'],
  reader: ['hard-bounce', 'soft-bounces', 'complaint', 'erased'],
};

/**
 * Suppresses an address. The first reason stays, except that a complaint outweighs every other.
 * @param now ms
 * @throws BroadsheetError `address-invalid`
 */
export async function suppress(
  db: Kysely<Database>,
  suppression: Suppression,
  now: number,
): Promise<void> {
  const { newsletter, address, reason, detail = null } = suppression;
  const row = {
    newsletter,
    address_hash: addressHash(parseAddress(address).key),
    reason,
    detail,
    created_at: now,
  };
  await db
    .insertInto('suppressions')
    .values(row)
    .onConflict((conflict) => {
      const known = conflict.column('address_hash');
      return reason === 'complaint'
        ? known.doUpdateSet(row).where('suppressions.reason', '<>', 'complaint')
        : known.doNothing();
    })
    .execute();
}

/** Why an address is suppressed; null when it is not. */
export async function suppressionOf(
  db: Kysely<Database>,
  addressKey: string,
): Promise<Reason | null> {
  const row = await db
    .selectFrom('suppressions')
    .select('reason')
    .where('address_hash', '=', addressHash(addressKey))
    .executeTakeFirst();
  return row?.reason ?? null;
}

/**
 * Lets an address have mail again. `refused` is what is not for this wish to lift.
 * @throws BroadsheetError `address-invalid`
 */
export async function unsuppress(
  db: Kysely<Database>,
  { address, by }: { address: string; by: Wish },
): Promise<'lifted' | 'refused' | 'unknown'> {
  const { key } = parseAddress(address);
  const { numDeletedRows } = await db
    .deleteFrom('suppressions')
    .where('address_hash', '=', addressHash(key))
    .where('reason', 'in', LIFTED_BY[by])
    .executeTakeFirstOrThrow();
  if (numDeletedRows > 0n) return 'lifted';
  return (await suppressionOf(db, key)) ? 'refused' : 'unknown';
}
