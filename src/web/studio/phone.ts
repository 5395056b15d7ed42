/**
 * A page for a phone on the local network: the very bytes of one issue, to be read and nothing else. A server of
 * its own, so that the studio itself never leaves this machine.
 */
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import helmet from '@fastify/helmet';
import createFastify, { type FastifyInstance } from 'fastify';
import { renderSVG, renderUnicodeCompact } from 'uqr';
import { inputError } from '../../errors.ts';
import { given, param, sendMail, sendProblem } from './answers.ts';
import { same } from './door.ts';
import type { Live } from './live.ts';

/** How long a page is there, ms. */
const LIFETIME = 30 * 60_000;

export interface PhonePage {
  url: string;
  /** ms. */
  expiresAt: number;
  /** The address to be scanned, for a terminal. */
  terminal: string;
  svg: string;
}

export interface Phone {
  /** Opens a page for an issue; the one before it is gone. @throws BroadsheetError when there is no network */
  open(issue: string, reader?: string): Promise<PhonePage>;
  close(): Promise<void>;
}

/** @param address of this machine on the local network; absent: found */
export function openPhone(live: Live, address?: string): Phone {
  let page: { token: string; issue: string; reader: string | undefined; until: number } | undefined;
  let listening: Promise<{ app: FastifyInstance; host: string }> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function listen() {
    const host = address ?? localAddress();
    const app = createFastify({ forceCloseConnections: true });
    await app.register(helmet, {
      contentSecurityPolicy: false,
      referrerPolicy: { policy: 'no-referrer' },
    });
    app.setErrorHandler((error, _, reply) => sendProblem(error, live.dir, reply));
    app.get('/:token', async (request, reply) => {
      const isHere = request.headers.host === new URL(baseOf(app)).host;
      const open = page && page.until > live.newsletter().clock() ? page : undefined;
      if (!isHere || !open || !same(param(request, 'token'), open.token))
        return reply.code(404).type('text/plain').send('This page has expired.\n');
      return sendMail(reply, (await live.preview(open.issue, open.reader)).html, {});
    });
    await app.listen({ host, port: 0 });
    return { app, host };
  }

  async function close() {
    clearTimeout(timer);
    page = undefined;
    const open = listening;
    listening = undefined;
    await (await open?.catch(() => undefined))?.app.close();
  }

  return {
    async open(issue, reader) {
      await live.preview(issue, reader);
      listening ??= listen();
      const { app } = await listening.catch((error) => {
        listening = undefined;
        throw error;
      });
      const until = live.newsletter().clock() + LIFETIME;
      page = { token: randomBytes(16).toString('base64url'), issue, reader, until };
      clearTimeout(timer);
      timer = setTimeout(() => void close(), LIFETIME);
      timer.unref();
      const url = `${baseOf(app)}/${page.token}`;
      const terminal = renderUnicodeCompact(url);
      const svg = renderSVG(url, { border: 1 });
      return { url, expiresAt: until, terminal, svg };
    },
    close,
  };
}

/** The route of the studio that opens one. */
export function addPhone(app: FastifyInstance, phone: Phone): void {
  app.post('/api/issues/:id/phone', async (request) => {
    const { url, expiresAt, svg } = await phone.open(
      param(request, 'id'),
      given(request, 'reader') || undefined,
    );
    return { url, expiresAt, svg };
  });
}

function baseOf(app: FastifyInstance): string {
  return app.listeningOrigin;
}

/** The first address that other machines of the house can reach. */
function localAddress(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  if (found) return found.address;
  throw inputError('network-missing', 'This machine is on no local network', {
    hint: 'Join one, such as the wireless network of the phone, and try again.',
  });
}
