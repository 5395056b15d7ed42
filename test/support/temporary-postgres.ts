/** A PostgreSQL server of its own for a test file, where Debian's postgresql-15 is installed. */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

const BIN = '/usr/lib/postgresql/15/bin';

export const hasPostgres = existsSync(join(BIN, 'initdb'));

export interface TemporaryPostgres {
  url: string;
  stop(): Promise<void>;
}

/** Starts it on a free port of the loopback; nothing of it is left after `stop`. */
export async function startPostgres(): Promise<TemporaryPostgres> {
  const dir = mkdtempSync(join(tmpdir(), 'broadsheet-postgres-'));
  const as = account(dir);
  const data = join(dir, 'data');
  execFileSync(join(BIN, 'initdb'), ['-D', data, '-U', 'reader', '-A', 'trust', '-N'], {
    ...as,
    stdio: 'ignore',
  });
  const port = await freePort();
  const options = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', dir, '-F'];
  const server = spawn(join(BIN, 'postgres'), options, { ...as, stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const url = `postgres://reader@127.0.0.1:${port}/postgres`;
  await answers(url);
  return {
    url,
    async stop() {
      server.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL does not run as root: there it gets the account that Debian made for it. */
function account(dir: string): { uid?: number; gid?: number; cwd: string } {
  if (userInfo().uid !== 0) return { cwd: dir };
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const [uid, gid] = [id('-u'), id('-g')];
  chownSync(dir, uid, gid);
  return { uid, gid, cwd: dir };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (tries > 300) throw error;
      await wait(100);
    }
  }
}
