/** Links of mails that are counted: on to where they lead. */
import type { FastifyInstance } from 'fastify';
import { follow } from '../../newsletter/clicks.ts';
import type { Site } from './site.ts';

/** No link that was not written down leads anywhere, so the route is no open redirect. */
export async function clickRoutes(app: FastifyInstance, { newsletter, show }: Site): Promise<void> {
  app.get('/r/:issue/:n', async (request, reply) => {
    const { issue, n } = request.params as { issue: string; n: string };
    const { method, headers } = request;
    const userAgent = headers['user-agent'] ?? '';
    const url = await follow(newsletter, { issue, n, method, userAgent });
    if (url === null) return show(request, reply.code(404), 'not-found', {});
    return reply
      .header('Cache-Control', 'no-store')
      .header('X-Robots-Tag', 'noindex')
      .redirect(url, 302);
  });
}
