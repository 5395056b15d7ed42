/** Those who take: our sink, or a Postfix of our own that throws everything away. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { env } from './contestants.ts';
import { temporary } from './temporary.ts';

export interface Server {
  port: number;
  /** Waits until everything is dealt with, and ends. @returns mails taken */
  stop(): Promise<number>;
}

/** @param delay of every reply, ms */
export async function openSink(delay: number): Promise<Server> {
  const args = [join(import.meta.dirname, 'sink.ts'), '--delay', String(delay)];
  const sink = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = async () => Number(String((await once(sink.stdout, 'data'))[0]));
  const port = await line();
  const end = untilWeEnd(sink);
  const stop = () => {
    const said = line();
    end();
    return said;
  };
  return { port, stop };
}

/** @returns what ends a process; at the end of ours it ends in any case */
function untilWeEnd(child: ChildProcess): () => void {
  const end = () => void child.kill('SIGTERM');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  return end;
}

/** Why no Postfix of our own can be started; empty when it can. */
export function postfixMissing(): string {
  if (process.getuid?.() !== 0) return 'Postfix starts only as root';
  return spawnSync('postconf', ['-d', 'mail_version'], { env }).status === 0
    ? ''
    : 'Postfix is not installed (Debian: postfix)';
}

const QUEUES = ['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming'];

/** A Postfix with directories of its own: configuration, queue, data and log; the system's is not touched. */
export async function openPostfix(): Promise<Server> {
  const dir = temporary('postfix');
  const port = await freePort();
  lay(dir, port);
  const program = join(postconf('daemon_directory'), 'master');
  // Ends all its processes by their group, so it needs one of its own.
  const master = spawn(program, ['-c', dir, '-d'], { detached: true, stdio: 'ignore', env });
  const end = untilWeEnd(master);
  await answers(port);
  const queued = () =>
    ['incoming', 'active'].some((name) => readdirSync(join(dir, 'queue', name)).length > 0);
  const sent = () => readFileSync(join(dir, 'log'), 'utf8').match(/ status=sent /g)?.length ?? 0;
  const stop = async () => {
    // The log comes a little behind the queue: until nothing is added.
    let taken = -1;
    for (let now = sent(); queued() || now !== taken; now = sent()) {
      taken = now;
      await sleep(300);
    }
    const ended = once(master, 'exit');
    end();
    await ended;
    return taken;
  };
  return { port, stop };
}

/** Writes the configuration, and makes the directories that `postfix start` would make. */
function lay(dir: string, port: number): void {
  const owner = Number(execFileSync('id', ['-u', postconf('mail_owner')], { encoding: 'utf8' }));
  const folders = [...QUEUES, 'pid', 'private', 'public', 'saved', 'trace'];
  for (const folder of [...folders.map((name) => join('queue', name)), 'data']) {
    mkdirSync(join(dir, folder), { recursive: true });
    if (folder !== join('queue', 'pid')) chownSync(join(dir, folder), owner, 0);
  }
  // Its processes are no longer root when they open what is in it.
  chmodSync(dir, 0o755);
  const settings = {
    compatibility_level: '3.6',
    queue_directory: join(dir, 'queue'),
    data_directory: join(dir, 'data'),
    maillog_file: join(dir, 'log'),
    maillog_file_prefixes: dir,
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    myhostname: 'bench.example.com',
    mydestination: '',
    mynetworks: '127.0.0.0/8',
    alias_maps: '',
    default_transport: 'discard',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    // Slows clients down when mail comes faster than it goes; here it goes nowhere.
    in_flow_delay: '0',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(join(dir, 'main.cf'), lines.join(''));
  writeFileSync(join(dir, 'master.cf'), services(port));
}

/** Columns: name, type, private, unprivileged, chroot, wakeup, most processes, program. */
function services(port: number): string {
  return [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    ...['bounce', 'defer', 'trace'].map((name) => `${name} unix - - n - 0 bounce`),
    'proxymap unix - - n - - proxymap',
    'retry unix - - n - - error',
    'discard unix - - n - - discard',
    'anvil unix - - n - 1 anvil',
    'postlog unix-dgram n - n - 1 postlogd',
    '',
  ].join('\n');
}

/** A value that Postfix was built with. */
function postconf(name: string): string {
  return execFileSync('postconf', ['-d', '-h', name], { env, encoding: 'utf8' }).trim();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Until somebody greets at a port, 10 s at most. */
async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'data');
      socket.end('QUIT\r\n');
      return;
    } catch {
      await sleep(100);
    } finally {
      socket.on('error', () => {});
    }
  }
  throw new Error(`Postfix does not answer at port ${port}`);
}
