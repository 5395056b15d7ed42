/**
 * A campaign whose sender is killed again and again. The sender is the real command, `broadsheet worker --once`; the
 * mail server is a process of its own that survives it; the oracle has the last word.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { judge, readLog, type Verdict, witness } from '../support/oracle.ts';
import { seededRandom } from '../support/seeded.ts';
import type { Receiver } from './receiver.ts';
import { forkReceiver } from './receiver-process.ts';
import { makeWorld, type World } from './world.ts';

export interface ChaosOptions {
  kills: number;
  deliveries: number;
  connections: number;
  /** The same seed kills at the same times and makes the server misbehave in the same way. */
  seed: string;
  /** `onUnknown: hold` instead of `resend`. */
  hold: boolean;
  /** The server refuses and drops a part of the mail. */
  faults: boolean;
  /** Longest time from when the server has stored a mail to its answer, ms; the shortest is 0. */
  pause: number;
  onProgress?(progress: ChaosProgress): void;
}

export interface ChaosProgress {
  kills: number;
  /** Mails that the server has stored. */
  mails: number;
}

export interface ChaosReport extends Verdict {
  /** Kills that met a sender at work. */
  kills: number;
  /** Of them: before it had sent a mail in that life. */
  startUp: number;
  /** Readers who left the list meanwhile. */
  left: number;
  /** Sum over all kills: deliveries that were marked, and of these those that the server had. */
  marked: number;
  arrived: number;
  /** What the server did. */
  refused: { forNow: number; forGood: number };
  dropped: number;
  /** Times that the campaign paused by itself and was resumed. */
  resumed: number;
  /** Of the whole run. */
  ms: number;
  /** Of the files, kept where something is wrong; else null. */
  dir: string | null;
}

interface Kill {
  /** It comes when the server has so many mails … */
  after: number;
  /** … and after this pause, ms. */
  pause: number;
  /** Where the server has them already: so long after the sender's start, ms, or soon after its first mail. */
  startUp: number;
  /** A reader who leaves the list just before, or null. */
  leaver: number | null;
}

const LONGEST_PAUSE = 10;
/** A process needs 200 to 400 ms until its first mail. */
const LONGEST_START = 400;
/** Share of the kills before which a reader leaves. */
const LEAVERS = 0.1;
/** The kills are spread over this share of the mails, so that some are left to be sent in peace. */
const SPREAD = 0.9;
/** Times that a sender may end without an end of the campaign. */
const MOST_STARTS = 500;

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const begun = performance.now();
  const { connections, deliveries, seed, faults, hold, pause } = options;
  const world = await makeWorld({ readers: deliveries, connections, hold });
  const log = join(world.dir, 'received');
  const remove = () => rmSync(world.dir, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  const receiver = await forkReceiver({ log, pause: [0, pause], seed, faults });
  try {
    const seen = witness(log, { database: world.database, connections }, 10);
    const run = await sendAndKill(options, world, receiver, seen);
    const lines = readLog(log);
    const verdict = judge({
      database: world.database,
      log: lines,
      readers: deliveries,
      connections,
      kills: run.kills,
      resends: hold ? 0 : 1,
    });
    const violations = [...run.violations, ...verdict.violations];
    const refusals = lines.filter((line) => line.kind === 'refused');
    process.off('exit', remove);
    if (violations.length === 0) remove();
    return {
      ...verdict,
      ...run,
      violations,
      refused: {
        forNow: refusals.filter(({ code }) => code < 500).length,
        forGood: refusals.filter(({ code }) => code >= 500).length,
      },
      dropped: lines.filter(({ kind }) => kind === 'dropped').length,
      ms: Math.round(performance.now() - begun),
      dir: violations.length > 0 ? world.dir : null,
    };
  } finally {
    receiver.close();
  }
}

type Run = Pick<
  ChaosReport,
  'kills' | 'startUp' | 'left' | 'marked' | 'arrived' | 'resumed' | 'violations'
>;

