import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unsubscribeToken, verifyToken } from '../../src/audience/tokens.ts';
import type { KeyRing } from '../../src/config/secrets.ts';

const ring: KeyRing = [{ id: 'k2', key: Buffer.alloc(32, 2) }];
const ID = Buffer.alloc(16, 9).toString('base64url');
const token = unsubscribeToken(ring, 'weekly', ID);

test('W-11: names key and reader, holds no address, and is short', () => {
  expect(token).toMatch(new RegExp(`^1\\.k2\\.${ID}\\.[\\w-]{22}$`));
  expect(token.length).toBeLessThan(60);
  expect(verifyToken(ring, 'weekly', 'unsubscribe', token)).toEqual({ publicId: ID, by: 'mac' });
});

test('W-11: no token with one bit changed is taken for this reader’s or anybody’s by its MAC', () => {
  const bits = fc.integer({ min: 0, max: token.length * 8 - 1 });
  fc.assert(
    fc.property(bits, (bit) => {
      const bytes = Buffer.from(token, 'latin1');
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const verified = verifyToken(ring, 'weekly', 'unsubscribe', bytes.toString('latin1'));
      // A changed key name is a key that is gone (W-12); everything else is refused.
      if (verified) expect(verified.by).toBe('unknown-key');
    }),
    { numRuns: 2000 },
  );
});

test('W-11: is for one purpose and one newsletter', () => {
  expect(verifyToken(ring, 'weekly', 'preferences', token)).toBeNull();
  expect(verifyToken(ring, 'other', 'unsubscribe', token)).toBeNull();
});

test('W-12: the newest key signs, older ones verify', () => {
  const rotated: KeyRing = [{ id: 'k3', key: Buffer.alloc(32, 3) }, ...ring];
  expect(unsubscribeToken(rotated, 'weekly', ID)).toContain('.k3.');
  expect(verifyToken(rotated, 'weekly', 'unsubscribe', token)).toEqual({ publicId: ID, by: 'mac' });
});

test('W-12: a lost key still unsubscribes, and does nothing else', () => {
  const lost: KeyRing = [{ id: 'k3', key: Buffer.alloc(32, 3) }];
  expect(verifyToken(lost, 'weekly', 'unsubscribe', token)).toEqual({
    publicId: ID,
    by: 'unknown-key',
  });
  expect(verifyToken(lost, 'weekly', 'preferences', token)).toBeNull();
});

test('a key of the same name and other bytes verifies nothing', () => {
  const swapped: KeyRing = [{ id: 'k2', key: Buffer.alloc(32, 7) }];
  expect(verifyToken(swapped, 'weekly', 'unsubscribe', token)).toBeNull();
});

test('whatever the text, it is a token or it is not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(verifyToken(ring, 'weekly', 'unsubscribe', text)).toBeNull();
    }),
  );
});
