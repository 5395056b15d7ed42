import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { openExchange } from '../../src/delivery/exchange.ts';
import { createQueue } from '../../src/delivery/queue.ts';
import { deferSync } from '../../src/store/durable.ts';
import { openStore } from '../../src/store/open.ts';
import { addReaders, plan, START } from '../support/campaign.ts';

async function store() {
  const stateDir = mkdtempSync(join(tmpdir(), 'durable-'));
  const opened = await openStore({ stateDir });
  onTestFinished(async () => {
    await opened.close();
    rmSync(stateDir, { recursive: true });
  });
  return opened.db;
}

async function synchronous(db: Awaited<ReturnType<typeof store>>): Promise<number> {
  const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(db);
  return rows[0]?.synchronous ?? -1;
}

test('a connection waits for the disk in each commit, until it says that it flushes itself', async () => {
  const db = await store();
  expect(await synchronous(db)).toBe(2);
  const { flush, close } = await deferSync(db);
  expect(await synchronous(db)).toBe(1);
  await addReaders(db, 1);
  await flush();
  await close();
  expect(await synchronous(db)).toBe(2);
});

test('no delivery is given out and no result counts as stored before the disk has it (I2)', async () => {
  const db = await store();
  await addReaders(db, 2);
  const { campaignId } = await plan(db);
  const waiting: (() => void)[] = [];
  const ledger = openExchange({
    db,
    flush: () => new Promise((done) => waiting.push(done)),
    turn: () => ({
      campaign: { id: campaignId, newsletter: 'weekly', channel: 'smtp' },
      epoch: 1,
      now: START,
      rules: { onUnknown: 'resend', expireAfter: 1, rates: {} },
      queue: createQueue(),
      chunk: null,
      chance: () => 0,
    }),
    lanes: 2,
    signal: new AbortController().signal,
  });
  let given = false;
  const next = ledger.next().then((delivery) => {
    given = true;
    return delivery;
  });
  await expect.poll(() => waiting.length).toBe(1);
  const marked = await db
    .selectFrom('deliveries')
    .select('id')
    .where('state', '=', 'attempting')
    .execute();
  expect(marked).toHaveLength(1);
  expect(given).toBe(false);
  waiting[0]?.();
  expect((await next)?.id).toBe(marked[0]?.id);
});

test('a disk that refuses stops the lanes instead of letting them send', async () => {
  const db = await store();
  await addReaders(db, 1);
  const { campaignId } = await plan(db);
  const ledger = openExchange({
    db,
    flush: () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })),
    turn: () => ({
      campaign: { id: campaignId, newsletter: 'weekly', channel: 'smtp' },
      epoch: 1,
      now: START,
      rules: { onUnknown: 'resend', expireAfter: 1, rates: {} },
      queue: createQueue(),
      chunk: null,
      chance: () => 0,
    }),
    lanes: 1,
    signal: new AbortController().signal,
  });
  await expect(ledger.next()).rejects.toThrow('EIO');
});
