/** `broadsheet send` over SMTP, stopped in the middle: by Ctrl-C, and by kill -9. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { addReaders, states } from '../support/campaign.ts';
import { broadsheet, cleanEnvironment, ended, start } from '../support/command.ts';
import { newsletterDirectory, writeIssue } from '../support/newsletter.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const ISSUE = '2026-11-w4';
const READERS = 400;
const SEND = ['send', ISSUE, '--yes'];

interface World {
  dir: string;
  env: Record<string, string>;
  receiver: Receiver;
  addresses: string[];
}

/** A newsletter that mails to a receiver on loopback. */
async function prepare(): Promise<World> {
  const dir = newsletterDirectory();
  const settings = join(dir, 'config/newsletter.yaml');
  writeFileSync(
    settings,
    readFileSync(settings, 'utf8')
      .replace('channel: outbox', 'channel: smtp\n  connections: 4')
      .replace('signer: none', 'signer: relay')
      .replace('https://news.example.com', 'https://weekly.broadsheet-readers.org'),
  );
  writeIssue(dir, ISSUE);
  const store = await openStore({ stateDir: join(dir, 'var') });
  const addresses = await addReaders(store.db, READERS, 1, 'ai-weekly');
  await store.close();
  const receiver = await startReceiver();
  const env = { SMTP_URL: receiver.url, SECRET_KEYS: `k1:${'a'.repeat(43)}` };
  return { dir, env, receiver, addresses };
}

async function rows({ dir }: World): Promise<Record<string, number>> {
  const store = await openStore({ stateDir: join(dir, 'var') });
  try {
    return await states(store.db);
  } finally {
    await store.close();
  }
}

const copies = ({ receiver }: World) => Map.groupBy(receiver.mails, ({ to }) => to);

describe('send', () => {
  test('interrupted with Ctrl-C and run again reaches every subscriber exactly once', async () => {
    const world = await prepare();
    const first = start(world.dir, SEND, world.env);
    const end = ended(first);
    await Promise.race([world.receiver.received(40), end]);
    first.kill('SIGINT');
    const { code, stderr } = await end;
    expect(code).toBe(130);
    expect(stderr).toContain(`Go on with: broadsheet send ${ISSUE}`);
    const before = world.receiver.mails.length;
    expect(before).toBeLessThan(READERS);
    expect(await rows(world)).toEqual({ accepted: before, queued: READERS - before });

    expect((await broadsheet(world.dir, SEND, world.env)).code).toBe(0);
    expect(await rows(world)).toEqual({ accepted: READERS });
    expect(world.receiver.mails.map(({ to }) => to).sort()).toEqual(world.addresses.toSorted());

    const again = await broadsheet(world.dir, SEND, world.env);
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('nothing was sent again');
    expect(world.receiver.mails).toHaveLength(READERS);
  }, 60_000);

  test('killed with kill -9, command and worker, accounts for everybody when it is run again', async () => {
    const world = await prepare();
    const first = start(world.dir, SEND, world.env);
    const end = ended(first);
    await Promise.race([world.receiver.received(40), end]);
    const worker = childrenOf(first.pid as number);
    first.kill('SIGKILL');
    for (const pid of worker) process.kill(pid, 'SIGKILL');
    await end;
    expect(worker).toHaveLength(1);

    const { code } = await broadsheet(world.dir, SEND, world.env);
    const counts = await rows(world);
    // A mail whose reply was lost is sent once more; both outcomes are recorded ones.
    expect([0, 4]).toContain(code);
    expect((counts.accepted ?? 0) + (counts.unknown ?? 0)).toBe(READERS);
    expect([...copies(world).keys()].sort()).toEqual(world.addresses.toSorted());
    for (const mails of copies(world).values()) {
      expect(mails.length).toBeLessThanOrEqual(2);
      expect(new Set(mails.map(({ hash }) => hash)).size).toBe(1);
    }
    expect(world.receiver.mails.length - READERS).toBeLessThanOrEqual(4);
  }, 60_000);

  test('whose command alone is killed: the worker finishes what is in flight and ends', async () => {
    const world = await prepare();
    const first = start(world.dir, SEND, world.env);
    const end = ended(first);
    await Promise.race([world.receiver.received(40), end]);
    const [worker] = childrenOf(first.pid as number);
    first.kill('SIGKILL');
    await end;
    while (isRunning(worker as number)) await new Promise((done) => setTimeout(done, 5));
    const counts = await rows(world);
    expect(counts.attempting ?? 0).toBe(0);
    expect(counts.unknown ?? 0).toBe(0);
    expect(counts.accepted).toBe(world.receiver.mails.length);
    expect((await broadsheet(world.dir, SEND, world.env)).code).toBe(0);
    expect(world.receiver.mails).toHaveLength(READERS);
  }, 60_000);
});

describe('the launcher of a machine whose Node is too old', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'passes a %s that only it gets to the Node that it brought, which ends as always',
    async (signal) => {
      const world = await prepare();
      const launcher = spawn(process.execPath, ['--input-type=module', '-e', LAUNCHER], {
        cwd: world.dir,
        env: cleanEnvironment(world.env),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const end = ended(launcher);
      await Promise.race([world.receiver.received(40), end]);
      launcher.kill(signal);
      const { code, stderr } = await end;
      expect(code).toBe(130);
      expect(stderr).toContain(`Go on with: broadsheet send ${ISSUE}`);
      const taken = world.receiver.mails.length;
      expect(taken).toBeLessThan(READERS);
      expect(await rows(world)).toEqual({ accepted: taken, queued: READERS - taken });
    },
    60_000,
  );
});

/** What launch.js does where it is not the Node that can run Broadsheet. */
const LAUNCHER = `
  import { root, run } from ${JSON.stringify(pathToFileURL(resolve('src/runtime.js')))};
  process.exitCode = await run(process.execPath, [root + '/src/launch.js', ...${JSON.stringify(SEND)}]);
`;

function childrenOf(pid: number): number[] {
  const out = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return out.trim().split(/\s+/).filter(Boolean).map(Number);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
