/** What mail services post to us. */
import type { FastifyInstance } from 'fastify';
import { receiveSes } from '../../newsletter/bounces.ts';
import type { Site } from './site.ts';

/** SNS posts 256 KB at most, and JSON may double its quotes. */
const LARGEST_NOTIFICATION = 512 * 1024;

/**
 * Notifications of Amazon SES, where the settings name a topic. A refused one is not told why. To be registered with
 * a scope of its own: SNS posts JSON and calls it text.
 */
export async function webhookRoutes(
  app: FastifyInstance,
  { newsletter, fetch }: Pick<Site, 'newsletter'> & { fetch: typeof globalThis.fetch },
): Promise<void> {
  if (!newsletter.settings.bounces.ses) return;
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post('/webhooks/ses', { bodyLimit: LARGEST_NOTIFICATION }, async (request, reply) => {
    const done = await receiveSes(newsletter, String(request.body ?? ''), fetch);
    return reply
      .code(done === 'refused' ? 403 : 200)
      .header('Cache-Control', 'no-store')
      .type('text/plain; charset=utf-8')
      .send(done === 'refused' ? 'Refused\n' : 'Received\n');
  });
}
