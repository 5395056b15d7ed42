/**
 * Tokens of the links in a mail: `1.<key id>.<public id>.<mac>`. They name list and reader, cannot be
 * forged, hold no address, and can be checked without a database (RFC 8058, W-11, W-12).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyRing, SecretKey } from '../config/secrets.ts';

/** Keeps the link for one thing from opening another. */
export type Purpose = 'unsubscribe' | 'preferences' | 'undo';

export interface Verified {
  publicId: string;
  /** `unknown-key`: signed by a key that is gone; good enough to unsubscribe, for nothing else. */
  by: 'mac' | 'unknown-key';
}

const TOKEN = /^1\.([a-z0-9]{1,8})\.([A-Za-z0-9_-]{11,43})\.([A-Za-z0-9_-]{22})$/;

/** Bytes of the MAC: 128 bits. */
const MAC_BYTES = 16;

/** The token that stands in the unsubscribe link of one reader; signed by the newest key. */
export function unsubscribeToken(ring: KeyRing, newsletter: string, publicId: string): string {
  return tokenFor(ring, newsletter, 'unsubscribe', publicId);
}

/** The token of one reader for one purpose; signed by the newest key. */
export function tokenFor(
  ring: KeyRing,
  newsletter: string,
  purpose: Purpose,
  publicId: string,
): string {
  const [newest] = ring;
  const mac = macOf(newest, purpose, newsletter, publicId).toString('base64url');
  return `1.${newest.id}.${publicId}.${mac}`;
}

/** Who a token is for; null when it was not made by us for this list and purpose. */
export function verifyToken(
  ring: KeyRing,
  newsletter: string,
  purpose: Purpose,
  token: string,
): Verified | null {
  const [, keyId, publicId, mac] = TOKEN.exec(token) ?? [];
  if (!keyId || !publicId || !mac) return null;
  const key = ring.find(({ id }) => id === keyId);
  // A lost key must not lose unsubscribes: whoever knows the random id may use it for that (W-12).
  if (!key) return purpose === 'unsubscribe' ? { publicId, by: 'unknown-key' } : null;
  const expected = macOf(key, purpose, newsletter, publicId).toString('base64url');
  // Compared as written: base64url leaves bits over, and no second spelling shall pass.
  return timingSafeEqual(Buffer.from(mac), Buffer.from(expected)) ? { publicId, by: 'mac' } : null;
}

/** When a form was shown, signed: nobody can say that it was earlier (W-10). @param now ms */
export function timeStamp(ring: KeyRing, newsletter: string, now: number): string {
  const time = now.toString(36);
  return `${time}.${macOf(ring[0], 'form', newsletter, time).toString('base64url')}`;
}

/** The time that `timeStamp` was given, ms; null where it is not ours. */
export function readTimeStamp(ring: KeyRing, newsletter: string, stamp: string): number | null {
  const [, time, mac] = /^([0-9a-z]{1,11})\.([A-Za-z0-9_-]{22})$/.exec(stamp) ?? [];
  if (!time || !mac) return null;
  const isOurs = ring.some((key) => {
    const expected = macOf(key, 'form', newsletter, time).toString('base64url');
    return timingSafeEqual(Buffer.from(mac), Buffer.from(expected));
  });
  return isOurs ? Number.parseInt(time, 36) : null;
}

function macOf(
  { key }: SecretKey,
  purpose: Purpose | 'form',
  newsletter: string,
  what: string,
): Buffer {
  const words = `${purpose}|${newsletter}|${what}`;
  return createHmac('sha256', key).update(words).digest().subarray(0, MAC_BYTES);
}
