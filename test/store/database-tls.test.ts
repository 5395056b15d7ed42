/** TLS to the database: a real PostgreSQL, and authorities of our own. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { broadsheet } from '../support/command.ts';
import { newsletterDirectory, temporaryDirectory } from '../support/newsletter.ts';
import { execute, type PostgresServer, startPostgres } from '../support/postgres.ts';

const PASSWORD = 'geheim-42';
const dir = temporaryDirectory();
const file = (name: string) => join(dir, name);
let server: PostgresServer | null = null;
let port = 0;

/** @returns the paths of certificate and key; `by` signs it, and it signs itself without */
function certify(name: string, subject: string, names: string[], by?: string) {
  const [certificate, key] = [file(`${name}.crt`), file(`${name}.key`)];
  const alternatives = names.length > 0 ? ['-addext', `subjectAltName=${names.join(',')}`] : [];
  const signed = by ? ['-CA', file(`${by}.crt`), '-CAkey', file(`${by}.key`)] : [];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${subject}`];
  const where = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...made, ...alternatives, ...signed, ...where], {
    stdio: 'ignore',
  });
  return { certificate, key };
}

async function freePort(): Promise<number> {
  const listening = createServer();
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const { port: free } = listening.address() as { port: number };
  await new Promise((done) => listening.close(done));
  return free;
}

beforeAll(async () => {
  certify('authority', 'Our authority', []);
  certify('stranger', 'Another authority', []);
  const own = certify('server', 'database', ['DNS:localhost'], 'authority');
  port = await freePort();
  const [certificate, key] = [own.certificate, own.key].map((path) => readFileSync(path, 'utf8'));
  server = startPostgres({ tls: { port, certificate: certificate ?? '', key: key ?? '' } });
  if (server)
    await execute(`${server.url}&port=${port}`, `alter role broadsheet password '${PASSWORD}'`);
});

afterAll(() => server?.stop());

const url = (query: string, host = 'localhost') =>
  `postgres://broadsheet:${PASSWORD}@${host}:${port}/postgres${query}`;
const verified = (authority: string) => `?sslmode=verify-full&sslrootcert=${file(authority)}`;

/** What opening it is refused with; the password is not in it. */
async function refusal(address: string): Promise<{ code: string; message: string }> {
  const error = await openStore({ url: address, stateDir: '' }).then(
    () => expect.unreachable('it was opened'),
    (reason: { code: string; message: string }) => reason,
  );
  expect(`${error.message} ${JSON.stringify(error)}`).not.toContain(PASSWORD);
  return error;
}

describe('a database over TLS', () => {
  test('whose certificate our authority signed is worked on, and over TLS', async () => {
    const { db, path, close } = await openStore({
      url: url(verified('authority.crt')),
      stateDir: '',
    });
    const { rows } = await sql<{
      ssl: boolean;
      version: string;
    }>`select ssl, version from pg_stat_ssl
      where pid = pg_backend_pid()`.execute(db);
    await close();
    expect(rows).toEqual([{ ssl: true, version: 'TLSv1.3' }]);
    expect(path).toBe(`postgres://broadsheet@localhost:${port}/postgres`);
  });

  test.each(['verify-full', 'verify-ca', 'require'])(
    'whose certificate another authority signed is refused with sslmode=%s',
    async (mode) => {
      const address = url(`?sslmode=${mode}&sslrootcert=${file('stranger.crt')}`);
      const { code, message } = await refusal(address);
      expect(code).toBe('database-untrusted');
      expect(message).toMatch(/certificate .* is not trusted.*\n.*sslrootcert/);
    },
  );

  test('that is called by another name than its certificate has is refused', async () => {
    const { code, message } = await refusal(url(verified('authority.crt'), '127.0.0.1'));
    expect(code).toBe('database-untrusted');
    expect(message).toContain('127.0.0.1');
  });

  test('without TLS is refused by the server', async () => {
    expect(await refusal(url('?sslmode=disable'))).toMatchObject({ code: 'database-refused' });
  });

  test('whose authority is in no file is a mistake in the address', async () => {
    const { code, message } = await refusal(url(verified('nowhere.crt')));
    expect(code).toBe('database-url-invalid');
    expect(message).toContain('nowhere.crt');
  });

  test('the command says so in words, and shows no secret', async () => {
    const newsletter = newsletterDirectory();
    const address = url(verified('stranger.crt'));
    writeFileSync(join(newsletter, 'config/.env'), `DATABASE_URL=${address}\n`);
    const { code, stdout, stderr } = await broadsheet(newsletter, ['worker', '--once'], {
      DATABASE_URL: address,
    });
    expect(code).toBe(1);
    expect(stderr).toContain('is not trusted');
    expect(stdout + stderr).not.toContain(PASSWORD);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});
