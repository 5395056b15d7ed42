/** Crashes at every step and at random moments. The oracle sees only what the mail server wrote down, and the database. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FAILPOINTS } from '../../src/delivery/failpoint.ts';
import { openStore } from '../../src/store/open.ts';
import { openReceiver, type Receiver, type ReceiverOptions } from '../chaos/receiver.ts';
import { chaos } from '../chaos/run.ts';
import { addReaders, plan, states } from '../support/campaign.ts';
import { temporaryDirectory, temporaryStore } from '../support/newsletter.ts';
import { judge, readLog, type Verdict, witness } from '../support/oracle.ts';
import { sendAll } from './crash-sender.ts';

const READERS = 12;
const CONNECTIONS = 3;
const CHILD = join(import.meta.dirname, 'crash-child.ts');
/** Child processes at one time. */
const ABREAST = 3;
/** A child that is killed at this step in every run does not get on. */
const MOST_STEPS = 100;

/** Those on a delivery's way. */
const STEPS = FAILPOINTS.filter((name) => name !== 'after-plan-insert');

interface World {
  stateDir: string;
  database: string;
  readers: number;
  receiver: Receiver;
  /** May be changed while it runs. */
  behaviour: ReceiverOptions;
  onUnknown: 'resend' | 'hold';
}

/** A database with a list, and with a campaign for it; closed. @returns its path */
async function planned(readers: number, { withPlan = true } = {}): Promise<string> {
  const { db, path, close } = await openStore({ stateDir: temporaryDirectory() });
  await addReaders(db, readers);
  if (withPlan) await plan(db);
  await close();
  return path;
}

/** A world of its own around a copy of a database. */
async function worldOf(
  template: string,
  readers = READERS,
  onUnknown: World['onUnknown'] = 'resend',
): Promise<World> {
  const stateDir = temporaryDirectory();
  const database = join(stateDir, 'broadsheet.db');
  copyFileSync(template, database);
  const behaviour: ReceiverOptions = {
    log: join(stateDir, 'received'),
    pause: [0, 0],
    seed: '',
    faults: false,
  };
  const receiver = await openReceiver(behaviour);
  onTestFinished(() => receiver.close());
  return { stateDir, database, readers, receiver, behaviour, onUnknown };
}

