import { beforeEach, describe, expect, test } from 'vitest';
import { reachable } from '../../src/audience/reachable.ts';
import { addSubscriber, findSubscriber, resubscribe } from '../../src/audience/subscribers.ts';
import { suppress, suppressionOf } from '../../src/audience/suppression.ts';
import { removeSubscriber, unsubscribe } from '../../src/audience/unsubscribe.ts';
import type { Store } from '../../src/store/open.ts';
import { seededRandom, temporaryStore } from '../support/newsletter.ts';

const NOW = Date.parse('2026-11-20T08:00:00Z');
const world = { now: NOW, random: seededRandom() };
const ANA = 'ana@example.com';

let db: Store['db'];
beforeEach(async () => {
  ({ db } = await temporaryStore());
  await add('weekly');
});

const add = (newsletter: string, address = ANA) =>
  addSubscriber(db, { newsletter, address, name: null, source: 'test' }, world);

async function mailable(newsletter = 'weekly'): Promise<string[]> {
  const rows = await db
    .selectFrom('subscribers')
    .select('address')
    .where('newsletter', '=', newsletter)
    .where(reachable())
    .execute();
  return rows.map(({ address }) => address);
}

const events = () => db.selectFrom('consents').select(['event', 'via']).orderBy('id').execute();

describe('a reader', () => {
  test('is added once, however the address is written', async () => {
    expect(await add('weekly', 'ANA@example.com')).toBe('existing');
    expect(await mailable()).toEqual([ANA]);
    expect(await events()).toEqual([{ event: 'subscribed', via: 'test' }]);
  });

  test('whose name holds a line break is refused', async () => {
    const evil = { newsletter: 'weekly', address: 'b@example.com', source: 'test' };
    await expect(
      addSubscriber(db, { ...evil, name: 'x\r\nBcc: y@example.com' }, world),
    ).rejects.toMatchObject({ code: 'name-invalid' });
  });

  test('who left is not brought back by an operator’s add, only by being resubscribed', async () => {
    await removeSubscriber(db, { newsletter: 'weekly', address: ANA, via: 'cli' }, NOW);
    expect(await mailable()).toEqual([]);
    expect(await add('weekly')).toBe('unsubscribed');
    expect(await mailable()).toEqual([]);
    const back = { newsletter: 'weekly', address: ANA, via: 'form', by: 'reader' as const };
    expect(await resubscribe(db, back, NOW)).toBe('resubscribed');
    expect(await mailable()).toEqual([ANA]);
  });

  test('D-10: unsubscribing is for one newsletter, idempotent, and noted once', async () => {
    await add('daily');
    const reader = await findSubscriber(db, 'weekly', ANA);
    const leaving = { newsletter: 'weekly', publicId: reader?.public_id ?? '', via: 'one-click' };
    expect(await unsubscribe(db, leaving, NOW)).toBe('unsubscribed');
    expect(await unsubscribe(db, leaving, NOW)).toBe('already');
    expect(await mailable('weekly')).toEqual([]);
    expect(await mailable('daily')).toEqual([ANA]);
    const left = (await events()).filter(({ event }) => event === 'unsubscribed');
    expect(left).toEqual([{ event: 'unsubscribed', via: 'one-click' }]);
  });

  test('unknown to us is no error for who unsubscribes', async () => {
    const leaving = { newsletter: 'weekly', publicId: 'nobody-at-all', via: 'one-click' };
    expect(await unsubscribe(db, leaving, NOW)).toBe('unknown');
  });
});

describe('a suppressed address', () => {
  test('gets no mail from any newsletter, and cannot be added', async () => {
    await add('daily');
    await suppress(
      db,
      { newsletter: 'weekly', address: 'Ana@EXAMPLE.com', reason: 'complaint' },
      NOW,
    );
    expect([await mailable('weekly'), await mailable('daily')]).toEqual([[], []]);
    expect(await add('third')).toBe('suppressed');
  });

  test('is kept as a hash, not as an address', async () => {
    await suppress(db, { newsletter: 'weekly', address: ANA, reason: 'hard-bounce' }, NOW);
    const rows = await db.selectFrom('suppressions').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain('ana');
  });

  test('keeps its first reason, which only a complaint outweighs', async () => {
    const reasons = ['hard-bounce', 'manual', 'complaint', 'hard-bounce'] as const;
    const seen = [];
    for (const reason of reasons) {
      await suppress(db, { newsletter: 'weekly', address: ANA, reason }, NOW);
      seen.push(await suppressionOf(db, ANA));
    }
    expect(seen).toEqual(['hard-bounce', 'hard-bounce', 'complaint', 'complaint']);
  });

  test('D-69: after a complaint is not brought back by an operator', async () => {
    await suppress(db, { newsletter: 'weekly', address: ANA, reason: 'complaint' }, NOW);
    const back = { newsletter: 'weekly', address: ANA, via: 'cli' };
    expect(await resubscribe(db, { ...back, by: 'operator' }, NOW)).toBe('suppressed');
    expect(await mailable()).toEqual([]);
    expect(await resubscribe(db, { ...back, by: 'reader' }, NOW)).toBe('resubscribed');
    expect(await mailable()).toEqual([ANA]);
  });
});
