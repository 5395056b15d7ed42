/**
 * Return paths that name the delivery (VERP): `b+{delivery}.{mac}@bounce.example.com`. A report that comes to such an
 * address is about that mail, and nobody else can make one up (D-54; QQ names "bounce attacks").
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { asciiDomain, LOCAL_PART } from './address.ts';

export interface Verp {
  /** Where reports come to without a token: `b@bounce.example.com`. */
  address: string;
  /** Slug of the newsletter: delivery 7 of another one has another token. */
  newsletter: string;
  /** Newest first: the first signs, all verify. */
  keys: readonly { key: Buffer }[];
}

/** Bytes of the MAC: 80 bits, 16 characters. */
const MAC_BYTES = 10;
const MAC_LENGTH = 16;

/** Digits that the number of a delivery can have. */
const LONGEST_NUMBER = 15;

/** Octets that the local part of the plain address may have, so that it fits with a token (RFC 5321 4.5.3.1.1). */
export const LONGEST_VERP_LOCAL = LOCAL_PART - '+.'.length - LONGEST_NUMBER - MAC_LENGTH;

/** The envelope sender of one delivery. @param delivery its number */
export function verpAddress({ address, newsletter, keys }: Verp, delivery: number): string {
  const [newest] = keys;
  if (!newest) throw new RangeError('There is no key to sign return paths with');
  const { local, domain } = parts(address);
  return `${local}+${delivery}.${macOf(newest.key, newsletter, delivery)}@${domain}`;
}

/**
 * The delivery that an address names; null where it is not one of ours, or somebody made it up. Letters may have
 * changed their case on the way.
 */
export function readVerp({ address, newsletter, keys }: Verp, given: string): number | null {
  const { local, domain } = parts(address);
  const own = parts(given);
  const prefix = `${local}+`.toLowerCase();
  const token = own.local.toLowerCase();
  if (own.domain !== domain || !token.startsWith(prefix)) return null;
  const [, number, mac] = /^(\d{1,15})\.([0-9a-v]{16})$/.exec(token.slice(prefix.length)) ?? [];
  if (!number || !mac) return null;
  const delivery = Number(number);
  const isOurs = keys.some(({ key }) =>
    timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(key, newsletter, delivery))),
  );
  return isOurs && String(delivery) === number ? delivery : null;
}

/** In base32hex, lower case (RFC 4648 7). */
function macOf(key: Buffer, newsletter: string, delivery: number): string {
  const mac = createHmac('sha256', key).update(`verp|${newsletter}|${delivery}`).digest('hex');
  return BigInt(`0x${mac.slice(0, 2 * MAC_BYTES)}`)
    .toString(32)
    .padStart(MAC_LENGTH, '0');
}

function parts(address: string): { local: string; domain: string } {
  const at = address.lastIndexOf('@');
  return { local: address.slice(0, Math.max(at, 0)), domain: asciiDomain(address.slice(at + 1)) };
}
