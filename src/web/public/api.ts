/** The list for a site with a form of its own: JSON, with a key from API_KEYS. Not for browsers: no CORS. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiKey, ApiScope } from '../../config/secrets.ts';
import { type ApiAnswer, once, refused } from '../../newsletter/once.ts';
import { apiChange, apiRemove, apiSubscribe } from '../../newsletter/subscriber-api.ts';
import type { Site } from './site.ts';

/** Requests of one network in a minute: a site asks for all its visitors. */
const RATE = { rateLimit: { max: 600, timeWindow: 60_000 } };

type Fields = Record<string, unknown>;

/** Does what a key asks for. */
type Work = (key: ApiKey, request: FastifyRequest, fields: Fields) => Promise<ApiAnswer>;

/** To be registered with a scope of its own: it reads JSON, and tells errors in JSON. */
export async function apiRoutes(app: FastifyInstance, { newsletter }: Site): Promise<void> {
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, readJson(body as string)),
  );
  app.setErrorHandler((error, request, reply) => {
    const { statusCode = 500, message } = error as { statusCode?: number; message: string };
    if (statusCode < 500)
      return tell(reply, refused(statusCode, CODES[statusCode] ?? 'bad-request', message));
    newsletter.log.error({ route: request.routeOptions.url, message }, 'the API failed');
    return tell(reply, refused(statusCode, 'failed', 'Something went wrong'));
  });

  const route = (method: 'POST' | 'PATCH' | 'DELETE', url: string, scope: ApiScope, work: Work) =>
    app.route({
      method,
      url,
      config: RATE,
      onRequest: async (request, reply) => {
        const key = keyOf(newsletter.secrets.apiKeys ?? [], request);
        if (!key) return tell(reply.header('WWW-Authenticate', 'Bearer'), UNAUTHORISED);
        if (!key.scopes.includes(scope)) return tell(reply, forbidden(scope));
        return undefined;
      },
      handler: async (request, reply) => {
        const key = keyOf(newsletter.secrets.apiKeys ?? [], request) as ApiKey;
        const fields = request.body ?? {};
        if (typeof fields !== 'object' || Array.isArray(fields)) return tell(reply, NO_OBJECT);
        const perform = () => work(key, request, fields as Fields);
        const idempotencyKey = request.headers['idempotency-key'];
        if (idempotencyKey === undefined) return tell(reply, await perform());
        if (!/^[\x21-\x7e]{1,255}$/.test(String(idempotencyKey))) return tell(reply, NO_KEY);
        const content = JSON.stringify([method, request.url, fields]);
        const asked = { client: key.name, idempotencyKey: String(idempotencyKey), content };
        return tell(reply, await once(newsletter, asked, perform));
      },
    });
  route('POST', '/api/subscribers', 'subscribe', (key, _request, fields) =>
    apiSubscribe(newsletter, key, fields),
  );
  route('PATCH', '/api/subscribers/:who', 'manage', (_key, request, fields) =>
    apiChange(newsletter, whoOf(request), fields),
  );
  route('DELETE', '/api/subscribers/:who', 'manage', (key, request) =>
    apiRemove(newsletter, key, whoOf(request)),
  );
}

const UNAUTHORISED = refused(
  401,
  'unauthorised',
  'Send "Authorization: Bearer KEY" with a key of API_KEYS',
);
const NO_OBJECT = refused(400, 'body-invalid', 'The body has to be a JSON object');
const NO_KEY = refused(
  400,
  'idempotency-key-invalid',
  'Idempotency-Key: 1 to 255 visible characters',
);
const CODES: Record<number, string> = {
  413: 'too-large',
  415: 'media-type-unsupported',
  429: 'too-many',
};

function forbidden(scope: ApiScope): ApiAnswer {
  return refused(403, 'scope-missing', `This key has not the scope "${scope}"`);
}

function tell(reply: FastifyReply, { status, body }: ApiAnswer): FastifyReply {
  return reply.code(status).header('Cache-Control', 'no-store').send(body);
}

/** The key that a request carries: all are compared, each in constant time. */
function keyOf(keys: readonly ApiKey[], { headers }: FastifyRequest): ApiKey | undefined {
  const [, given] = /^Bearer ([\w-]{1,200})$/i.exec(headers.authorization ?? '') ?? [];
  if (given === undefined) return undefined;
  const hash = createHash('sha256').update(given).digest();
  return keys.filter((key) => timingSafeEqual(key.hash, hash))[0];
}

function whoOf({ params }: FastifyRequest): string {
  return (params as { who: string }).who;
}

/** Undefined is no object either: what cannot be read is refused as such. */
function readJson(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return 'unreadable';
  }
}
