/** Unsubscribing as mailbox providers and readers do it, over real connections. */
import { connect } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { unsubscribeToken } from '../../src/audience/tokens.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { publicServer } from '../../src/web/public.ts';
import { openTestNewsletter, type TestNewsletter } from '../support/newsletter.ts';

let newsletter: TestNewsletter;
let base: string;
let link: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
  await addSubscriber(newsletter, { address: 'ben@example.com', name: null });
  const app = await publicServer(newsletter);
  base = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  link = `${base}/u/${await tokenOf('ana@example.com')}`;
});

async function tokenOf(address: string): Promise<string> {
  const { public_id } = await newsletter.db
    .selectFrom('subscribers')
    .select('public_id')
    .where('address', '=', address)
    .executeTakeFirstOrThrow();
  return unsubscribeToken(newsletter.keys, newsletter.settings.slug, public_id);
}

async function stateOf(address: string): Promise<string> {
  const { state } = await newsletter.db
    .selectFrom('subscribers')
    .select('state')
    .where('address', '=', address)
    .executeTakeFirstOrThrow();
  return state;
}

const oneClick = (headers: Record<string, string> = {}) =>
  fetch(link, {
    method: 'POST',
    body: 'List-Unsubscribe=One-Click',
    redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  });

describe('one-click (RFC 8058)', () => {
  test('D-05: a bare POST, without cookie, type or any other header, is answered with 200 and unsubscribes', async () => {
    const { hostname, port, pathname } = new URL(link);
    const socket = connect(Number(port), hostname);
    socket.end(`POST ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(await stateOf('ana@example.com')).toBe('unsubscribed');
  });

  const multipart =
    '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n';
  test.each([
    ['a form', 'application/x-www-form-urlencoded', 'List-Unsubscribe=One-Click'],
    ['multipart', 'multipart/form-data; boundary=b', multipart],
    ['an empty body', 'application/x-www-form-urlencoded', ''],
    ['an unknown type', 'application/octet-stream', '\0\xff\0'],
    ['broken JSON', 'application/json', '{'],
    ['no type that exists', 'nonsense', 'x'],
  ])('D-06: %s unsubscribes', async (_, type, body) => {
    const response = await fetch(link, { method: 'POST', body, headers: { 'Content-Type': type } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('Unsubscribed\n');
    expect(await stateOf('ana@example.com')).toBe('unsubscribed');
  });

  test('D-06: more than 4 KB is not read', async () => {
    const response = await fetch(link, { method: 'POST', body: 'x'.repeat(5000) });
    expect(response.status).toBe(413);
  });

  test('D-07: GET and HEAD change nothing, however often', async () => {
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD']) {
      expect((await fetch(link, { method })).status).toBe(200);
    }
    expect(await stateOf('ana@example.com')).toBe('active');
  });

  test('D-08: the address does not stand in the link', () => {
    expect(decodeURIComponent(link)).not.toMatch(/ana|example\.com/);
  });

  test('D-09: a second POST gets the same answer', async () => {
    const answers = [await oneClick(), await oneClick()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const [first, second] = await Promise.all(answers.map((answer) => answer.text()));
    expect(second).toBe(first);
  });

  test('D-09: a forged token is refused without information', async () => {
    const forged = [
      `${base}/u/nonsense`,
      `${link}x`,
      link.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')),
    ];
    for (const url of forged) {
      const response = await fetch(url, { method: 'POST' });
      expect(response.status).toBe(404);
      expect(await response.text()).not.toContain('ana');
    }
    expect(await stateOf('ana@example.com')).toBe('active');
  });

  test('D-10: it removes this reader from this list, and nobody else', async () => {
    await oneClick();
    expect(await stateOf('ana@example.com')).toBe('unsubscribed');
    expect(await stateOf('ben@example.com')).toBe('active');
  });

  test('W-15: is written down as a consent event, once', async () => {
    await oneClick();
    await oneClick();
    const events = await newsletter.db
      .selectFrom('consents')
      .select(['event', 'via'])
      .where('event', '=', 'unsubscribed')
      .execute();
    expect(events).toEqual([{ event: 'unsubscribed', via: 'one-click' }]);
  });
});

describe('the page', () => {
  test('W-05: asks with one button, acts on POST and shows the result', async () => {
    const asked = await (await fetch(link, { headers: { 'Accept-Language': 'en' } })).text();
    expect(asked).toMatch(/<button[^>]*>/);
    expect(await stateOf('ana@example.com')).toBe('active');
    const response = await fetch(link, {
      method: 'POST',
      body: 'confirm=unsubscribe',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Accept-Language': 'en' },
    });
    expect(response.headers.get('Content-Type')).toContain('text/html');
    expect(await response.text()).not.toContain('value="unsubscribe"');
    expect(await stateOf('ana@example.com')).toBe('unsubscribed');
  });

  test('W-06: a page elsewhere cannot act; a browser that says nothing can', async () => {
    expect((await oneClick({ 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect(await stateOf('ana@example.com')).toBe('active');
    expect((await oneClick({ 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200);
  });

  test('W-07: has the headers of a private page', async () => {
    const { headers } = await fetch(link);
    expect(headers.get('Referrer-Policy')).toBe('no-referrer');
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(headers.get('X-Robots-Tag')).toBe('noindex');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('Content-Security-Policy')).toBe(
      "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
    );
    expect(headers.get('Set-Cookie')).toBeNull();
  });

  test('W-13, W-14: shows whose link it is only masked', async () => {
    const page = await (await fetch(link)).text();
    expect(page).not.toContain('ana@example.com');
    expect(page).toContain('a•••@example.com');
  });

  test.each([
    ['zh-CN,zh;q=0.9', 'zh-CN'],
    ['en-GB,en;q=0.5', 'en'],
    ['fr,de', 'zh-CN'],
  ])('W-16: for Accept-Language %s speaks %s', async (accepted, lang) => {
    const page = await (await fetch(link, { headers: { 'Accept-Language': accepted } })).text();
    expect(page).toContain(`<html lang="${lang}"`);
  });

  test('W-12, D-14: a link that was signed with an older key works, and after ten years one of a lost key still unsubscribes', async () => {
    const old = newsletter.keys;
    const rotated = [{ id: 'new', key: Buffer.alloc(32, 7) }, ...old] as const;
    const app = await publicServer({ ...newsletter, keys: rotated });
    onTestFinished(() => app.close());
    const path = new URL(link).pathname;
    expect((await app.inject({ method: 'GET', url: path })).statusCode).toBe(200);
    const later = () => newsletter.clock() + 10 * 365 * 86_400_000;
    const lost = await publicServer({ ...newsletter, keys: [rotated[0]], clock: later });
    onTestFinished(() => lost.close());
    expect((await lost.inject({ method: 'POST', url: path })).statusCode).toBe(200);
    expect(await stateOf('ana@example.com')).toBe('unsubscribed');
  });
});

describe('other routes', () => {
  test.each([
    '/nothing',
    '/issues/none',
    '/u',
    '/.env',
    '/config/newsletter.yaml',
    '/../package.json',
  ])('%s is a page that was not found', async (path) => {
    const response = await fetch(`${base}${path}`);
    expect(response.status).toBe(404);
    expect(response.headers.get('Content-Type')).toContain('text/html');
  });

  test('the home page lists what was sent, and says so when nothing was', async () => {
    const page = await (await fetch(base, { headers: { 'Accept-Language': 'en' } })).text();
    expect(page).toContain('<h1>');
    expect(page).not.toContain('<li>');
  });
});
