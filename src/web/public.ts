/** The pages that readers see. No cookie, no script. Each group of routes is a file in `public/`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import createFastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { networkOf } from '../audience/network.ts';
import { readiness } from '../newsletter/health.ts';
import type { Newsletter } from '../newsletter/newsletter.ts';
import { apiRoutes } from './public/api.ts';
import { archiveRoutes } from './public/archive.ts';
import { clickRoutes } from './public/clicks.ts';
import { preferencesRoutes } from './public/preferences.ts';
import { siteOf } from './public/site.ts';
import { subscribeRoutes } from './public/subscribe.ts';
import { unsubscribeRoutes } from './public/unsubscribe.ts';
import { webhookRoutes } from './public/webhooks.ts';

/** Largest body of a request, bytes (W-08); what takes longer than this to arrive is broken off, ms. */
const LARGEST_BODY = 8_192;
const LONGEST_REQUEST = 30_000;

/** Longest part of a path: an address, percent-encoded. */
const LONGEST_PART = 400;

/** For answers that are no page. */
const BARE_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** The public server; not listening yet. */
export async function publicServer(
  newsletter: Newsletter,
  fetch = globalThis.fetch,
): Promise<FastifyInstance> {
  const { trustedProxies } = newsletter.settings.site;
  const app = createFastify({
    bodyLimit: LARGEST_BODY,
    requestTimeout: LONGEST_REQUEST,
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    routerOptions: { maxParamLength: LONGEST_PART },
    // A path that cannot be read reaches no route and no hook.
    frameworkErrors: (error, request, reply) =>
      void failed(newsletter, error, request, bare(reply as FastifyReply)),
  });
  app.addHook('onRequest', async (request, reply) => {
    bare(reply);
    warnOfProxy(request);
  });
  const warnOfProxy = proxyWarning(newsletter);
  await app.register(helmet, {
    contentSecurityPolicy: false,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    // Other hosts of the domain are not ours to decide about.
    strictTransportSecurity: { includeSubDomains: false },
  });
  await app.register(rateLimit, {
    global: false,
    keyGenerator: ({ ip }) => networkOf(ip) ?? ip,
  });
  // Each group says itself what it reads; the others are posted nothing.
  app.removeAllContentTypeParsers();
  const site = siteOf(newsletter);
  // Before the groups: a scope takes over the handlers that are there when it is made.
  app.setNotFoundHandler((request, reply) => site.show(request, reply.code(404), 'not-found', {}));
  app.setErrorHandler((error, request, reply) => {
    if ((error as { statusCode?: number }).statusCode === 429)
      return site.show(request, reply.code(429), 'too-many', {});
    return failed(newsletter, error, request, reply);
  });
  app.get('/page.css', (_request, reply) => stylesheet(newsletter, reply));
  app.get('/healthz', (_request, reply) => reply.send({ ok: true }));
  app.get('/readyz', async (_request, reply) => {
    const { ready } = await readiness(newsletter);
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  await app.register(archiveRoutes, site);
  await app.register(clickRoutes, site);
  await app.register(unsubscribeRoutes, site);
  await app.register(subscribeRoutes, site);
  await app.register(preferencesRoutes, site);
  await app.register(apiRoutes, site);
  await app.register(webhookRoutes, { newsletter, fetch });
  return app;
}

/** What every answer has that does not say otherwise. */
function bare(reply: FastifyReply): FastifyReply {
  return reply
    .header('Content-Security-Policy', BARE_POLICY)
    .header('Referrer-Policy', 'no-referrer')
    .header('X-Content-Type-Options', 'nosniff')
    .header('X-Frame-Options', 'DENY')
    .header('Cache-Control', 'no-store');
}

/** Behind a proxy that is not trusted all visitors count as one network: said once (W-09). */
function proxyWarning({ settings, log }: Newsletter) {
  let told = settings.site.trustedProxies.length > 0;
  return ({ headers }: FastifyRequest): void => {
    if (told || headers['x-forwarded-for'] === undefined) return;
    told = true;
    log.warn({}, 'requests come through a proxy: name it in site.trustedProxies');
  };
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
    .header('X-Robots-Tag', 'noindex')
    .type('text/plain; charset=utf-8')
    .send(statusCode === 413 ? 'Too large\n' : 'Something went wrong\n');
}
