/** The pages that readers see: unsubscribe, web version, list of issues. No cookie, no script. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import helmet from '@fastify/helmet';
import createFastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { sentIssues, webVersion } from '../newsletter/archive.ts';
import type { Newsletter } from '../newsletter/newsletter.ts';
import { linkOwner, unsubscribe } from '../newsletter/unsubscribe.ts';
import { type PageData, type Pages, renderPage } from '../render/page.ts';
import { loadTemplates } from '../render/templates.ts';
import { type Language, languageOf } from '../render/words.ts';
import { webhookRoutes } from './webhooks.ts';

/** Largest body of a request, bytes (D-06). */
const LARGEST_BODY = 4_096;

/** Shows a page in the language of the request. */
type Show = <Name extends keyof Pages>(
  request: FastifyRequest,
  reply: FastifyReply,
  page: Name,
  data: Pages[Name],
) => FastifyReply;

/** The public server; not listening yet. */
export async function publicServer(
  newsletter: Newsletter,
  fetch = globalThis.fetch,
): Promise<FastifyInstance> {
  const app = createFastify({ bodyLimit: LARGEST_BODY, routerOptions: { maxParamLength: 200 } });
  await app.register(helmet, {
    contentSecurityPolicy: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  app.removeAllContentTypeParsers();
  // Whatever a mailbox provider posts, of whatever type, known or not, is read as text (D-06).
  app.addHook('onRequest', async ({ raw }) => {
    if (raw.headers['content-type'] !== undefined) raw.headers['content-type'] = 'text/plain';
  });
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const show = pages(newsletter);
  app.get('/', (request, reply) => home(newsletter, show, request, reply));
  app.get('/page.css', (_request, reply) => stylesheet(newsletter, reply));
  app.get('/healthz', (_request, reply) => reply.send({ ok: true }));
  app.get('/issues/:id', (request, reply) => issue(newsletter, show, request, reply));
  unsubscribeRoutes(app, newsletter, show);
  webhookRoutes(app, newsletter, fetch);
  app.setNotFoundHandler((request, reply) => show(request, reply.code(404), 'not-found', {}));
  app.setErrorHandler((error, request, reply) => failed(newsletter, error, request, reply));
  return app;
}

/** `GET` asks, `POST` acts; both on the address that stands in the mail (RFC 8058, W-05). */
function unsubscribeRoutes(app: FastifyInstance, newsletter: Newsletter, show: Show): void {
  app.get('/u/:token', async (request, reply) => {
    const owner = await linkOwner(newsletter, tokenOf(request));
    if (!owner) return invalidLink(newsletter, show, request, reply);
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
    if (!owner) return invalidLink(newsletter, show, request, reply);
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

function invalidLink(
  { settings }: Newsletter,
  show: Show,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const contact = settings.sender.replyTo ?? settings.sender.address;
  return show(request, reply.code(404), 'invalid-link', { contact });
}

async function home(
  newsletter: Newsletter,
  show: Show,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const issues = (await sentIssues(newsletter)).map(({ issue, title, sentAt }) => ({
    title,
    path: `/issues/${issue}`,
    day: new Date(sentAt).toISOString().slice(0, 10),
  }));
  return show(request, reply, 'home', { issues });
}

/** The mail's own HTML; its styles stand in its elements, so they are allowed here. */
async function issue(
  newsletter: Newsletter,
  show: Show,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const html = await webVersion(newsletter, (request.params as { id: string }).id);
  if (html === null) return show(request, reply.code(404), 'not-found', {});
  return reply
    .header(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; img-src https:; frame-ancestors 'none'",
    )
    .header('Cache-Control', 'public, max-age=300')
    .type('text/html; charset=utf-8')
    .send(html);
}

function stylesheet({ dir }: Newsletter, reply: FastifyReply) {
  return reply
    .header('Cache-Control', 'public, max-age=3600')
    .type('text/css; charset=utf-8')
    .send(readFileSync(join(dir, 'templates', 'pages', 'page.css')));
}

function pages({ dir, settings }: Newsletter): Show {
  const templates = loadTemplates(dir, settings.template);
  const data: PageData = {
    name: settings.name,
    base: new URL(settings.site.url).pathname.replace(/\/$/, ''),
  };
  return (request, reply, page, own) =>
    reply
      .header(
        'Content-Security-Policy',
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
      )
      .header('X-Robots-Tag', 'noindex')
      .header('Cache-Control', 'no-store')
      .header('Vary', 'Accept-Language')
      .type('text/html; charset=utf-8')
      .send(
        renderPage(templates, page, { ...data, ...own }, languageFor(request, settings.language)),
      );
}

/** The first language of the browser that we speak, else the list's (W-16). */
function languageFor(request: FastifyRequest, list: string): Language {
  const wanted = String(request.headers['accept-language'] ?? '')
    .split(',')
    .map((part) => part.trim().toLowerCase());
  const spoken = wanted.find((tag) => /^(zh|en)\b/.test(tag));
  return languageOf(spoken ?? list);
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
