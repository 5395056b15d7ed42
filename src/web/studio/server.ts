/** The studio: issues, preview, desk, review and outbox, for this machine only. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import helmet from '@fastify/helmet';
import createFastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Settings } from '../../config/settings.ts';
import type { Newsletter } from '../../newsletter/newsletter.ts';
import { param, sendProblem } from './answers.ts';
import { addDesk } from './desk.ts';
import { mayEnter, refuse } from './door.ts';
import { openLive } from './live.ts';
import { addOutbox } from './outbox.ts';
import { addPhone, openPhone, type PhonePage } from './phone.ts';
import { addPreview } from './preview.ts';
import { addReview } from './review.ts';

export interface Studio {
  app: FastifyInstance;
  /** Opens the door; part of the address that is printed at the start. */
  token: string;
  /** A page of an issue for a phone on the local network, for half an hour. */
  openPhone(issue: string): Promise<PhonePage>;
  /** How many pages wait for changes. */
  listeners(): number;
  close(): Promise<void>;
}

export interface StudioOptions {
  /** Reads the settings anew when their files change; absent: they stay as they were opened. */
  readSettings?: (() => Settings) | undefined;
  /** Address of this machine for phones; absent: the first on the local network. */
  phoneAddress?: string;
}

/** Of a checkout or of the published package, wherever this file is in it. */
const ROOT = dirname(findPackageJSON('..', import.meta.url) ?? '');
const ASSETS = join(ROOT, 'src/web/assets');
const TYPES: Record<string, string> = { css: 'text/css', js: 'text/javascript', html: 'text/html' };
const require = createRequire(import.meta.url);
/** The plots come from their package. */
const PACKAGED: Record<string, string> = {
  'uplot.js': 'uplot/dist/uPlot.esm.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
};

/** The page of the studio itself: nothing from elsewhere, the mail only in a frame without scripts. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The studio's server; not listening yet. */
export async function studioServer(
  newsletter: Newsletter,
  { readSettings, phoneAddress }: StudioOptions = {},
): Promise<Studio> {
  const token = randomBytes(18).toString('base64url');
  const app = createFastify({ forceCloseConnections: true });
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } },
    xFrameOptions: { action: 'sameorigin' },
    referrerPolicy: { policy: 'no-referrer' },
  });
  app.addHook('onRequest', async (request, reply) => {
    if (!mayEnter(request, reply, token)) return refuse(reply);
  });
  app.setErrorHandler((error, _, reply) => sendProblem(error, newsletter.dir, reply));
  const live = openLive(newsletter, readSettings);
  const phone = openPhone(live, phoneAddress);
  app.get('/', (_, reply) => asset(reply, 'studio.html'));
  app.get('/studio/:name', (request, reply) => asset(reply, param(request, 'name')));
  addPreview(app, live);
  addDesk(app, live);
  addReview(app, live);
  addOutbox(app, live);
  addPhone(app, phone);
  return {
    app,
    token,
    openPhone: (issue) => phone.open(issue),
    listeners: live.listeners,
    async close() {
      live.close();
      await phone.close();
      await app.close();
    },
  };
}

function asset(reply: FastifyReply, name: string): FastifyReply {
  const type = /^[a-z-]+\.(css|js|html)$/.exec(name)?.[1];
  const packaged = Object.hasOwn(PACKAGED, name) ? PACKAGED[name] : undefined;
  const path = packaged ? require.resolve(packaged) : join(ASSETS, name);
  if (!type || !existsSync(path)) return reply.code(404).send();
  return reply
    .header('Content-Security-Policy', PAGE_POLICY)
    .header('Cache-Control', 'no-store')
    .type(`${TYPES[type]}; charset=utf-8`)
    .send(readFileSync(path));
}
