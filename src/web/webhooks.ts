/** What mail services post to us. */
import type { FastifyInstance } from 'fastify';
import { receiveSes } from '../newsletter/bounces.ts';
import type { Newsletter } from '../newsletter/newsletter.ts';

/** SNS posts 256 KB at most, and JSON may double its quotes. */
const LARGEST_NOTIFICATION = 512 * 1024;

/** Notifications of Amazon SES, where the settings name a topic. A refused one is not told why. */
export function webhookRoutes(
  app: FastifyInstance,
  newsletter: Newsletter,
  fetch: typeof globalThis.fetch,
): void {
  if (!newsletter.settings.bounces.ses) return;
  app.post('/webhooks/ses', { bodyLimit: LARGEST_NOTIFICATION }, async (request, reply) => {
    const done = await receiveSes(newsletter, String(request.body ?? ''), fetch);
    return reply
      .code(done === 'refused' ? 403 : 200)
      .header('Cache-Control', 'no-store')
      .type('text/plain; charset=utf-8')
      .send(done === 'refused' ? 'Refused\n' : 'Received\n');
  });
}
