/** What limits count by, and how they count. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mailboxKey } from '../../src/audience/address.ts';
import { forgetBucket, sweepBuckets, take } from '../../src/audience/buckets.ts';
import { networkOf, networkScope } from '../../src/audience/network.ts';
import { suggestAddress } from '../../src/audience/typos.ts';
import { RING, temporaryStore } from '../support/newsletter.ts';

const HOUR = 3_600_000;

describe('token buckets (W-09)', () => {
  test('never give more than capacity and what has come back, in any window', async () => {
    const { db } = await temporaryStore();
    let run = 0;
    const steps = fc.array(fc.nat(HOUR / 2), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 6 }), async (pauses, capacity) => {
        run += 1;
        const limit = { scope: `run-${run}`, capacity, refill: HOUR };
        const taken: number[] = [];
        let now = 1_700_000_000_000;
        for (const pause of pauses) {
          now += pause;
          if (await take(db, 'weekly', [limit], now)) taken.push(now);
        }
        for (const [i, first] of taken.entries()) {
          for (const [j, last] of taken.slice(i).entries())
            expect(j + 1).toBeLessThanOrEqual(capacity + ((last - first) * capacity) / HOUR + 1e-6);
        }
        expect(taken.length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  test('take from all or from none', async () => {
    const { db } = await temporaryStore();
    const wide = { scope: 'wide', capacity: 2, refill: HOUR };
    const narrow = { scope: 'narrow', capacity: 1, refill: HOUR };
    expect(await take(db, 'weekly', [wide, narrow], 0)).toBe(true);
    expect(await take(db, 'weekly', [wide, narrow], 0)).toBe(false);
    expect(await take(db, 'weekly', [wide], 0)).toBe(true);
    expect(await take(db, 'weekly', [wide], 0)).toBe(false);
  });

  test('some never fill again, until they are forgotten', async () => {
    const { db } = await temporaryStore();
    const limit = { scope: 'once', capacity: 1, refill: Number.POSITIVE_INFINITY };
    expect(await take(db, 'weekly', [limit], 0)).toBe(true);
    const later = 100 * 365 * 24 * HOUR;
    await sweepBuckets(db, 'weekly', later);
    expect(await take(db, 'weekly', [limit], later)).toBe(false);
    await forgetBucket(db, 'weekly', 'once');
    expect(await take(db, 'weekly', [limit], later)).toBe(true);
  });

  test('belong to one newsletter', async () => {
    const { db } = await temporaryStore();
    const limit = { scope: 'x', capacity: 1, refill: HOUR };
    expect(await take(db, 'weekly', [limit], 0)).toBe(true);
    expect(await take(db, 'daily', [limit], 0)).toBe(true);
  });
});

describe('networks', () => {
  test.each([
    ['192.0.2.17', '192.0.2.0/24'],
    ['::ffff:192.0.2.17', '192.0.2.0/24'],
    ['2001:db8:1:ff12::1', '2001:db8:1:ff00::/56'],
    ['2001:db8::1', '2001:db8:0:0::/56'],
    ['::1', '0:0:0:0::/56'],
    ['fe80::1%eth0', 'fe80:0:0:0::/56'],
    ['nonsense', null],
  ])('%s is in %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });

  test('W-15: are kept as a keyed hash', () => {
    const scope = networkScope(RING, '192.0.2.0/24');
    expect(scope).toMatch(/^network:[\w-]{43}$/);
    expect(networkScope([{ id: 'k2', key: Buffer.alloc(32, 2) }], '192.0.2.0/24')).not.toBe(scope);
  });
});

test.each([
  ['ana.lee+x@gmail.com', 'analee@gmail.com'],
  ['analee@googlemail.com', 'analee@gmail.com'],
  ['ana.lee+x@example.com', 'ana.lee@example.com'],
  ['+x@example.com', '+x@example.com'],
])('%s counts as %s', (key, mailbox) => {
  expect(mailboxKey(key)).toBe(mailbox);
});

describe('slips (W-18)', () => {
  test.each([
    ['a@gmial.com', 'a@gmail.com'],
    ['a@gmai.com', 'a@gmail.com'],
    ['a@gmaill.com', 'a@gmail.com'],
    ['a@gnail.com', 'a@gmail.com'],
    ['a@gmail.con', 'a@gmail.com'],
    ['a@qq.con', 'a@qq.com'],
    ['a@qq.cmo', 'a@qq.com'],
    ['a@163.con', 'a@163.com'],
    ['a@hotmial.com', 'a@hotmail.com'],
    ['a@outlok.com', 'a@outlook.com'],
    ['a@my-company.con', 'a@my-company.com'],
  ])('%s was meant to be %s', (typed, meant) => {
    expect(suggestAddress(typed)).toBe(meant);
  });

  test.each([
    'gmail.com',
    'mail.com',
    'ymail.com',
    'qq.com',
    'aq.com',
    '126.com',
    '163.com',
    '188.com',
    'gmx.com',
    'me.com',
    'example.net',
    'yeah.net',
    'university.edu.cn',
    'hotmail.fr',
    'live.cn',
    'company.cm',
    'company.om',
  ])('%s is none', (domain) => {
    expect(suggestAddress(`a@${domain}`)).toBe(null);
  });
});
