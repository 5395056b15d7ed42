/** The pages that readers see. No cookie, no script. Each group of routes is a file in `public/`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import helmet from '@fastify/helmet';
import createFastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Newsletter } from '../newsletter/newsletter.ts';
import { archiveRoutes } from './public/archive.ts';
import { siteOf } from './public/site.ts';
import { unsubscribeRoutes } from './public/unsubscribe.ts';

/** Largest body of a request, bytes (D-06). */
const LARGEST_BODY = 4_096;

/** The public server; not listening yet. */
export async function publicServer(newsletter: Newsletter): Promise<FastifyInstance> {
  const app = createFastify({ bodyLimit: LARGEST_BODY, routerOptions: { maxParamLength: 200 } });
  await app.register(helmet, {
    contentSecurityPolicy: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  // Each group says itself what it reads; the others are posted nothing.
  app.removeAllContentTypeParsers();
  const site = siteOf(newsletter);
  app.get('/page.css', (_request, reply) => stylesheet(newsletter, reply));
  app.get('/healthz', (_request, reply) => reply.send({ ok: true }));
  await app.register(archiveRoutes, site);
  await app.register(unsubscribeRoutes, site);
  app.setNotFoundHandler((request, reply) => site.show(request, reply.code(404), 'not-found', {}));
  app.setErrorHandler((error, request, reply) => failed(newsletter, error, request, reply));
  return app;
}

function stylesheet({ dir }: Newsletter, reply: FastifyReply) {
  return reply
    .header('Cache-Control', 'public, max-age=3600')
    .type('text/css; charset=utf-8')
    .send(readFileSync(join(dir, 'templates', 'pages', 'page.css')));
}

/** Tokens never reach a log: the route's pattern does. */
function failed({ log }: Newsletter, error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const { statusCode = 500, message } = error as { statusCode?: number; message: string };
  if (statusCode >= 500) log.error({ route: request.routeOptions.url, message }, 'a page failed');
  return reply
    .code(statusCode)
    .type('text/plain; charset=utf-8')
    .send(statusCode === 413 ? 'Too large\n' : 'Something went wrong\n');
}
