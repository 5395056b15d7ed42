/** The suite `cluster`: what the ledger on PostgreSQL takes, with a relay that takes everything at once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../src/store/open.ts';
import { plan } from '../test/support/campaign.ts';
import {
  databaseOn,
  execute,
  type PostgresServer,
  startPostgres,
} from '../test/support/postgres.ts';
import type { Row, Table } from './report.ts';
import type { Used } from './used.ts';

/** Clock ticks of /proc a second. */
const TICKS = 100;

/** @param mails deliveries of each campaign */
export async function cluster({ mails }: { mails: number }): Promise<Table> {
  const server = startPostgres({ durable: true });
  if (!server)
    return {
      about: 'PostgreSQL: left out. It is not installed (apt install postgresql)',
      rows: [],
    };
  process.once('exit', () => server.stop());
  const rows: Row[] = [];
  for (const workers of [1, 2, 4]) {
    const { url, planned } = await campaign(server, `ours${workers}`, mails);
    if (workers === 1) rows.push(planned);
    rows.push(await race(server, 'cluster.ts', `${workers} of ours`, workers, url));
  }
  const { url } = await campaign(server, 'leases', mails);
  // What such a design cannot do without.
  await execute(url, 'create index on deliveries (state, not_before, id)');
  rows.push(await race(server, 'skip-locked.ts', '2 with SKIP LOCKED', 2, url));
  const base = rows.at(-1) as Row;
  const compared = rows.map((row) => ({
    ...row,
    '× SKIP LOCKED': Number(row['deliveries/s']) / Number(base['deliveries/s']),
  }));
  const about = `The ledger on PostgreSQL, fsync on: ${mails} deliveries, no relay, 50 lanes a worker, every mail filled in; one run`;
  return { about, rows: compared };
}

/** A database of its own with a planned campaign. */
async function campaign(server: PostgresServer, name: string, mails: number) {
  await execute(server.url, `create database ${name}`);
  const url = databaseOn(server.url, name);
  const store = await openStore({ url, stateDir: '' });
  await execute(
    url,
    `insert into subscribers (newsletter, address, address_key, address_hash, state, public_id, source,
        created_at, updated_at)
      select 'weekly', address, address, md5(address) || md5(address), 'active', md5(address), 'bench', 0, 0
      from (select 'reader' || n || '@example.com' as address from generate_series(1, ${mails}) as n) as readers`,
  );
  await execute(url, 'vacuum analyze subscribers');
  const began = { at: performance.now(), ours: process.cpuUsage(), theirs: cpuOf(server) };
  await plan(store.db);
  const ms = performance.now() - began.at;
  const { user, system } = process.cpuUsage(began.ours);
  await store.close();
  await execute(url, 'analyze deliveries');
  const planned: Row = {
    contestant: 'planning',
    'deliveries/s': mails / (ms / 1000),
    'CPU µs each': (user + system) / mails,
    'CPU µs each, PostgreSQL': ((cpuOf(server) - began.theirs) * 1e6) / mails,
    'peak MB': process.resourceUsage().maxRSS / 1024,
  };
  return { url, planned };
}

async function race(
  server: PostgresServer,
  script: string,
  contestant: string,
  count: number,
  url: string,
): Promise<Row> {
  const workers = Array.from({ length: count }, () => start(script, url));
  await Promise.all(workers.map(({ line }) => line()));
  const before = cpuOf(server);
  const begun = performance.now();
  for (const { child } of workers) child.stdin?.write('go\n');
  const all = await Promise.all(workers.map(async ({ line }) => JSON.parse(await line()) as Used));
  const ms = performance.now() - begun;
  await Promise.all(workers.map(({ child }) => child.exitCode ?? once(child, 'exit')));
  const mails = all.reduce((sum, used) => sum + used.mails, 0);
  console.error(`${contestant}: ${mails} in ${Math.round(ms)} ms`);
  return {
    contestant,
    'deliveries/s': mails / (ms / 1000),
    'CPU µs each': (all.reduce((sum, used) => sum + used.cpuMs, 0) * 1000) / mails,
    'CPU µs each, PostgreSQL': ((cpuOf(server) - before) * 1e6) / mails,
    'peak MB': Math.max(...all.map(({ rssMb }) => rssMb)),
  };
}

function start(script: string, url: string): { child: ChildProcess; line(): Promise<string> } {
  // As `broadsheet worker` runs.
  const args = ['--heap-growing-percent=10', join(import.meta.dirname, script)];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, DATABASE: url },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return {
    child,
    async line() {
      while (!text.includes('\n')) await once(child.stdout as NodeJS.ReadableStream, 'data');
      const [line = '', ...rest] = text.split('\n');
      text = rest.join('\n');
      return line;
    },
  };
}

/** Seconds that the server and its ended connections have computed; NaN where there is no /proc. */
function cpuOf({ pid }: PostgresServer): number {
  try {
    const stat = readFileSync(`/proc/${pid()}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return stat.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
  } catch {
    return Number.NaN;
  }
}
