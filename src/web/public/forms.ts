/** What the forms of the public pages have in common: how they are read, and from where they are taken. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Settings } from '../../config/settings.ts';

/**
 * So many forms from one network in a minute; what causes mail has limits of its own (W-09). A link from a mail is
 * never refused: behind a proxy that is not trusted all readers are one network.
 */
export const FORM_RATE = { rateLimit: { max: 60, timeWindow: 60_000 } };

/** Forms are read as browsers send them without a script, and nothing else is (W-08). */
export function readForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, new URLSearchParams(body as string)),
  );
}

/** A field of the form; empty where it is missing. */
export function field({ body }: FastifyRequest, name: string): string {
  return body instanceof URLSearchParams ? (body.get(name) ?? '') : '';
}

/**
 * Whether a browser says that a page of another site has posted this. One that says nothing is no browser of today, or
 * a mailbox provider (W-06). `Origin: null` comes from our own pages, because they send no referrer.
 */
export function isForeign({ headers }: FastifyRequest, { site }: Pick<Settings, 'site'>): boolean {
  const fetched = headers['sec-fetch-site'];
  if (fetched !== undefined) return fetched !== 'same-origin' && fetched !== 'none';
  const { origin, host } = headers;
  if (origin === undefined || origin === 'null') return false;
  const from = URL.parse(origin)?.host;
  return from !== host && from !== new URL(site.url).host;
}

/** Refuses a form that another site has posted, before its body is read. */
export function ownFormsOnly(settings: Pick<Settings, 'site'>) {
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    if (!isForeign(request, settings)) return undefined;
    return reply.code(403).type('text/plain; charset=utf-8').send('Refused\n');
  };
}

export function tokenOf({ params }: FastifyRequest): string {
  return (params as { token: string }).token;
}