async function sendAndKill(
  options: ChaosOptions,
  world: World,
  receiver: Receiver,
  seen: ReturnType<typeof witness>,
): Promise<Run> {
  const run: Run = {
    kills: 0,
    startUp: 0,
    left: 0,
    marked: 0,
    arrived: 0,
    resumed: 0,
    violations: [],
  };
  /** Of the sender's clock, ms. */
  let ahead = 0;
  const start = (...command: string[]) => world.start(command, receiver.url, ahead);

  /** Lives that are cut short: the next one begins at once. */
  for (const kill of schedule(options)) {
    for (let dead = false; !dead; ) {
      const before = await count(receiver);
      const sender = start('worker', '--once');
      dead = await shot(sender, kill, before);
      if (!dead && !(await goOn())) return run;
      const after = await count(receiver);
      if (dead) account(after === before);
      options.onProgress?.({ kills: run.kills, mails: after });
    }
  }
  /** And some that are not. */
  for (let starts = 0; starts < MOST_STARTS; starts += 1) {
    await done(start('worker', '--once'), world);
    options.onProgress?.({ kills: run.kills, mails: await count(receiver) });
    if (!(await goOn())) return run;
  }
  run.violations.push(`I8: the campaign has not ended after ${MOST_STARTS} senders did`);
  return run;

  /** @returns whether the sender was killed; false where it had ended by itself */
  async function shot(sender: ChildProcess, kill: Kill, stored: number): Promise<boolean> {
    const ended = done(sender, world);
    const isLate = stored >= kill.after;
    const mail = receiver.received(isLate ? stored + 1 : kill.after);
    const due = [mail.then(() => sleep(kill.pause)), ...(isLate ? [sleep(kill.startUp)] : [])];
    await Promise.race([ended, ...due]);
    if (kill.leaver !== null && sender.exitCode === null) {
      await world.leave(kill.leaver);
      kill.leaver = null;
      run.left += 1;
    }
    sender.kill('SIGKILL');
    return (await ended) === 'SIGKILL';
  }

  function account(isStartUp: boolean): void {
    run.violations.push(...seen.look());
    run.kills += 1;
    if (isStartUp) run.startUp += 1;
    run.marked += seen.inDoubt.marked;
    run.arrived += seen.inDoubt.arrived;
  }

  /** After a sender has ended by itself. @returns false when the campaign is over */
  async function goOn(): Promise<boolean> {
    const { id, state, due } = standing(world.database);
    if (state === 'paused') {
      await done(start('campaigns', 'resume', String(id)), world);
      run.resumed += 1;
      return true;
    }
    // Everything that is deferred is due, so that it takes one sender and not hundreds.
    if (due > Date.now() + ahead) ahead = due - Date.now() + 1_000;
    return state === 'sending';
  }
}

/** When the sender is killed. Times are drawn as numbers of mails, so that a slow machine gets as many kills. */
function schedule({ kills, deliveries, connections, seed, hold }: ChaosOptions): Kill[] {
  const random = seededRandom(`kills ${seed}`);
  const draw = () => random(4).readUInt32BE() / 2 ** 32;
  // What is held back after a kill never arrives.
  const lost = hold ? 2 * connections * kills : 0;
  const mails = SPREAD * Math.max(deliveries - lost, deliveries / 4);
  return Array.from({ length: kills }, () => ({
    after: Math.floor(draw() * mails),
    pause: draw() * LONGEST_PAUSE,
    startUp: draw() * LONGEST_START,
    leaver: draw() < LEAVERS ? Math.floor(draw() * deliveries) : null,
  })).sort((a, b) => a.after - b.after);
}

/** Mails that the server has now. */
async function count(receiver: Receiver): Promise<number> {
  await receiver.received(0);
  return receiver.stored;
}

/** @returns the signal that ended it, null where it ended by itself. @throws where it failed */
async function done(child: ChildProcess, world: World): Promise<string | null> {
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  process.off('exit', end);
  if (code !== null && code > 0)
    throw new Error(`${child.spawnargs.join(' ')} ended with ${code}: ${world.complaints()}`);
  return signal;
}

/** Where the campaign stands, and when all that is still open may be sent, ms. */
function standing(database: string): { id: number; state: string; due: number } {
  const db = new Sqlite(database, { readonly: true });
  const row = db
    .prepare(`select id, state, max(
        (select coalesce(max(not_before), 0) from deliveries where state in ('queued', 'deferred')),
        (select coalesce(max(held_until), 0) from limits)) as due from campaigns`)
    .get() as { id: number; state: string; due: number };
  db.close();
  return row;
}
