/** Unsubscribing by the link in a mail (RFC 8058). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { linkOwner, unsubscribe } from '../../newsletter/unsubscribe.ts';
import type { Site } from './site.ts';

/**
 * `GET` asks, `POST` acts; both on the address that stands in the mail (RFC 8058, W-05). To be registered
 * with a scope of its own: whatever is posted here, of whatever type, is read as text.
 */
export async function unsubscribeRoutes(app: FastifyInstance, site: Site): Promise<void> {
  const { newsletter, show } = site;
  // Whatever a mailbox provider posts, of whatever type, known or not, is read as text (D-06).
  app.addHook('onRequest', async ({ raw }) => {
    if (raw.headers['content-type'] !== undefined) raw.headers['content-type'] = 'text/plain';
  });
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.get('/u/:token', async (request, reply) => {
    const owner = await linkOwner(newsletter, tokenOf(request));
    if (!owner) return invalidLink(site, request, reply);
    return show(request, reply, owner.subscribed ? 'unsubscribe' : 'unsubscribed', {
      address: owner.maskedAddress,
    });
  });
  app.post('/u/:token', async (request, reply) => {
    // A page elsewhere cannot know the token; a browser that says it posts from one is refused (W-06).
    if (request.headers['sec-fetch-site'] === 'cross-site')
      return reply.code(403).type('text/plain').send('Refused\n');
    const isPage = /(^|&)confirm=unsubscribe(&|$)/.test(String(request.body ?? ''));
    const owner = await unsubscribe(newsletter, {
      token: tokenOf(request),
      via: isPage ? 'page' : 'one-click',
    });
    if (!owner) return invalidLink(site, request, reply);
    if (!isPage)
      return reply
        .header('Cache-Control', 'no-store')
        .type('text/plain; charset=utf-8')
        .send('Unsubscribed\n');
    return show(request, reply, 'unsubscribed', { address: owner.maskedAddress });
  });
}

function tokenOf(request: FastifyRequest): string {
  return (request.params as { token: string }).token;
}

function invalidLink({ newsletter, show }: Site, request: FastifyRequest, reply: FastifyReply) {
  const { sender } = newsletter.settings;
  return show(request, reply.code(404), 'invalid-link', {
    contact: sender.replyTo ?? sender.address,
  });
}
