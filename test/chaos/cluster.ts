/**
 * A campaign on PostgreSQL that several workers share, while they are killed and frozen and the database crashes. The
 * workers are the real command, `broadsheet worker`, in a hurry (`times.ts`); the oracle has the last word.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deliveryOf, judge, type LogLine, readLog, type Verdict } from '../support/oracle.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { seededRandom } from '../support/seeded.ts';
import { type ClusterWitness, openClusterWitness } from './cluster-witness.ts';
import { type Crew, type Member, openCrew } from './crew.ts';
import { openPostgresLedger, type PostgresLedger } from './postgres-ledger.ts';
import type { Receiver } from './receiver.ts';
import { forkReceiver } from './receiver-process.ts';
import { DEAD_AFTER, LOOK } from './times.ts';
import { makeWorld, type World } from './world.ts';

export interface ClusterOptions {
  workers: number;
  kills: number;
  /** `pg_ctl -m immediate stop`, and a start. */
  restarts: number;
  /** SIGSTOP, longer than it takes until another worker has the chunk, and SIGCONT. */
  freezes: number;
  deliveries: number;
  /** Of each worker. */
  connections: number;
  /** The same seed draws the same kills, restarts and freezes. */
  seed: string;
  hold: boolean;
  /** Longest time from when the server has stored a mail to its answer, ms; the shortest is 0. */
  pause: number;
  /** Mails a second at most, of all workers together; 0: as fast as it goes. */
  rate: number;
  onProgress?(progress: ClusterProgress): void;
}

export interface ClusterProgress {
  kills: number;
  restarts: number;
  freezes: number;
  mails: number;
}

export interface ClusterReport extends Verdict, Counts {
  /** Extra copies of deliveries that no killed worker had in hand. */
  causeless: number;
  /** Times that a worker ended by itself, by what it said. */
  failures: Record<string, number>;
  /** Mails that began in any ten seconds, at most. */
  fastest: number;
  /** The slowest end after SIGTERM, ms. */
  slowestStop: number;
  ms: number;
  /** Of the files, kept where something is wrong; else null. */
  dir: string | null;
}

interface Counts {
  kills: number;
  /** Of them: before it had marked a delivery in that life. */
  startUp: number;
  restarts: number;
  freezes: number;
  /** Of them: those whose chunk another worker had when they woke. */
  fenced: number;
  left: number;
  /** Sum over all kills: deliveries that were marked, and of these those that the server had. */
  marked: number;
  arrived: number;
}

interface Event {
  kind: 'kill' | 'restart' | 'freeze';
  /** It comes when the server has so many mails … */
  after: number;
  /** … and the worker of this place is so old, ms. */
  place: number;
  age: number;
  /** A reader who leaves the list just before, or null. */
  leaver: number | null;
}

const LONGEST_LIFE = 4_000;
/** Share of the events before which a reader leaves. */
const LEAVERS = 0.1;
/** The events are spread over this share of the mails. */
const SPREAD = 0.9;
/** A worker is frozen until another has its chunk, which may have to finish its own first; at least and at most, ms. */
const FROZEN = [(DEAD_AFTER + LOOK) * 1_000, 30_000] as const;
/** So long after it woke, what a fenced worker has done is looked at, ms. */
const AWAKE = 3_000;
/** A commit that was under way when its worker was killed is there by then, ms. */
const SETTLES = 2_000;
/** Without a mail or an end for so long, it hangs, ms. */
const LONGEST_SILENCE = 300_000;
/** A rate is judged in any stretch of so many ms, and may be exceeded so far. */
const WINDOW = 10_000;
const MARGIN = 1.02;
/** After SIGTERM, ms. */
const LONGEST_STOP = 30_000;

