/**
 * What happens to a campaign when its database cannot be written, is held by somebody else, or the clock jumps: no
 * mark, no mail; no stored result, no next mark (reliability 4.2: C6, C7, C11, C12).
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import { openStore } from '../../src/store/open.ts';
import { addReaders, plan, runOnce, START, states } from '../support/campaign.ts';
import { temporaryDirectory, temporaryStore } from '../support/newsletter.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const CONNECTIONS = 3;
/** Two marked rows for each connection. */
const LANES = 2 * CONNECTIONS;
const READERS = 300;

/** Directory and database of a planned campaign. */
async function planned(stateDir: string, readers = READERS): Promise<string> {
  const { db, path, close } = await openStore({ stateDir });
  await addReaders(db, readers);
  await plan(db);
  await close();
  return path;
}

/** The real sender in a process of its own. */
function start(stateDir: string, receiver: Receiver) {
  const env = {
    ...process.env,
    STATE_DIR: stateDir,
    SMTP_URL: receiver.url,
    CONNECTIONS: String(CONNECTIONS),
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-child.ts')], {
    env,
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Until no further mail has come for a while. */
async function quiet({ mails }: Receiver): Promise<void> {
  for (let seen = -1; seen !== mails.length; ) {
    seen = mails.length;
    await sleep(700);
  }
}

function copies({ mails }: Receiver): number {
  return mails.length - new Set(mails.map(({ to }) => to)).size;
}

/** A small file system in memory that can be filled; null where this user may not mount one. */
function smallDisk(): string | null {
  const dir = temporaryDirectory();
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dir]);
  if (status !== 0) return null;
  onTestFinished(() => void spawnSync('umount', ['-l', dir]));
  return dir;
}

/** Takes all the room that is left. */
function fill(file: string): void {
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(size));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  }
}

const cannotMount = process.platform !== 'linux' || process.getuid?.() !== 0;

describe('a sender whose database cannot be written', () => {
  test.skipIf(cannotMount)(
    'because the disk is full (needs root on Linux: sudo npm test) sends nothing until there is room, and then everybody once',
    async () => {
      const stateDir = smallDisk();
      if (stateDir === null) throw new Error('root may not mount a tmpfs here');
      const path = await planned(stateDir);
      const receiver = await startReceiver();
      const sender = start(stateDir, receiver);
      const ended = once(sender, 'exit');
      await receiver.received(20);
      const filler = join(stateDir, 'filler');
      fill(filler);
      await quiet(receiver);
      const before = receiver.mails.length;
      expect(before).toBeLessThan(READERS);
      // Reads work, and the file is whole.
      const reader = new Sqlite(path, { readonly: true });
      expect(reader.pragma('integrity_check', { simple: true })).toBe('ok');
      reader.close();
      rmSync(filler);
      expect(await ended).toEqual([0, null]);
      expect(receiver.mails.length - before).toBeGreaterThan(0);
      expect([receiver.mails.length, copies(receiver)]).toEqual([READERS, 0]);
    },
    60_000,
  );

  test('because another process holds it begins no mail meanwhile', async () => {
    const stateDir = temporaryDirectory();
    const path = await planned(stateDir);
    const receiver = await startReceiver();
    const sender = start(stateDir, receiver);
    const ended = once(sender, 'exit');
    await receiver.received(20);
    const other = new Sqlite(path);
    other.exec('begin immediate');
    const before = receiver.mails.length;
    await quiet(receiver);
    // What was marked when the lock came may still be on its way.
    expect(receiver.mails.length - before).toBeLessThanOrEqual(LANES);
    expect(receiver.mails.length).toBeLessThan(READERS);
    other.exec('commit');
    other.close();
    expect(await ended).toEqual([0, null]);
    expect([receiver.mails.length, copies(receiver)]).toEqual([READERS, 0]);
  }, 60_000);
});

describe('two senders on one database', () => {
  test('that no lock keeps apart (a copied directory, a network disk) never mail the same reader', async () => {
    const stateDir = temporaryDirectory();
    await planned(stateDir);
    const receiver = await startReceiver();
    const first = start(stateDir, receiver);
    const firstEnds = once(first, 'exit');
    await receiver.received(20);
    // The second one takes over what the first has marked, and fences it off.
    const secondEnds = once(start(stateDir, receiver), 'exit');
    await Promise.all([firstEnds, secondEnds]);
    const last = start(stateDir, receiver);
    await once(last, 'exit');
    const { db } = await temporaryStore(stateDir);
    expect(await states(db)).toEqual({ accepted: READERS });
    expect(new Set(receiver.mails.map(({ to }) => to)).size).toBe(READERS);
    // Only what was under way when the first was fenced off came twice.
    expect(copies(receiver)).toBeLessThanOrEqual(LANES);
  }, 60_000);
});

describe('a clock that jumps in the middle of a campaign', () => {
  test.each([
    ['two days back', -48],
    ['two days ahead', 48],
  ])('%s skips nobody and mails nobody twice', async (_, hours) => {
    const stateDir = temporaryDirectory();
    const { db } = await temporaryStore(stateDir);
    await addReaders(db, 60);
    await plan(db);
    let jump = 0;
    const receiver = await startReceiver((step, { to }) => {
      if (receiver.mails.length === 20) jump = hours * 3_600_000;
      const isFirst = !deferred.has(to);
      if (step !== 'rcpt' || !isFirst || !to.startsWith('reader5')) return undefined;
      deferred.add(to);
      return '451 4.7.1 greylisted';
    });
    const deferred = new Set<string>();
    const transportFor = () =>
      createSmtpTransport({ url: receiver.url, connections: CONNECTIONS, rest: 1 });
    const options = { db, transportFor, clock: () => START + jump };
    await runOnce(options);
    // Whatever the clock says then, what was put off is sent when it is due by it.
    jump += 96 * 3_600_000;
    await runOnce(options);
    const { accepted = 0, failed = 0 } = await states(db);
    expect(accepted + failed).toBe(60);
    expect([receiver.mails.length, copies(receiver)]).toEqual([accepted, 0]);
  });
});
