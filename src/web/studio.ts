/** The studio, first form: issues and the live preview of the very bytes, for this machine only. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import helmet from '@fastify/helmet';
import createFastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { BroadsheetError } from '../errors.ts';
import { issueIds, readIssue } from '../newsletter/issues.ts';
import type { Newsletter } from '../newsletter/newsletter.ts';
import { preview } from '../newsletter/preview.ts';
import { localPictures, pictureRoute } from './pictures.ts';

export interface Studio {
  app: FastifyInstance;
  /** Opens the door; part of the address that is printed at the start. */
  token: string;
  close(): Promise<void>;
}

/** From src/web and, in the published package, from dist/web. */
const ASSETS = join(import.meta.dirname, '../../src/web/assets');
const TYPES: Record<string, string> = { css: 'text/css', js: 'text/javascript', html: 'text/html' };
const COOKIE = 'broadsheet-studio';
/** Files that change together are told together, ms. */
const DEBOUNCE = 60;

/** The page of the studio itself: nothing from elsewhere, the mail only in a frame without scripts. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** The mail in its frame (P-02). */
const MAIL_POLICY =
  "sandbox allow-same-origin; default-src 'none'; img-src 'self' https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'";
const WITHOUT_IMAGES = MAIL_POLICY.replace("img-src 'self' https: data:; ", '');

/** The studio's server; not listening yet. */
export async function studioServer(newsletter: Newsletter): Promise<Studio> {
  const token = randomBytes(18).toString('base64url');
  const app = createFastify({ forceCloseConnections: true });
  await app.register(helmet, {
    contentSecurityPolicy: false,
    xFrameOptions: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  app.addHook('onRequest', async (request, reply) => {
    if (!isAllowed(request, reply, token)) return refuse(reply);
  });
  const changes = watchChanges(newsletter);
  app.get('/', (_request, reply) => asset(reply, 'studio.html'));
  app.get('/assets/:name', (request, reply) =>
    asset(reply, (request.params as { name: string }).name),
  );
  app.get('/api/issues', () => listIssues(newsletter));
  app.get('/api/issues/:id', (request, reply) => show(newsletter, request, reply));
  app.get('/mail/:id', (request, reply) => mail(newsletter, request, reply));
  app.get('/pictures/:name', pictureRoute(newsletter));
  app.get('/api/changes', (request, reply) => events(request, reply, changes));
  return {
    app,
    token,
    async close() {
      changes.close();
      await app.close();
    },
  };
}

/** Only this machine, this address and who was given the token: against other pages and rebinding. */
function isAllowed(request: FastifyRequest, reply: FastifyReply, token: string): boolean {
  const { host = '', origin, via, forwarded } = request.headers;
  const isLocal = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
  const isOwn = origin === undefined || origin === `http://${host}`;
  const isDirect = (via ?? forwarded ?? request.headers['x-forwarded-for']) === undefined;
  if (!isLocal || !isOwn || !isDirect) return false;
  const { token: given } = request.query as { token?: string };
  if (given !== undefined && same(given, token)) {
    reply.header('Set-Cookie', `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/`);
    return true;
  }
  const cookie = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1];
  return cookie !== undefined && same(cookie, token);
}

function same(given: string, token: string): boolean {
  return given.length === token.length && timingSafeEqual(Buffer.from(given), Buffer.from(token));
}

function refuse(reply: FastifyReply): FastifyReply {
  return reply
    .code(403)
    .type('text/plain; charset=utf-8')
    .send('Open the studio by the address that was printed at its start.\n');
}

function asset(reply: FastifyReply, name: string): FastifyReply {
  const type = /^[a-z-]+\.(css|js|html)$/.exec(name)?.[1];
  if (!type) return reply.code(404).send();
  return reply
    .header('Content-Security-Policy', PAGE_POLICY)
    .header('Cache-Control', 'no-store')
    .type(`${TYPES[type]}; charset=utf-8`)
    .send(readFileSync(join(ASSETS, name)));
}

interface ListedIssue {
  id: string;
  title: string;
  date: string;
  /** What is wrong with its file; empty when it can be read. */
  problem: string;
}

function listIssues(newsletter: Newsletter): ListedIssue[] {
  return issueIds(newsletter).map((id) => {
    try {
      const { issue } = readIssue(newsletter, id);
      return { id, title: issue.title, date: issue.date, problem: '' };
    } catch (error) {
      return { id, title: id, date: '', problem: (error as Error).message };
    }
  });
}

async function show(newsletter: Newsletter, request: FastifyRequest, reply: FastifyReply) {
  try {
    const { mime, html, ...rest } = await preview(newsletter, idOf(request));
    const source = mime.toString('utf8');
    const headers = source.slice(0, source.indexOf('\r\n\r\n'));
    return {
      ...rest,
      headers,
      source,
      bytes: { message: mime.length, html: Buffer.byteLength(html) },
    };
  } catch (error) {
    if (!(error instanceof BroadsheetError)) throw error;
    return reply.code(422).send({ problems: error.problems });
  }
}

interface View {
  /** `dark` shows the author's dark rules, `light` keeps them off; absent: as the system has it. */
  mode?: 'light' | 'dark';
  images?: 'off';
  styles?: 'off';
}

/** The HTML part, as it was read back from the composed message (P-01); bent as the view asks. */
async function mail(newsletter: Newsletter, request: FastifyRequest, reply: FastifyReply) {
  const view = request.query as View;
  const { html } = await preview(newsletter, idOf(request));
  return reply
    .header('Content-Security-Policy', view.images === 'off' ? WITHOUT_IMAGES : MAIL_POLICY)
    .header('Cache-Control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(bend(localPictures(newsletter, html), view));
}

function bend(html: string, { mode, styles }: View): string {
  // What a client leaves that takes style sheets away: the styles in the elements.
  const kept = styles === 'off' ? html.replace(/<style[\s\S]*?<\/style>/gi, '') : html;
  if (!mode) return kept;
  return kept.replace(
    /prefers-color-scheme:\s*dark/g,
    mode === 'dark' ? 'min-width:0' : 'max-width:0',
  );
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id;
}

interface Changes {
  listen(listener: () => void): () => void;
  close(): void;
}

/** One call for each burst of changes in issues, templates and settings. */
function watchChanges({ dir }: Newsletter): Changes {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const listener of listeners) listener();
    }, DEBOUNCE);
  };
  const watchers: FSWatcher[] = ['issues', 'templates', 'config'].map((folder) =>
    watch(join(dir, folder), { recursive: true }, changed).on('error', () => {}),
  );
  return {
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Server-sent events: one for each change. */
function events(request: FastifyRequest, reply: FastifyReply, changes: Changes): void {
  reply.hijack();
  reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  reply.raw.write(': open\n\n');
  const stop = changes.listen(() => reply.raw.write('event: change\ndata: {}\n\n'));
  request.raw.on('close', stop);
}
