import { describe, expect, test } from 'vitest';
import { addSubscriber } from '../../src/audience/subscribers.ts';
import { unsubscribeToken } from '../../src/audience/tokens.ts';
import {
  comparedWithRehearsal,
  keepRehearsal,
  type RehearsalInput,
  rehearse,
} from '../../src/delivery/rehearsal.ts';
import { campaignReport } from '../../src/delivery/report.ts';
import { compile, fill } from '../../src/message/program.ts';
import { addReaders, EMAIL, KEY, plan, START } from '../support/campaign.ts';
import { RING, seededRandom, temporaryStore } from '../support/newsletter.ts';

const PROGRAM = compile(EMAIL, {
  from: { name: 'Weekly', address: 'news@example.com' },
  listId: { id: 'weekly.example.com', name: 'Weekly' },
  date: START,
  links: { unsubscribe: 'https://news.example.com/u/{token}', web: 'https://news.example.com/i' },
  identity: { issue: '2026-w47', domain: 'example.com', salt: 'salt' },
});

const INPUT: RehearsalInput = {
  ...KEY,
  program: PROGRAM,
  hash: 'sha256:x',
  signer: undefined,
  tokenFor: (publicId) => unsubscribeToken(RING, 'weekly', publicId),
  rates: { relay: { perMinute: 60 } },
  pause: 0,
  clock: () => START,
};

async function listOf(count: number) {
  const { db } = await temporaryStore();
  await addReaders(db, count);
  return db;
}

describe('a rehearsal', () => {
  test('composes for every reader and counts them; S-14: foretells how long it takes', async () => {
    const db = await listOf(1_203);
    const seen: number[] = [];
    const rehearsal = await rehearse(db, { ...INPUT, onProgress: (done) => seen.push(done) });
    expect(rehearsal).toMatchObject({
      at: START,
      recipients: 1_203,
      byProvider: { other: 1_203 },
      impossible: { count: 0, example: null },
      shortestMs: 1_202_000,
    });
    expect(seen).toEqual([1_000, 1_203]);
    expect(await db.selectFrom('deliveries').selectAll().execute()).toEqual([]);
  });

  test('H-03: finds the largest message, byte for byte as it will be, and masks whose it is', async () => {
    const db = await listOf(3);
    const address = `${'long'.repeat(15)}@example.com`;
    await addSubscriber(
      db,
      { newsletter: 'weekly', address, name: null, source: 'test' },
      { now: START, random: seededRandom('long') },
    );
    const { id, public_id } = await db
      .selectFrom('subscribers')
      .select(['id', 'public_id'])
      .where('address', '=', address)
      .executeTakeFirstOrThrow();
    const message = fill(PROGRAM, {
      delivery: id,
      address,
      name: null,
      token: INPUT.tokenFor(public_id),
    });
    const { largest } = await rehearse(db, INPUT);
    expect(largest).toEqual({ bytes: message.length, address: 'l•••@example.com' });
  });

  test('tells whom no mail can be made for, without naming them', async () => {
    const db = await listOf(2);
    await db
      .updateTable('subscribers')
      .set({ address: 'two words@example.com' })
      .where('id', '=', 2)
      .execute();
    const { impossible, recipients } = await rehearse(db, INPUT);
    expect(recipients).toBe(2);
    expect(impossible).toMatchObject({
      count: 1,
      example: expect.stringMatching(/^t•••@example\.com: /),
    });
    expect(impossible.example).not.toContain('two words');
  });

  test('is compared with by the campaign that follows', async () => {
    const db = await listOf(20);
    await keepRehearsal(db, KEY, await rehearse(db, INPUT));
    const { campaignId } = await plan(db);
    expect(await comparedWithRehearsal(db, campaignId)).toMatchObject({
      recipients: 20,
      sameReaders: true,
      tookMs: null,
    });
    expect((await campaignReport(db, campaignId)).rehearsal).toMatchObject({
      byProvider: { other: 20 },
    });
  });

  test('of other readers is known by its hash', async () => {
    const db = await listOf(20);
    await keepRehearsal(db, KEY, await rehearse(db, INPUT));
    await db
      .updateTable('subscribers')
      .set({ state: 'unsubscribed' })
      .where('id', '=', 7)
      .execute();
    await addReaders(db, 1, 21);
    const { campaignId } = await plan(db);
    expect(await comparedWithRehearsal(db, campaignId)).toMatchObject({
      recipients: 20,
      sameReaders: false,
    });
  });

  test('of another issue, and one that came later, do not count', async () => {
    const db = await listOf(3);
    const rehearsal = await rehearse(db, INPUT);
    await keepRehearsal(db, { ...KEY, issue: 'other' }, rehearsal);
    await keepRehearsal(db, KEY, { ...rehearsal, at: START + 1 });
    const { campaignId } = await plan(db);
    expect(await comparedWithRehearsal(db, campaignId)).toBeUndefined();
  });
});
