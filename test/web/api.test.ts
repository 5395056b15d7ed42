/** The API for a site with a form of its own. */
import { beforeEach, describe, expect, test } from 'vitest';
import { loadSecrets } from '../../src/config/secrets.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import {
  openTestNewsletter,
  type TestNewsletter,
  temporaryDirectory,
} from '../support/newsletter.ts';
import { openVisitor, type Visitor } from '../support/visitor.ts';

const SITE = 's'.repeat(40);
const OFFICE = 'o'.repeat(40);
const DAY = 86_400_000;

const secretsOf = (keys: string) =>
  loadSecrets({ dir: temporaryDirectory(), env: { API_KEYS: keys } });

let newsletter: TestNewsletter;
let visitor: Visitor;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  newsletter.secrets = secretsOf(`site:subscribe:${SITE}, office:subscribe+manage:${OFFICE}`);
  visitor = await openVisitor(newsletter);
});

async function call(
  method: string,
  path: string,
  body?: unknown,
  { key = OFFICE, headers = {} }: { key?: string; headers?: Record<string, string> } = {},
) {
  const response = await fetch(`${visitor.base}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(key ? { Authorization: `Bearer ${key}` } : {}),
      ...headers,
    },
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  };
}

const rows = () => newsletter.db.selectFrom('subscribers').selectAll().execute();

describe('POST /api/subscribers', () => {
  test('W-01, W-10: asks for a subscription by the same rules: the reader has to confirm', async () => {
    const asked = {
      address: 'ana@example.com',
      language: 'en',
      source: 'https://blog.example.org/',
    };
    const { status, body } = await call('POST', '/api/subscribers', asked, { key: SITE });
    expect([status, body]).toEqual([202, { status: 'asked' }]);
    await visitor.answer();
    expect(await rows()).toMatchObject([{ state: 'pending', source: 'api:site' }]);
    const [mail] = await visitor.mails();
    await visitor.post(mail?.link('/confirm/') ?? '');
    expect(await rows()).toMatchObject([{ state: 'active' }]);
    const log = await newsletter.db.selectFrom('consents').selectAll().execute();
    expect(log.map(({ event, via }) => [event, via])).toEqual([
      ['subscribed', 'api:site'],
      ['confirmed', 'confirmation'],
    ]);
    expect(JSON.parse(log[1]?.detail ?? '')).toMatchObject({ page: 'https://blog.example.org/' });
  });

  test('D-72: notes the wording that the site has shown', async () => {
    const own = { address: 'ana@example.com', wording: 'News, weekly.', wordingVersion: '7' };
    await call('POST', '/api/subscribers', own);
    await visitor.answer();
    const [row] = await newsletter.db.selectFrom('consents').select('detail').execute();
    expect(JSON.parse(row?.detail ?? '')).toMatchObject({ wording: 'News, weekly.', version: '7' });
  });

  test('W-04: answers the same for an address that is on the list', async () => {
    await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
    const [known, fresh] = [
      await call('POST', '/api/subscribers', { address: 'ana@example.com' }),
      await call('POST', '/api/subscribers', { address: 'ben@example.com' }),
    ];
    expect(known).toMatchObject({ status: fresh.status, body: fresh.body });
  });

  test('W-09: the limits are those of the form, by the visitor’s network', async () => {
    const ask = (client: string) =>
      call('POST', '/api/subscribers', { address: 'ana@example.com', client });
    const found: number[] = [];
    for (let i = 0; i < 6; i += 1) found.push((await ask(`192.0.2.${i}`)).status);
    expect(found).toEqual([202, 202, 202, 202, 202, 429]);
    expect((await ask('198.51.100.1')).status).toBe(202);
    await visitor.answer();
    expect(await visitor.mails()).toHaveLength(1);
  });

  test('W-18: tells what was probably meant', async () => {
    const { body } = await call('POST', '/api/subscribers', { address: 'ana@gmial.com' });
    expect(body).toEqual({ status: 'asked', suggestion: 'ana@gmail.com' });
  });

  test.each([
    [{}, 400],
    [{ address: 7 }, 400],
    [{ address: 'a@b\r\nBcc: c@d' }, 400],
    ['[]', 400],
    ['{', 400],
    ['null', 400],
    [`{"address":"${'a'.repeat(9_000)}"}`, 413],
  ])('D-21, W-08: refuses %j', async (body, status) => {
    const answer = await call('POST', '/api/subscribers', body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: { code: expect.any(String) } });
  });
});

describe('PATCH and DELETE', () => {
  beforeEach(async () => {
    await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
  });

  test('change name, language and tags, by address or id', async () => {
    const changed = await call('PATCH', '/api/subscribers/ana@example.com', {
      name: 'Ana',
      tags: ['press'],
    });
    expect(changed).toMatchObject({
      status: 200,
      body: { name: 'Ana', tags: ['press'], state: 'active' },
    });
    const again = await call('PATCH', `/api/subscribers/${changed.body.id}`, { language: 'en' });
    expect(again.body).toMatchObject({ name: 'Ana', language: 'en', address: 'ana@example.com' });
  });

  test.each([
    [{ state: 'active' }],
    [{ address: 'other@example.com' }],
    [{ tags: 'press' }],
    [{ tags: ['a b'] }],
    [{ name: 'Ana\r\nBcc: x@example.com' }],
    [{ language: 'x y' }],
  ])('W-10, D-21: %j is refused', async (fields) => {
    const before = await rows();
    expect((await call('PATCH', '/api/subscribers/ana@example.com', fields)).status).toBe(422);
    expect(await rows()).toEqual(before);
  });

  test('DELETE unsubscribes, and a second time too', async () => {
    for (let i = 0; i < 2; i += 1) {
      const { status, body } = await call('DELETE', '/api/subscribers/ana@example.com');
      expect([status, body.state]).toEqual([200, 'unsubscribed']);
    }
    const log = await newsletter.db.selectFrom('consents').select(['event', 'via']).execute();
    expect(log.slice(1)).toEqual([{ event: 'removed', via: 'api:office' }]);
  });

  test('who is not on the list is told so', async () => {
    expect((await call('PATCH', '/api/subscribers/nobody@example.com', {})).status).toBe(404);
    expect((await call('DELETE', '/api/subscribers/unknownid')).status).toBe(404);
  });
});

describe('keys', () => {
  test.each([
    ['none', ''],
    ['a wrong one', 'x'.repeat(40)],
    ['a part of one', SITE.slice(1)],
  ])('%s: 401', async (_, key) => {
    const { status, headers } = await call(
      'POST',
      '/api/subscribers',
      { address: 'a@example.com' },
      { key },
    );
    expect(status).toBe(401);
    expect(headers.get('WWW-Authenticate')).toBe('Bearer');
  });

  test('a key does what its scopes say, and no more', async () => {
    for (const method of ['PATCH', 'DELETE'])
      expect((await call(method, '/api/subscribers/a@example.com', {}, { key: SITE })).status).toBe(
        403,
      );
  });

  test('without API_KEYS there is no API', async () => {
    visitor = await openVisitor({ ...newsletter, secrets: {} });
    expect((await call('POST', '/api/subscribers', { address: 'a@example.com' })).status).toBe(401);
  });

  test.each([
    ['site', /API_KEYS cannot be read/],
    ['site:subscribe:short', /"site", of less than 32 characters/],
    [`site:admin:${SITE}`, /unknown scope, "admin"/],
    [`a:subscribe:${SITE},a:manage:${OFFICE}`, /names two keys alike/],
  ])('API_KEYS=%s is refused, and never shown', (value, message) => {
    expect(() => secretsOf(value)).toThrow(message);
    try {
      secretsOf(value);
    } catch (error) {
      expect((error as Error).message).not.toMatch(/s{10}|o{10}/);
    }
  });
});

describe('Idempotency-Key', () => {
  const once = (body: unknown, key = 'k-1', as = OFFICE) =>
    call('POST', '/api/subscribers', body, { key: as, headers: { 'Idempotency-Key': key } });
  const waiting = async () =>
    (await newsletter.db.selectFrom('signups').selectAll().execute()).length;

  test('the same request twice is done once, with the same answer', async () => {
    const first = await once({ address: 'ana@gmial.com' });
    const second = await once({ address: 'ana@gmial.com' });
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    expect(await waiting()).toBe(1);
  });

  test('for another request it is refused', async () => {
    await once({ address: 'ana@example.com' });
    expect((await once({ address: 'ben@example.com' })).status).toBe(422);
    expect(await waiting()).toBe(1);
  });

  test('it belongs to one API key', async () => {
    await once({ address: 'ana@example.com' });
    expect((await once({ address: 'ben@example.com' }, 'k-1', SITE)).status).toBe(202);
  });

  test('it is kept for 24 hours, over a restart', async () => {
    await once({ address: 'ana@example.com' });
    visitor = await openVisitor(newsletter);
    newsletter.advance(DAY - 1);
    await once({ address: 'ana@example.com' });
    expect(await waiting()).toBe(1);
    newsletter.advance(1);
    await once({ address: 'ana@example.com' });
    expect(await waiting()).toBe(2);
  });

  test('two at the same time: one is done, the other gets its answer or 409', async () => {
    const answers = await Promise.all([
      once({ address: 'ana@example.com' }),
      once({ address: 'ana@example.com' }),
    ]);
    expect(answers.map(({ status }) => status)).toContain(202);
    for (const { status } of answers) expect([202, 409]).toContain(status);
    expect(await waiting()).toBe(1);
  });

  test('what a process has left undone may be tried again after a minute', async () => {
    await once({ address: 'ana@example.com' });
    await newsletter.db.updateTable('answers').set({ status: null, body: null }).execute();
    expect((await once({ address: 'ana@example.com' })).status).toBe(409);
    newsletter.advance(60_000);
    expect((await once({ address: 'ana@example.com' })).status).toBe(202);
  });

  test('it has to be visible characters', async () => {
    expect((await once({ address: 'ana@example.com' }, 'a b')).status).toBe(400);
  });
});
