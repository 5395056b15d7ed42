/** Whether this process lives and can work, for what supervises it: systemd, Docker, Kubernetes, a load balancer. */
import { createServer } from 'node:http';
import { sql } from 'kysely';
import { inputError } from '../errors.ts';
import type { Newsletter } from './newsletter.ts';

/** How long the database may take to answer, ms. */
const PATIENCE = 2_000;

export interface Readiness {
  ready: boolean;
  /** In words; null when it is ready. */
  why: string | null;
}

/** Ready is who reaches the database. A process that is not is left alone: it waits, and loses nothing. */
export async function readiness({ db }: Pick<Newsletter, 'db'>): Promise<Readiness> {
  const timeout = AbortSignal.timeout(PATIENCE);
  const late = new Promise<never>((_, fail) => {
    timeout.addEventListener('abort', () => fail(new Error('the database does not answer')));
  });
  try {
    await Promise.race([sql`select 1`.execute(db), late]);
    return { ready: true, why: null };
  } catch (error) {
    return { ready: false, why: (error as Error).message };
  }
}

/**
 * A server for a worker: `/healthz` 200 while the process lives, `/readyz` 200 or 503, `/metrics` for Prometheus.
 * Without fastify, which a worker never loads.
 * @param at `host:port`
 * @returns its port, and what ends it
 * @throws BroadsheetError `listen-invalid`
 */
export async function listenForHealth(
  newsletter: Newsletter,
  at: string,
): Promise<{ port: number; close(): void }> {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(at) ?? [];
  if (host === undefined)
    throw inputError('listen-invalid', `"${at}" is no address to listen at`, {
      hint: 'Write --listen 127.0.0.1:9100',
    });
  const server = createServer((request, response) => {
    answer(newsletter, request.url ?? '').then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      (error: Error) => response.writeHead(500).end(`${error.message}\n`),
    );
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail).listen(Number(port), host, done);
  });
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(newsletter: Newsletter, path: string) {
  const json = { type: 'application/json' };
  if (path === '/healthz') return { ...json, status: 200, body: '{"ok":true}\n' };
  if (path === '/readyz') {
    const found = await readiness(newsletter);
    return { ...json, status: found.ready ? 200 : 503, body: `${JSON.stringify(found)}\n` };
  }
  if (path !== '/metrics') return { type: 'text/plain', status: 404, body: 'Not found\n' };
  const { metrics } = await import('./metrics.ts');
  const body = await metrics(newsletter, { process: true });
  return { type: 'text/plain; version=0.0.4; charset=utf-8', status: 200, body };
}
