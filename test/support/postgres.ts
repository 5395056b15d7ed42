/** A PostgreSQL server of its own for a test run, and a database of its own for each test. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openStore } from '../../src/store/open.ts';

export interface PostgresServer {
  /** Of the database that every other one is copied from. */
  url: string;
  /** Crashes it, as a power cut would, and starts it again. */
  crash(): Promise<void>;
  /** A standby becomes the one that is written to. */
  promote(): void;
  stop(): void;
  /** Of its first process. */
  pid(): number;
}

/** Where Debian, and those who build it themselves, keep the server. */
const PLACES = '/usr/lib/postgresql';

/** Directory of initdb and pg_ctl; null where there is no server. */
function binaries(): string | null {
  const versions = existsSync(PLACES) ? readdirSync(PLACES) : [];
  const newest = versions.toSorted((a, b) => Number(b) - Number(a))[0];
  if (newest) return join(PLACES, newest, 'bin');
  const { stdout } = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  const bin = stdout?.trim();
  return bin && existsSync(join(bin, 'pg_ctl')) ? bin : null;
}

export const hasPostgres = binaries() !== null;

const NEW = ['-U', 'broadsheet', '-A', 'trust', '-E', 'UTF8', '--no-sync'];

export interface PostgresOptions {
  /** False: it need not outlive a power cut, and is faster. */
  durable?: boolean;
  /** It listens on loopback, too: there with TLS and password only. PEM. */
  tls?: { port: number; certificate: string; key: string };
  /** It follows this one, which waits for it with each commit. */
  follows?: PostgresServer;
}

/**
 * Starts a server that listens on a socket in a new directory, and ends with this process, however that ends; null
 * where PostgreSQL is not installed.
 */
export function startPostgres({
  durable = false,
  tls,
  follows,
}: PostgresOptions = {}): PostgresServer | null {
  const bin = binaries();
  if (!bin) return null;
  const dir = mkdtempSync(join(tmpdir(), 'broadsheet-pg-'));
  chmodSync(dir, 0o777);
  const data = join(dir, 'data');
  const options = [
    `-k ${dir} -c max_connections=200 -c shared_buffers=128MB`,
    tls ? `-c listen_addresses=127.0.0.1 -c port=${tls.port} -c ssl=on` : '-c listen_addresses=',
    durable ? '' : '-c fsync=off -c synchronous_commit=on -c full_page_writes=off',
  ].join(' ');
  const starting = ['-D', data, '-w', '-l', join(dir, 'log'), '-o', options, 'start'];
  const crashing = ['-D', data, '-m', 'immediate', 'stop'];
  if (follows) asPostgres(bin, 'pg_basebackup', ['-d', follows.url, '-D', data, '-R']);
  else asPostgres(bin, 'initdb', ['-D', data, ...NEW]);
  if (tls) secure(data, tls);
  asPostgres(bin, 'pg_ctl', starting);
  endWithUs(dir);
  return {
    url: `postgres://broadsheet@localhost/postgres?host=${encodeURIComponent(dir)}`,
    pid: () => Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]),
    async crash() {
      for (const args of [crashing, starting]) {
        const [program, rest] = commandOf(bin, 'pg_ctl', args);
        const child = spawn(program, rest, { stdio: 'ignore', cwd: tmpdir() });
        const [code] = await once(child, 'exit');
        if (code !== 0) throw new Error(`pg_ctl ${args.at(-1)} failed; see ${dir}/log`);
      }
    },
    promote: () => asPostgres(bin, 'pg_ctl', ['-D', data, '-w', 'promote']),
    stop() {
      asPostgres(bin, 'pg_ctl', crashing);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A shell of its own session, which no Ctrl-C reaches, ends the server when its input ends: when we have. */
function endWithUs(dir: string): void {
  const words =
    'read -r _; kill -QUIT "$(head -n 1 "$0/data/postmaster.pid")"; sleep 1; rm -rf "$0"';
  const shell = spawn('sh', ['-c', words, dir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.unref();
}

/** Its certificate, and who may come over the network: whoever has the password and TLS. */
function secure(data: string, { certificate, key }: NonNullable<PostgresOptions['tls']>): void {
  const { uid, gid } = statSync(data);
  const files = { 'server.crt': certificate, 'server.key': key };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(data, name), text, { mode: 0o600 });
    chownSync(join(data, name), uid, gid);
  }
  writeFileSync(
    join(data, 'pg_hba.conf'),
    'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n',
  );
}

/** The server refuses to run as root. */
function commandOf(bin: string, tool: string, args: string[]): [program: string, args: string[]] {
  const isRoot = process.getuid?.() === 0;
  const program = join(bin, tool);
  return isRoot ? ['runuser', ['-u', 'postgres', '--', program, ...args]] : [program, args];
}

function asPostgres(bin: string, tool: string, args: string[]): void {
  const [program, rest] = commandOf(bin, tool, args);
  const { status, stderr } = spawnSync(program, rest, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: tmpdir(),
  });
  if (status !== 0) throw new Error(`${tool} failed: ${stderr}`);
}

/** Address of another database on the same server. */
export function databaseOn(url: string, name: string): string {
  return url.replace(/\/[^/?]+(?=\?)/, `/${name}`);
}

/** Runs one statement on a database. */
export async function execute(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}

const TEMPLATE = 'up_to_date';

/** Makes the database that the tests' are copies of. */
export async function makeTemplate(url: string): Promise<void> {
  await execute(url, `create database ${TEMPLATE}`);
  const store = await openStore({ url: databaseOn(url, TEMPLATE), stateDir: '' });
  await store.close();
}

/** The database that belongs to a state directory; made, with its tables, the first time. @returns its address */
export async function databaseFor(url: string, stateDir: string): Promise<string> {
  const name = `t${createHash('sha256').update(stateDir).digest('hex').slice(0, 20)}`;
  const known = await execute(url, `select from pg_database where datname = '${name}'`);
  if (known.rowCount === 0) await execute(url, `create database ${name} template ${TEMPLATE}`);
  return databaseOn(url, name);
}
