import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LONGEST_VERP_LOCAL, readVerp, type Verp, verpAddress } from '../../src/message/verp.ts';

const VERP: Verp = {
  address: 'b@bounce.example.com',
  newsletter: 'weekly',
  keys: [{ key: Buffer.alloc(32, 2) }, { key: Buffer.alloc(32, 1) }],
};

describe('D-54: a return path', () => {
  test('is b+DELIVERY.MAC@…, in lower-case base32, with 80 bits of MAC, in 64 octets', () => {
    const longest = 'b'.repeat(LONGEST_VERP_LOCAL);
    const address = verpAddress({ ...VERP, address: `${longest}@example.com` }, 1e15 - 1);
    expect(address).toMatch(/^b+\+\d{15}\.[0-9a-v]{16}@example\.com$/);
    expect(address.indexOf('@')).toBe(64);
  });

  test('names its delivery again, in whatever case it comes back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e15 - 1 }), (delivery) => {
        const address = verpAddress(VERP, delivery);
        expect(readVerp(VERP, address)).toBe(delivery);
        expect(readVerp(VERP, address.toUpperCase())).toBe(delivery);
      }),
    );
  });

  test('made with an older key still holds; with a key that is gone, or for another newsletter, not', () => {
    const [newest, old] = VERP.keys as [{ key: Buffer }, { key: Buffer }];
    const address = verpAddress({ ...VERP, keys: [old] }, 7);
    expect(readVerp(VERP, address)).toBe(7);
    expect(readVerp({ ...VERP, keys: [newest] }, address)).toBeNull();
    expect(readVerp({ ...VERP, newsletter: 'other' }, address)).toBeNull();
  });

  test('with any other character is refused', () => {
    const [local = '', domain] = verpAddress(VERP, 12345).split('@');
    for (let at = 0; at < local.length; at += 1)
      for (const character of '0123456789abcdefghijklmnopqrstuvwxyz.+-')
        if (character !== local[at]) {
          const forged = `${local.slice(0, at)}${character}${local.slice(at + 1)}@${domain}`;
          expect(readVerp(VERP, forged)).toBeNull();
        }
  });

  test.each(['b@bounce.example.com', 'b+1.@bounce.example.com', 'b+01.0@x', '', '@', 'b+1'])(
    '%j is none',
    (address) => {
      expect(readVerp(VERP, address)).toBeNull();
    },
  );
});
