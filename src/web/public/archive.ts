/** What has been sent, for anybody to read. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sentIssues, webVersion } from '../../newsletter/archive.ts';
import { pictureRoute } from '../pictures.ts';
import type { Site } from './site.ts';

/** The list of issues and each issue's web version. */
export async function archiveRoutes(app: FastifyInstance, site: Site): Promise<void> {
  app.get('/', (request, reply) => home(site, request, reply));
  app.get('/issues/:id', (request, reply) => issue(site, request, reply));
  app.get('/assets/:name', pictureRoute(site.newsletter));
}

async function home({ newsletter, show }: Site, request: FastifyRequest, reply: FastifyReply) {
  const issues = (await sentIssues(newsletter)).map(({ issue, title, sentAt }) => ({
    title,
    path: `/issues/${issue}`,
    day: new Date(sentAt).toISOString().slice(0, 10),
  }));
  return show(request, reply, 'home', { issues });
}

/** The mail's own HTML; its styles stand in its elements, so they are allowed here. */
async function issue({ newsletter, show }: Site, request: FastifyRequest, reply: FastifyReply) {
  const html = await webVersion(newsletter, (request.params as { id: string }).id);
  if (html === null) return show(request, reply.code(404), 'not-found', {});
  return reply
    .header(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https:; frame-ancestors 'none'",
    )
    .header('Cache-Control', 'public, max-age=300')
    .type('text/html; charset=utf-8')
    .send(html);
}
