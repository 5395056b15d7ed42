/** Unsubscribing by the link in a mail (RFC 8058). */
import type { FastifyInstance } from 'fastify';
import { linkOwner, undoUnsubscribe, unsubscribe } from '../../newsletter/unsubscribe.ts';
import { ownFormsOnly, tokenOf } from './forms.ts';
import { invalidLink, type Site } from './site.ts';

/** Largest body of a request to unsubscribe, bytes (D-06). */
const LARGEST_BODY = 4_096;

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
  const onRequest = ownFormsOnly(newsletter.settings);
  app.get('/u/:token', async (request, reply) => {
    const owner = await linkOwner(newsletter, tokenOf(request));
    if (!owner) return invalidLink(site, request, reply);
    const { maskedAddress: address, preferencesToken, undoToken } = owner;
    return owner.subscribed
      ? show(request, reply, 'unsubscribe', { address, preferencesToken })
      : show(request, reply, 'unsubscribed', { address, undoToken });
  });
  app.post('/u/:token', { bodyLimit: LARGEST_BODY, onRequest }, async (request, reply) => {
    const isPage = /(^|&)confirm=unsubscribe(&|$)/.test(String(request.body ?? ''));
    const owner = await unsubscribe(newsletter, {
      token: tokenOf(request),
      via: isPage ? 'page' : 'one-click',
    });
    if (!owner) return invalidLink(site, request, reply);
    if (!isPage) return reply.type('text/plain; charset=utf-8').send('Unsubscribed\n');
    const { maskedAddress: address, undoToken } = owner;
    return show(request, reply, 'unsubscribed', { address, undoToken });
  });
  app.post('/undo/:token', { onRequest }, async (request, reply) => {
    const address = await undoUnsubscribe(newsletter, tokenOf(request));
    if (address === null) return invalidLink(site, request, reply);
    return show(request, reply, 'undone', { address });
  });
}
