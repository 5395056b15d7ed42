/**
 * Every route of both servers, collected as fastify registers them: whatever is sent to one, it answers, with the
 * headers of a careful server, and nothing changes that was not meant to.
 */
import { subscribe as listen, unsubscribe as stop } from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { tokenFor } from '../../src/audience/tokens.ts';
import { loadSecrets } from '../../src/config/secrets.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { publicServer } from '../../src/web/public.ts';
import { studioServer } from '../../src/web/studio/server.ts';
import {
  openTestNewsletter,
  type TestNewsletter,
  temporaryDirectory,
} from '../support/newsletter.ts';
import { openVisitor } from '../support/visitor.ts';

interface Route {
  method: string;
  url: string;
}

/** Fastify tells of each server that it makes before anything is registered. */
async function routesOf<Made>(make: () => Promise<Made>): Promise<{ made: Made; routes: Route[] }> {
  const routes: Route[] = [];
  const watch = (message: unknown) => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.push({ method: each, url });
    });
  };
  listen('fastify.initialization', watch);
  try {
    return { made: await make(), routes };
  } finally {
    stop('fastify.initialization', watch);
  }
}

const KEY = 'k'.repeat(40);
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const TYPES = [
  'application/x-www-form-urlencoded',
  'application/json',
  'multipart/form-data; boundary=b',
  'application/octet-stream',
  'nonsense',
];
const GARBAGE = [
  '',
  '{',
  'null',
  '[]',
  '%',
  '%ff%00=%',
  'a=1&a=2&__proto__=x',
  '{"__proto__":{"a":1}}',
  '\0\xff',
];
const OVERSIZE = 'x'.repeat(100_000);
const PARTS = [
  'x',
  '%00',
  '%2e%2e%2fetc',
  'a'.repeat(600),
  '%',
  '%ff',
  '1.k.aaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaa',
  '<script>',
];

let newsletter: TestNewsletter;
let made: Awaited<ReturnType<typeof routesOf<FastifyInstance>>>;
let app: FastifyInstance;
/** The parts that open something, by the beginning of the route. */
let keys: Record<string, string>;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  newsletter.secrets = loadSecrets({
    dir: temporaryDirectory(),
    env: { API_KEYS: `all:subscribe+manage:${KEY}` },
  });
  await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
  const visitor = await openVisitor(newsletter);
  await visitor.signUp('ben@example.com');
  await visitor.answer();
  const { public_id: id } = await newsletter.db
    .selectFrom('subscribers')
    .select('public_id')
    .executeTakeFirstOrThrow();
  const token = (purpose: 'unsubscribe' | 'preferences' | 'undo') =>
    tokenFor(newsletter.keys, newsletter.settings.slug, purpose, id);
  keys = {
    '/u/': token('unsubscribe'),
    '/p/': token('preferences'),
    '/undo/': token('undo'),
    '/confirm/': (await visitor.mails())[0]?.link('/confirm/').slice('/confirm/'.length) ?? '',
    '/api/subscribers/': 'ana@example.com',
  };
  made = await routesOf(() => publicServer(newsletter));
  app = made.made;
  onTestFinished(() => app.close());
});

/** Every table, so that a change of anything is seen; limits may count. */
async function everything(): Promise<string> {
  const { db } = newsletter;
  const tables = [
    'subscribers',
    'consents',
    'suppressions',
    'signups',
    'notices',
    'confirmations',
  ] as const;
  const rows = await Promise.all(
    [...tables, 'answers' as const].map((table) => db.selectFrom(table).selectAll().execute()),
  );
  return JSON.stringify(rows);
}

const isParameter = (part: string) => part.startsWith(':') || part === '*';

function filled(url: string, part: string): string {
  return url
    .split('/')
    .map((each) => (isParameter(each) ? part : each))
    .join('/');
}

/** The route with what opens it, where something does. */
function opened(url: string): string {
  const key = Object.entries(keys).find(([prefix]) => url.startsWith(prefix))?.[1];
  return filled(url, key ?? 'x');
}

const distinct = () => [...new Set(made.routes.map(({ url }) => url))];

