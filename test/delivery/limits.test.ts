/** Rates and holds: of the relay and of provider groups, kept in the database. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allowance,
  hold,
  type Rates,
  readLimits,
  shortestDuration,
  spend,
} from '../../src/delivery/limits.ts';
import { accepted } from '../../src/delivery/outcome.ts';
import type { Transport } from '../../src/delivery/transport.ts';
import { addReaders, plan, runOnce, START, states } from '../support/campaign.ts';
import { temporaryStore } from '../support/newsletter.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Accepts everything at once, and notes when. */
function instant(clock: () => number) {
  const sent: { to: string; at: number }[] = [];
  const transport: Transport = {
    lanes: 4,
    async deliver({ to }, record) {
      sent.push({ to, at: clock() });
      const outcome = accepted(250, 'ok');
      await record?.(outcome);
      return outcome;
    },
    abort: () => {},
    close: async () => {},
  };
  return { sent, transportFor: () => transport };
}

function settings(rates: Rates) {
  return { onUnknown: 'resend' as const, expireAfter: 48 * HOUR, rates };
}

describe('a rate', () => {
  test('is kept in any ten seconds to within 2 %, whatever is asked for and when', async () => {
    const { db } = await temporaryStore();
    const rates: Rates = { relay: { perSecond: 100 } };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ pause: fc.nat(3_000), wanted: fc.integer({ min: 1, max: 400 }) }), {
          minLength: 20,
          maxLength: 40,
        }),
        async (asks) => {
          await db.deleteFrom('limits').execute();
          let now = START;
          const begun: number[] = [];
          for (const { pause, wanted } of asks) {
            now += pause;
            const { count } = allowance(
              await readLimits(db, 'weekly', rates, now),
              rates,
              'relay',
              now,
            );
            const taken = Math.min(count, wanted);
            await spend(db, 'weekly', rates, 'relay', taken, now);
            for (let n = 0; n < taken; n += 1) begun.push(now);
          }
          for (const from of begun) {
            const inWindow = begun.filter((at) => at >= from && at < from + 10_000).length;
            expect(inWindow).toBeLessThanOrEqual(1_000 * 1.02);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('per minute is an even pace, not sixty at once', async () => {
    const { db } = await temporaryStore();
    const rates: Rates = { relay: { perMinute: 60 } };
    const ask = async (now: number) =>
      allowance(await readLimits(db, 'weekly', rates, now), rates, 'relay', now);
    expect(await ask(START)).toEqual({ count: 1, again: START + 1_000 });
    await spend(db, 'weekly', rates, 'relay', 1, START);
    expect((await ask(START + 500)).count).toBe(0);
    expect((await ask(START + 1_000)).count).toBe(1);
  });

  test('paces a campaign: a sender waits and goes on by itself', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 40);
    await plan(db);
    const { sent, transportFor } = instant(() => performance.now());
    await runOnce({
      db,
      transportFor,
      clock: Date.now,
      settings: settings({ relay: { perSecond: 200 } }),
    });
    expect(await states(db)).toEqual({ accepted: 40 });
    // 5 ms each; the first 100 ms may be used ahead.
    const [first, last] = [sent[0]?.at ?? 0, sent.at(-1)?.at ?? 0];
    expect(last - first).toBeGreaterThan(39 * 5 - 100 - 20);
  });

  test('per day puts the campaign aside until tomorrow: 8 readers at 2 a day are a matter of four days', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 8);
    await plan(db);
    let now = START;
    const { sent, transportFor } = instant(() => now);
    const rates: Rates = { relay: { perDay: 2 } };
    let runs = 0;
    for (let next: number | null = START; next !== null; runs += 1) {
      now = next;
      ({ nextDue: next } = await runOnce({
        db,
        transportFor,
        clock: () => now,
        settings: settings(rates),
      }));
    }
    expect(runs).toBe(4);
    expect(await states(db)).toEqual({ accepted: 8 });
    for (const { at } of sent)
      expect(sent.filter((other) => other.at >= at && other.at < at + 24 * HOUR)).toHaveLength(2);
  });

  test('of one provider group holds back its readers only', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 4);
    await db
      .updateTable('subscribers')
      .set({ address: 'q@qq.com', address_key: 'q@qq.com' })
      .where('id', '=', 1)
      .execute();
    await db
      .updateTable('subscribers')
      .set({ address: 'r@qq.com', address_key: 'r@qq.com' })
      .where('id', '=', 2)
      .execute();
    await plan(db);
    const { sent, transportFor } = instant(() => START);
    const report = await runOnce({
      db,
      transportFor,
      settings: settings({ qq: { perDay: 1 } }),
    });
    expect(sent.map(({ to }) => to).sort()).toEqual([
      'q@qq.com',
      'reader3@example.com',
      'reader4@example.com',
    ]);
    expect(report.nextDue).toBeGreaterThan(START + 23 * HOUR);
  });

  test('tells how long a list takes at least', () => {
    expect(shortestDuration({ relay: { perDay: 2_000 } }, { other: 8_000 })).toBe(3 * 24 * HOUR);
    expect(shortestDuration({ relay: { perSecond: 10 } }, { other: 60, qq: 41 })).toBe(10_000);
    expect(shortestDuration({ qq: { perMinute: 1 } }, { other: 6_000, qq: 3 })).toBe(2 * MINUTE);
    expect(shortestDuration({}, { other: 6_000 })).toBe(0);
  });
});

describe('a hold', () => {
  test('of a provider group: its readers wait, the others are sent, and it ends by itself', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 3);
    await db
      .updateTable('subscribers')
      .set({ address: 'q@qq.com', address_key: 'q@qq.com' })
      .where('id', '=', 1)
      .execute();
    await plan(db);
    await hold(db, 'weekly', 'qq', { until: START + HOUR, note: 'rate-limited: 550 frequency' });
    const { transportFor } = instant(() => START);
    const report = await runOnce({ db, transportFor });
    expect(await states(db)).toEqual({ accepted: 2, queued: 1 });
    expect(report.nextDue).toBe(START + HOUR);
    await runOnce({ db, transportFor, clock: () => START + HOUR });
    expect(await states(db)).toEqual({ accepted: 3 });
  });

  test('does not hold what is written into the outbox', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 2);
    await plan(db, { channel: 'outbox' });
    await hold(db, 'weekly', 'relay', { until: START + HOUR, note: 'refused' });
    const { transportFor } = instant(() => START);
    await runOnce({ db, transportFor });
    expect(await states(db)).toEqual({ accepted: 2 });
  });

  test('that is longer stays when a shorter one comes', async () => {
    const { db } = await temporaryStore();
    await hold(db, 'weekly', 'qq', { until: START + HOUR, note: 'long' });
    await hold(db, 'weekly', 'qq', { until: START + MINUTE, note: 'short' });
    const { rows } = await readLimits(db, 'weekly', {}, START);
    expect(rows.get('qq')).toMatchObject({ held_until: START + HOUR, note: 'long' });
  });
});
