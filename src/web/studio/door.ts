/** Who may come in: this machine, this address, and who was given the token (reliability 4.4, P-02). */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

const COOKIE = 'broadsheet-studio';

/** Against pages elsewhere, other names that lead here (DNS rebinding), proxies, and other users of the machine. */
export function mayEnter(request: FastifyRequest, reply: FastifyReply, token: string): boolean {
  const { host = '', origin, via, forwarded } = request.headers;
  const isLocal = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
  const isDirect = (via ?? forwarded ?? request.headers['x-forwarded-for']) === undefined;
  const isSafe = request.method === 'GET' || request.method === 'HEAD';
  // A browser names the origin of whatever changes something; so must everybody else.
  const isOwn = origin === `http://${host}` || (origin === undefined && isSafe);
  if (!isLocal || !isOwn || !isDirect || isFromElsewhere(request)) return false;
  const { token: given } = request.query as { token?: unknown };
  if (typeof given === 'string' && same(given, token)) {
    reply.header('Set-Cookie', `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/`);
    return true;
  }
  const cookie = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1];
  return cookie !== undefined && same(cookie, token);
}

/** Cookies know no ports: another program's page on this machine is told by the browser's own word. */
function isFromElsewhere({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  return /^(cross-site|same-site)$/.test(`${site}`) && headers['sec-fetch-mode'] !== 'navigate';
}

export function same(given: string, token: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}

export function refuse(reply: FastifyReply): FastifyReply {
  return reply
    .code(403)
    .type('text/plain; charset=utf-8')
    .send('Open the studio by the address that was printed at its start.\n');
}
