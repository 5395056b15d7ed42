/** The network that a visitor comes from: what sign-ups are limited by (W-09). */
import { createHmac } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { KeyRing } from '../config/secrets.ts';

/** Groups of 16 bits that an IPv6 address has. */
const GROUPS = 8;

/**
 * The network of an address: IPv4 /24, IPv6 /56, and an IPv4 address written as IPv6 as what it is.
 * @returns `192.0.2.0/24`, `2001:db8:0:ff00::/56`; null for what is no address
 */
export function networkOf(ip: string): string | null {
  const bare = ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (isIPv4(bare)) return `${bare.replace(/\d+$/, '0')}/24`;
  if (!isIPv6(bare)) return null;
  const [a = 0, b = 0, c = 0, d = 0] = groupsOf(bare);
  const prefix = [a, b, c, d & 0xff00].map((group) => group.toString(16)).join(':');
  return `${prefix}::/56`;
}

/** What stands for a network in the database: nobody reads an address out of it (W-15). */
export function networkScope([{ key }]: KeyRing, network: string): string {
  return `network:${createHmac('sha256', key).update(`network|${network}`).digest('base64url')}`;
}

function groupsOf(ip: string): number[] {
  const [head = '', tail] = ip.split('::');
  const read = (part: string) => (part ? part.split(':').map((g) => Number.parseInt(g, 16)) : []);
  const [first, last] = [read(head), read(tail ?? '')];
  const zeros = tail === undefined ? 0 : GROUPS - first.length - last.length;
  return [...first, ...Array(Math.max(0, zeros)).fill(0), ...last];
}
