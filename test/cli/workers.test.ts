/** Several `broadsheet worker` on one PostgreSQL, with the times that are shipped: real processes, real time. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, inject, test } from 'vitest';
import { openPostgresLedger } from '../chaos/postgres-ledger.ts';
import { openReceiver } from '../chaos/receiver.ts';
import { makeWorld } from '../chaos/world.ts';
import { databaseUrl, temporaryDirectory } from '../support/newsletter.ts';
import { readLog } from '../support/oracle.ts';
import { startPostgres } from '../support/postgres.ts';

const CONNECTIONS = 4;

/** A planned campaign, a mail server that takes its time, and the command. */
async function prepare(readers: number, pause: [number, number], url?: string) {
  const address = url ?? (await databaseUrl(temporaryDirectory())) ?? '';
  const world = await makeWorld({ readers, connections: CONNECTIONS, hold: false, url: address });
  const log = join(world.dir, 'received');
  const receiver = await openReceiver({ log, pause, seed: '', faults: false });
  const ledger = openPostgresLedger(address);
  const children: ChildProcess[] = [];
  const end = async () => {
    for (const child of children) child.kill('SIGKILL');
    receiver.close();
    await ledger.close();
  };
  return {
    receiver,
    end,
    start() {
      const child = world.start(['worker'], receiver.url, 0);
      children.push(child);
      return child;
    },
    /** Deliveries by state. */
    async states(): Promise<Record<string, number>> {
      const rows = await ledger.rows<{ state: string; n: number }>(
        'select state, count(*) as n from deliveries group by state',
      );
      return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
    },
    /** Chunks that a process has. */
    async chunksOf({ pid }: ChildProcess): Promise<number> {
      const [found] = await ledger.rows<{ n: number }>(
        `select count(*) as n from chunks join workers on workers.id = epoch
          where node like '%/' || $1 and open = 1 and handed = 1`,
        [String(pid)],
      );
      return found?.n ?? 0;
    },
    copies: () =>
      [...Map.groupBy(readLog(log), ({ to }) => to).values()].map(({ length }) => length),
  };
}

/** @returns exit code or signal, and after how long, ms */
async function stopped(child: ChildProcess): Promise<{ end: unknown; ms: number }> {
  const begun = performance.now();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const [code, signal] = await ended;
  return { end: code ?? signal, ms: performance.now() - begun };
}

describe.concurrent('workers', () => {
  test('that are restarted one after the other lose no mail and double none, and each ends in 30 s', async ({
    expect,
    onTestFinished,
  }) => {
    const readers = 3_000;
    const { receiver, start, states, copies, end } = await prepare(readers, [5, 40]);
    onTestFinished(end);
    let [older, younger] = [start(), start()];
    for (const mails of [300, 900, 1_500]) {
      await receiver.received(mails);
      const { end: code, ms } = await stopped(older);
      expect(code).toBe(0);
      expect(ms).toBeLessThan(30_000);
      [older, younger] = [younger, start()];
    }
    await receiver.received(readers);
    expect(await Promise.all([stopped(older), stopped(younger)])).toMatchObject([
      { end: 0 },
      { end: 0 },
    ]);
    expect(await states()).toEqual({ accepted: readers });
    expect(copies()).toEqual(Array(readers).fill(1));
  }, 240_000);

  test('of which one is killed: the other has its chunk within 60 s', async ({
    expect,
    onTestFinished,
  }) => {
    const readers = 2_000;
    const { receiver, start, states, chunksOf, end } = await prepare(readers, [5, 20]);
    onTestFinished(end);
    const [victim] = [start(), start()];
    while ((await chunksOf(victim)) === 0) await sleep(50);
    const before = receiver.stored;
    await receiver.received(before + 100);
    victim.kill('SIGKILL');
    const killed = performance.now();
    while ((await chunksOf(victim)) > 0) {
      await sleep(200);
      expect(performance.now() - killed, 'the chunk lies idle').toBeLessThan(60_000);
    }
    while (((await states()).queued ?? 0) > 0) await sleep(200);
    // What it had begun nobody can know yet; nobody else is left.
    const { accepted = 0, attempting = 0 } = await states();
    expect(accepted + attempting).toBe(readers);
    while (((await states()).attempting ?? 0) > 2 * CONNECTIONS) await sleep(100);
  }, 240_000);

  test('that are told to stop while the database is away end in 30 s', async ({
    expect,
    onTestFinished,
  }) => {
    expect(inject('postgres')).toBeTruthy();
    const server = startPostgres();
    if (!server) throw new Error('there is no server');
    const { receiver, start, end } = await prepare(500, [5, 20], server.url);
    onTestFinished(end);
    const worker = start();
    await receiver.received(100);
    server.stop();
    await sleep(500);
    const { end: code, ms } = await stopped(worker);
    expect(code).toBe(1);
    expect(ms).toBeLessThan(30_000);
  }, 240_000);
});