function start(world: World, { failpoint = '', task = 'send' } = {}): ChildProcess {
  const env = {
    ...process.env,
    FAILPOINT: failpoint,
    TASK: task,
    STATE_DIR: world.stateDir,
    SMTP_URL: world.receiver.url,
    CONNECTIONS: String(CONNECTIONS),
    ON_UNKNOWN: world.onUnknown,
    NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/crash-child'),
  };
  return spawn(process.execPath, [CHILD], { env, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** A sender that nobody kills, and that knows nothing of the one before it. */
function finish({ stateDir, receiver, onUnknown }: World): Promise<void> {
  const signal = new AbortController().signal;
  return sendAll({
    stateDir,
    smtpUrl: receiver.url,
    connections: CONNECTIONS,
    onUnknown,
    signal,
  });
}

/** @returns whether the process ended by itself */
async function ended(child: ChildProcess): Promise<boolean> {
  const [code, signal] = await once(child, 'exit');
  expect(signal === 'SIGKILL' || code === 0, `ended with ${signal ?? code}`).toBe(true);
  return signal === null;
}

function verdict({ database, behaviour, readers, onUnknown }: World, kills: number): Verdict {
  return judge({
    database,
    log: readLog(behaviour.log),
    readers,
    connections: CONNECTIONS,
    kills,
    resends: onUnknown === 'resend' ? 1 : 0,
  });
}

/** What the dead sender has left; asked before another one begins. */
function leftBehind({ database, behaviour }: World): string[] {
  return witness(behaviour.log, { database, connections: CONNECTIONS }, 1).look();
}

/** Kills the sender at one step, has another one finish. @returns whether there was such a step */
async function crashAt(world: World, failpoint: string): Promise<boolean> {
  const survived = await ended(start(world, { failpoint }));
  if (!survived) {
    expect(leftBehind(world), failpoint).toEqual([]);
    await finish(world);
  }
  const found = verdict(world, survived ? 0 : 1);
  const { accepted = 0, unknown = 0 } = found.states;
  expect(found.violations, failpoint).toEqual([]);
  expect(accepted + unknown, failpoint).toBe(READERS);
  if (world.onUnknown === 'hold') {
    expect(found.mostCopies, failpoint).toBe(1);
    expect(unknown, failpoint).toBeLessThanOrEqual(2 * CONNECTIONS);
  } else expect(found, failpoint).toMatchObject({ delivered: READERS, states: { accepted } });
  return !survived;
}

/** Crashes at the first, second, third … time, each in a world of its own, until there is no such time. */
async function crashAtEvery(step: string, onUnknown: World['onUnknown']): Promise<number> {
  const template = await planned(READERS);
  for (let from = 1; from < MOST_STEPS; from += ABREAST) {
    const crashed = await Promise.all(
      Array.from({ length: ABREAST }, async (_, n) =>
        crashAt(await worldOf(template, READERS, onUnknown), `${step}@${from + n}`),
      ),
    );
    if (crashed.includes(false)) return from - 1 + crashed.indexOf(false);
  }
  throw new Error(`There is no end of ${step}`);
}

describe('a sender that is killed', () => {
  test.each(STEPS)(
    'at every single %s loses nobody: one crash, and everybody has the mail',
    async (step) => {
      const crashes = await crashAtEvery(step, 'resend');
      // Commits are shared; everything else happens once for each mail.
      expect(crashes).toBeGreaterThanOrEqual(step.endsWith('commit') ? 3 : READERS);
    },
    60_000,
  );

  test('at every single after-reply, with unknown ones held, mails nobody twice', async () => {
    expect(await crashAtEvery('after-reply', 'hold')).toBeGreaterThanOrEqual(READERS);
  }, 60_000);

  test.each(STEPS)(
    'at %s again and again accounts for everybody',
    async (step) => {
      const world = await worldOf(await planned(READERS));
      let kills = 0;
      while (!(await ended(start(world, { failpoint: `${step}@${kills + 1}` })))) {
        kills += 1;
        expect(leftBehind(world)).toEqual([]);
        expect(kills).toBeLessThan(MOST_STEPS);
      }
      expect(kills).toBeGreaterThan(1);
      expect(verdict(world, kills).violations).toEqual([]);
    },
    60_000,
  );

  test('at random moments, fifty times in 5,000 deliveries, accounts for everybody', async () => {
    const report = await chaos({
      kills: 50,
      deliveries: 5_000,
      connections: 20,
      seed: 'crash.test.ts',
      hold: false,
      faults: false,
      pause: 10,
    });
    expect(report.violations).toEqual([]);
    expect(report).toMatchObject({ kills: 50, planned: 5_000 });
    expect(report.mostCopies).toBeLessThanOrEqual(2);
  }, 120_000);
});

describe('planning that is killed', () => {
  test('leaves nothing behind, and works when it is done again', async () => {
    const world = await worldOf(await planned(READERS, { withPlan: false }));
    expect(await ended(start(world, { task: 'plan', failpoint: 'after-plan-insert' }))).toBe(false);
    const { db } = await temporaryStore(world.stateDir);
    for (const table of ['campaigns', 'editions', 'deliveries', 'events'] as const)
      expect(await db.selectFrom(table).selectAll().execute(), table).toEqual([]);
    expect(await ended(start(world, { task: 'plan' }))).toBe(true);
    await finish(world);
    expect(verdict(world, 0)).toMatchObject({ violations: [], delivered: READERS, mostCopies: 1 });
  }, 30_000);
});

describe('a sender that is asked to end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'with %s finishes what is in flight: nothing is unknown',
    async (signal) => {
      const world = await worldOf(await planned(200), 200);
      const child = start(world);
      await world.receiver.received(20);
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([0, null]);
      const { db } = await temporaryStore(world.stateDir);
      const { accepted, ...others } = await states(db);
      expect(accepted).toBe(world.receiver.stored);
      expect(others).toEqual(accepted === 200 ? {} : { queued: 200 - accepted! });
      await finish(world);
      expect(verdict(world, 0)).toMatchObject({ violations: [], delivered: 200, extraCopies: 0 });
    },
    60_000,
  );

  test.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGTERM'],
    ['SIGINT', 'SIGINT'],
  ] as const)(
    'with %s and then %s ends at once, and is as if it had been killed',
    async (first, second) => {
      const world = await worldOf(await planned(READERS));
      world.behaviour.pause = [20_000, 20_000];
      const child = start(world);
      const exit = once(child, 'exit');
      await world.receiver.received(CONNECTIONS);
      child.kill(first);
      const patience = new Promise((resolve) => setTimeout(resolve, 300, 'still waiting'));
      expect(await Promise.race([exit, patience])).toBe('still waiting');
      child.kill(second);
      expect(await exit).toEqual([130, null]);
      expect(leftBehind(world)).toEqual([]);
      world.behaviour.pause = [0, 0];
      await finish(world);
      expect(verdict(world, 1)).toMatchObject({
        violations: [],
        delivered: READERS,
        extraCopies: CONNECTIONS,
      });
    },
    30_000,
  );
});