type Answer = Awaited<ReturnType<FastifyInstance['inject']>>;

/** What is not for everybody. */
const PRIVATE = /^\w+ \/(u|p|undo|confirm|link|subscribe|api)\b/;

function expectCareful({ statusCode, headers }: Answer, what: string): void {
  if (PRIVATE.test(what)) expect(headers['x-robots-tag'], what).toBe('noindex');
  expect(headers['x-frame-options'], what).toBe('DENY');
  expect(statusCode, what).toBeLessThan(500);
  expect(headers['content-security-policy'], what).toMatch(/default-src 'none'/);
  expect(headers['content-security-policy'], what).toMatch(/frame-ancestors 'none'/);
  expect(headers['content-security-policy'], what).not.toMatch(/script-src|unsafe-eval/);
  expect(headers['x-content-type-options'], what).toBe('nosniff');
  expect(headers['referrer-policy'], what).toBe('no-referrer');
  expect(headers['cache-control'], what).toBeTruthy();
  expect(headers['set-cookie'], what).toBeUndefined();
  expect(headers.location, what).toBeUndefined();
  expect(headers['access-control-allow-origin'], what).toBeUndefined();
  expect(headers['x-powered-by'], what).toBeUndefined();
}

describe('the public server', () => {
  test('has the routes that this file is about', () => {
    const unsafe = made.routes.filter(({ method }) => !/GET|HEAD/.test(method));
    expect(unsafe.map(({ method, url }) => `${method} ${url}`).sort()).toEqual(
      expect.arrayContaining([
        'POST /u/:token',
        'POST /subscribe',
        'POST /confirm/:token',
        'POST /p/:token',
        'POST /undo/:token',
        'POST /link',
        'POST /api/subscribers',
        'PATCH /api/subscribers/:who',
        'DELETE /api/subscribers/:who',
      ]),
    );
  });

  test('W-07: answers every method, type and garbage on every route, never by 5xx, always with its headers', async () => {
    for (const url of [...distinct(), '/none']) {
      for (const method of METHODS) {
        for (const [i, body] of GARBAGE.entries()) {
          const type = TYPES[i % TYPES.length] as string;
          const what = `${method} ${url} ${type} ${JSON.stringify(body)}`;
          const payload = method === 'GET' || method === 'HEAD' ? {} : { payload: body };
          const request = {
            method,
            url: filled(url, 'x'),
            headers: { 'content-type': type },
            ...payload,
          };
          expectCareful(await app.inject(request), what);
        }
      }
    }
  });

  test('W-08: refuses what is too large, on every route that reads a body', async () => {
    for (const { method, url } of made.routes) {
      if (/GET|HEAD/.test(method)) continue;
      for (const type of TYPES) {
        const answer = await app.inject({
          method: method as 'POST',
          url: opened(url),
          payload: OVERSIZE,
          headers: { 'content-type': type, authorization: `Bearer ${KEY}` },
        });
        const what = `${method} ${url} ${type}`;
        expectCareful(answer, what);
        expect([413, 415, 429], what).toContain(answer.statusCode);
      }
    }
  });

  test('whatever stands in the path, it is answered', async () => {
    for (const url of distinct().filter((each) => each.split('/').some(isParameter))) {
      for (const part of PARTS) {
        for (const method of ['GET', 'POST', 'DELETE'] as const) {
          const request = {
            method,
            url: filled(url, part),
            headers: { authorization: `Bearer ${KEY}` },
          };
          const answer = await app.inject(request);
          expectCareful(answer, `${method} ${request.url}`);
          expect(answer.body).not.toContain('<script>');
        }
      }
    }
  });

  test('W-02, D-07: nothing changes by GET, HEAD or OPTIONS, also with what opens a page', async () => {
    const before = await everything();
    for (const url of distinct()) {
      for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) {
        const request = { method, headers: { authorization: `Bearer ${KEY}` } };
        for (const query of ['', '?confirm=unsubscribe&confirm=yes&save=language&language=en'])
          await app.inject({ ...request, url: opened(url) + query });
      }
    }
    expect(await everything()).toBe(before);
  });

  test.each([
    ['Origin', { origin: 'https://evil.example' }],
    ['Sec-Fetch-Site', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling’s Sec-Fetch-Site', { 'sec-fetch-site': 'same-site' }],
  ])(
    'W-06: nothing changes by a page of another site (%s)',
    async (_, headers: Record<string, string>) => {
      const before = await everything();
      for (const { method, url } of made.routes) {
        if (/GET|HEAD/.test(method)) continue;
        const payload =
          'confirm=unsubscribe&save=language&language=en&address=eve@example.com&again=yes';
        const answer = await app.inject({
          method: method as 'POST',
          url: opened(url),
          payload,
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        });
        const what = `${method} ${url}`;
        expectCareful(answer, what);
        // The form to subscribe may come from elsewhere: it leads to our own. The API asks for a key first.
        const expected = url === '/subscribe' ? 200 : url.startsWith('/api/') ? 401 : 403;
        expect(answer.statusCode, what).toBe(expected);
      }
      expect(await everything()).toBe(before);
    },
  );

  test('our own pages may post: no referrer makes their Origin null', async () => {
    for (const headers of [
      { origin: 'null' },
      { origin: 'null', 'sec-fetch-site': 'same-origin' },
      { origin: newsletter.settings.site.url },
    ]) {
      const answer = await app.inject({
        method: 'POST',
        url: `/p/${keys['/p/']}`,
        payload: 'save=language&language=en',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      });
      expect(answer.statusCode).toBe(200);
    }
  });

  test('A-05: no token reaches the log, also when a page fails', async () => {
    const told: string[] = [];
    const note = (fields: object, message: string) =>
      void told.push(JSON.stringify([fields, message]));
    const broken = await publicServer({
      ...newsletter,
      log: { info: note, warn: note, error: note },
      clock: () => {
        throw new Error('The clock has stopped');
      },
    });
    const tokens = Object.values(keys);
    for (const url of distinct()) {
      await broken.inject({ method: 'GET', url: opened(url) });
      await broken.inject({
        method: 'POST',
        url: opened(url),
        payload: 'confirm=yes',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    }
    await broken.close();
    expect(told.join()).toContain('"/confirm/:token"');
    expect(tokens.filter((token) => told.join().includes(token))).toEqual([]);
  });

  test('no redirect, so none that is open', async () => {
    for (const url of [
      '//evil.example',
      '/\\evil.example',
      '/subscribe?next=https://evil.example',
      '/u//evil.example',
    ]) {
      const answer = await app.inject({ method: 'GET', url });
      expect(answer.headers.location, url).toBeUndefined();
      expect(answer.statusCode, url).toBeLessThan(500);
    }
  });
});

describe('the studio', () => {
  test('P: every route is shut to other hosts, other sites, proxies and those without the token', async () => {
    const { made: studio, routes } = await routesOf(() => studioServer(newsletter));
    const before = await everything();
    const cookie = { cookie: `broadsheet-studio=${studio.token}` };
    const doors: Record<string, string>[] = [
      { host: '127.0.0.1' },
      { host: 'evil.test', ...cookie },
      { host: '127.0.0.1.evil.test', ...cookie },
      { host: '127.0.0.1', origin: 'https://evil.example', ...cookie },
      { host: '127.0.0.1', 'x-forwarded-for': '192.0.2.1', ...cookie },
      { host: '127.0.0.1', forwarded: 'for=192.0.2.1', ...cookie },
      { host: '127.0.0.1', via: '1.1 proxy', ...cookie },
    ];
    expect(routes.length).toBeGreaterThan(5);
    for (const { method, url } of routes) {
      for (const headers of doors) {
        const answer = await studio.app.inject({
          method: method as 'GET',
          url: filled(url, 'x'),
          headers,
        });
        const what = `${method} ${url} ${JSON.stringify(headers)}`;
        expect(answer.statusCode, what).toBe(403);
        expect(answer.headers['x-content-type-options'], what).toBe('nosniff');
        expect(answer.headers['referrer-policy'], what).toBe('no-referrer');
        expect(answer.headers.location, what).toBeUndefined();
      }
    }
    expect(await everything()).toBe(before);
    await studio.close();
  });
});