export async function chaosTogether(options: ClusterOptions): Promise<ClusterReport> {
  const begun = performance.now();
  const { connections, deliveries, hold, pause, rate, seed } = options;
  const server = startPostgres({ durable: true });
  if (!server) throw new Error('PostgreSQL is not installed: apt install postgresql');
  process.once('exit', server.stop);
  const preload = ['hurried.ts'];
  const world = await makeWorld({
    readers: deliveries,
    connections,
    hold,
    rate,
    url: server.url,
    preload,
  });
  const remove = () => rmSync(world.dir, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  const log = join(world.dir, 'received');
  const receiver = await forkReceiver({ log, pause: [0, pause], seed, faults: false });
  const ledger = openPostgresLedger(server.url);
  try {
    const run = await sendAndTrouble(options, { world, server, receiver, ledger, log });
    const lines = readLog(log);
    const verdict = judge({
      database: await ledger.copyTo(world.dir),
      log: lines,
      readers: deliveries,
      connections,
      kills: run.kills,
      resends: hold ? 0 : 1,
      isShared: true,
    });
    const { doubted, ...counts } = run;
    const causeless = copiesBut(doubted, lines);
    const violations = [...run.violations, ...verdict.violations, ...(await ledger.damage())];
    if (causeless > 0)
      violations.push(`I7: ${causeless} extra copies of what no killed worker had in hand`);
    const fastest = mostIn(WINDOW, lines);
    if (rate > 0 && fastest > (rate * WINDOW * MARGIN) / 1_000)
      violations.push(`T14: ${fastest} mails began in ${WINDOW} ms, at ${rate} a second`);
    process.off('exit', remove);
    if (violations.length === 0) remove();
    return {
      ...verdict,
      ...counts,
      causeless,
      fastest,
      violations,
      ms: Math.round(performance.now() - begun),
      dir: violations.length > 0 ? world.dir : null,
    };
  } finally {
    receiver.close();
    await ledger.close();
    process.off('exit', server.stop);
    server.stop();
  }
}

/** Extra copies of deliveries other than these. */
function copiesBut(doubted: ReadonlySet<number>, lines: readonly LogLine[]): number {
  const mails = lines.filter((line) => line.kind === 'mail');
  const others = mails
    .map(({ messageId }) => deliveryOf(messageId) ?? 0)
    .filter((delivery) => !doubted.has(delivery));
  return others.length - new Set(others).size;
}

/** Mails that began within any stretch of so many ms, at most. */
function mostIn(ms: number, lines: readonly LogLine[]): number {
  const begun = lines.flatMap((line) => (line.kind === 'mail' ? [line.begun] : []));
  begun.sort((a, b) => a - b);
  let first = 0;
  return begun.reduce((most, at, last) => {
    while ((begun[first] ?? at) <= at - ms) first += 1;
    return Math.max(most, last - first + 1);
  }, 0);
}

interface Scene {
  world: World;
  server: PostgresServer;
  receiver: Receiver;
  ledger: PostgresLedger;
  /** Path of the mail server's log. */
  log: string;
}

interface Run extends Counts, Pick<ClusterReport, 'failures' | 'slowestStop' | 'violations'> {
  /** Deliveries that killed workers had in hand. */
  doubted: ReadonlySet<number>;
}

async function sendAndTrouble(options: ClusterOptions, scene: Scene): Promise<Run> {
  const { world, server, receiver, ledger, log } = scene;
  // The workers find the queue as the plan made it.
  for (const table of ['queue', 'job'])
    await ledger.rows(`update pgboss.${table} set heartbeat_seconds = ${DEAD_AFTER}`);
  const witness = openClusterWitness(ledger, log, options.connections);
  const crew = openCrew(
    options.workers,
    () => world.start(['worker'], receiver.url, 0),
    world.complaints,
  );
  const counts = { kills: 0, restarts: 0, freezes: 0, fenced: 0, left: 0 };
  /** Of what goes on beside the next event. */
  const beside: Promise<unknown>[] = [];
  let restarting = Promise.resolve();
  let isOver = false;
  const over = campaignOver(ledger, receiver).finally(() => {
    isOver = true;
  });
  const violations: string[] = [];

  const troubles: Record<Event['kind'], (member: Member) => Promise<void>> = {
    async kill(member) {
      await crew.kill(member);
      counts.kills += 1;
      beside.push(sleep(SETTLES).then(() => witness.killed(member.pid)));
    },
    async restart() {
      await restarting;
      counts.restarts += 1;
      restarting = server.crash();
      beside.push(restarting);
    },
    async freeze(member) {
      const held = await witness.heldBy(member.pid);
      counts.freezes += 1;
      crew.freeze(member);
      beside.push(thaw(member, held));
    },
  };

  async function thaw(member: Member, held: Awaited<ReturnType<ClusterWitness['heldBy']>>) {
    const [least, most] = FROZEN;
    const latest = performance.now() + most;
    await sleep(least);
    while (!(await witness.fence(held)) && performance.now() < latest) await sleep(500);
    if (held.lost.length > 0) counts.fenced += 1;
    crew.thaw(member);
    await sleep(AWAKE);
    await witness.awake(held);
  }

  for (const event of schedule(options)) {
    if (isOver) break;
    await Promise.race([over, receiver.received(event.after)]);
    if (event.leaver !== null) {
      beside.push(leave(world, event.leaver));
      counts.left += 1;
    }
    await troubles[event.kind](await grownUp(crew, event));
    options.onProgress?.({ ...counts, mails: receiver.stored });
  }
  const hung = await over;
  await Promise.all(beside);
  if (hung) violations.push(`I8: ${hung}`);
  const stops = await crew.stop();
  const slowestStop = Math.max(...stops.map(({ ms }) => ms));
  for (const { end, ms } of stops)
    if (end !== 0 || ms > LONGEST_STOP)
      violations.push(`T9: a worker that was told to stop ended with ${end} after ${ms} ms`);
  await witness.compare();
  const { found, startUp, marked, arrived, doubted } = witness;
  return {
    ...counts,
    startUp,
    marked,
    arrived,
    doubted,
    violations: [...violations, ...found],
    failures: crew.failures,
    slowestStop,
  };
}

/** The worker that is due, once it is old enough; it may be another one by then. */
async function grownUp(crew: Crew, { place, age }: Event): Promise<Member> {
  for (;;) {
    const member = crew.at(place);
    const missing = member.since + age - performance.now();
    if (missing <= 0) return member;
    await sleep(missing);
  }
}

/** By the link in the mail; a reader comes again when the page says that the database is away. */
async function leave(world: World, reader: number): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await world.leave(reader);
    } catch (error) {
      if (tries > 100) throw error;
    }
    await sleep(500);
  }
}

