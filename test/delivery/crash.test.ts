/** Crashes at every step and at random moments; an oracle that sees only the receiver and the database. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addReaders, plan, states } from '../support/campaign.ts';
import { temporaryDirectory, temporaryStore } from '../support/newsletter.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const CONNECTIONS = 3;
const CHILD = join(import.meta.dirname, 'crash-child.ts');

interface World {
  stateDir: string;
  receiver: Receiver;
  addresses: string[];
}

async function prepare(readers: number): Promise<World> {
  const stateDir = temporaryDirectory();
  const { db } = await temporaryStore(stateDir);
  const addresses = await addReaders(db, readers);
  await plan(db);
  return { stateDir, receiver: await startReceiver(), addresses };
}

function start({ stateDir, receiver }: World, failpoint = ''): ChildProcess {
  const env = {
    ...process.env,
    FAILPOINT: failpoint,
    STATE_DIR: stateDir,
    SMTP_URL: receiver.url,
    CONNECTIONS: String(CONNECTIONS),
  };
  return spawn(process.execPath, [CHILD], { env, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** @returns whether the process ended by itself */
async function ended(child: ChildProcess): Promise<boolean> {
  const [code, signal] = await once(child, 'exit');
  expect(signal === 'SIGKILL' || code === 0).toBe(true);
  return signal === null;
}

/** The invariants, judged from outside: nobody skipped, few copies, equal bytes. */
async function judge({ stateDir, receiver, addresses }: World, kills: number): Promise<void> {
  const { db } = await temporaryStore(stateDir);
  const counts = await states(db);
  const copies = Map.groupBy(receiver.mails, ({ to }) => to);
  const rows = await db.selectFrom('deliveries').select(['address', 'state', 'resends']).execute();
  // I1: one row for each reader, and every row has ended (I8).
  expect(rows.map(({ address }) => address).sort()).toEqual(addresses.toSorted());
  expect(Object.keys(counts).every((state) => ['accepted', 'unknown'].includes(state))).toBe(true);
  const campaign = await db
    .selectFrom('campaigns')
    .select(['state', 'planned'])
    .executeTakeFirstOrThrow();
  expect(campaign).toEqual({ state: 'finished', planned: addresses.length });
  // Nobody skipped: who has no mail is named as unknown.
  const without = rows.filter(({ address }) => !copies.has(address ?? ''));
  expect(without.every(({ state }) => state === 'unknown')).toBe(true);
  for (const [to, mails] of copies) {
    // I7: at most one copy more than resends allow; I11: all alike.
    expect(mails.length, to).toBeLessThanOrEqual(2);
    expect(new Set(mails.map(({ hash }) => hash)).size).toBe(1);
  }
  expect(receiver.mails.length - copies.size).toBeLessThanOrEqual(CONNECTIONS * kills);
}

describe('a sender that is killed', () => {
  test.each([
    'after-mark',
    'before-body',
    'after-body',
    'after-reply',
    'before-result-commit',
    'after-result-commit',
  ])(
    'at every single %s accounts for everybody when it is run again',
    async (failpoint) => {
      const world = await prepare(12);
      let kills = 0;
      for (let n = 1; n <= 60; n += 4) {
        if (await ended(start(world, `${failpoint}@${n}`))) break;
        kills += 1;
      }
      expect(kills).toBeGreaterThan(0);
      expect(await ended(start(world))).toBe(true);
      await judge(world, kills);
    },
    60_000,
  );

  test('at random moments, ten times in 300 deliveries, accounts for everybody', async () => {
    const world = await prepare(300);
    let seed = 42;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let kill = 0; kill < 10; kill += 1) {
      const child = start(world);
      const aim = world.receiver.mails.length + Math.floor(random() * 30);
      const exit = once(child, 'exit');
      await Promise.race([world.receiver.received(aim), exit]);
      child.kill('SIGKILL');
      await exit;
    }
    expect(await ended(start(world))).toBe(true);
    await judge(world, 10);
  }, 60_000);

  test('with SIGTERM finishes what is in flight: nothing is unknown', async () => {
    const world = await prepare(200);
    const child = start(world);
    await world.receiver.received(20);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    const { db } = await temporaryStore(world.stateDir);
    const counts = await states(db);
    expect(counts.attempting ?? 0).toBe(0);
    expect(counts.unknown ?? 0).toBe(0);
    expect(counts.accepted).toBe(world.receiver.mails.length);
    await ended(start(world));
    expect(world.receiver.mails).toHaveLength(200);
  }, 60_000);
});