/** Looks whether the campaign has ended. @returns resolves with why it hangs, or null */
async function campaignOver(ledger: PostgresLedger, receiver: Receiver): Promise<string | null> {
  let mails = -1;
  let since = performance.now();
  for (;;) {
    const [campaign] = await ledger.rows<{ state: string }>('select state from campaigns');
    if (campaign?.state === 'finished') return null;
    await receiver.received(0);
    if (receiver.stored > mails) since = performance.now();
    mails = receiver.stored;
    if (performance.now() - since > LONGEST_SILENCE)
      return `the campaign is ${campaign?.state}, and no mail comes`;
    await sleep(1_000);
  }
}

/** When what happens. Times are drawn as numbers of mails, so that a slow machine gets as much of it. */
function schedule(options: ClusterOptions): Event[] {
  const { kills, restarts, freezes, workers, deliveries, connections, seed, hold } = options;
  const random = seededRandom(`cluster ${seed}`);
  const draw = () => random(4).readUInt32BE() / 2 ** 32;
  // What is held back after a kill never arrives.
  const lost = hold ? 2 * connections * kills : 0;
  const mails = SPREAD * Math.max(deliveries - lost, deliveries / 4);
  const counts: [Event['kind'], number][] = [
    ['kill', kills],
    ['restart', restarts],
    ['freeze', freezes],
  ];
  return counts
    .flatMap(([kind, count]) => Array.from({ length: count }, () => kind))
    .map((kind) => ({
      kind,
      after: Math.floor(draw() * mails),
      place: Math.floor(draw() * workers),
      age: draw() * LONGEST_LIFE,
      leaver: draw() < LEAVERS ? Math.floor(draw() * deliveries) : null,
    }))
    .sort((a, b) => a.after - b.after);
}
