/** The studio's server: who may come in, and that it shows the bytes that are sent. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { addSubscriber } from '../../src/audience/subscribers.ts';
import { loadSettings } from '../../src/config/load.ts';
import { preview } from '../../src/newsletter/preview.ts';
import { readerFor } from '../../src/newsletter/sample-readers.ts';
import { studioServer } from '../../src/web/studio/server.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const ID = '2026-11-w4';
const ROUTES: [method: string, path: string][] = [
  ['GET', '/'],
  ['GET', '/studio/studio.js'],
  ['GET', '/studio/uplot.js'],
  ['GET', '/api/issues'],
  ['GET', `/api/issues/${ID}`],
  ['GET', `/api/issues/${ID}/findings`],
  ['GET', `/api/issues/${ID}/difference`],
  ['GET', `/api/issues/${ID}/wechat`],
  ['GET', `/api/issues/${ID}/review`],
  ['GET', `/mail/${ID}`],
  ['GET', `/page/${ID}`],
  ['GET', `/files/${ID}/eml`],
  ['GET', '/api/changes'],
  ['GET', '/api/desk'],
  ['GET', '/api/campaigns/1'],
  ['GET', '/api/progress'],
  ['GET', '/api/outbox'],
  ['GET', '/api/outbox/mail?name=x'],
  ['GET', '/outbox/mail?name=x'],
  ['GET', '/none'],
  ['POST', `/api/issues/${ID}/test`],
  ['POST', `/api/issues/${ID}/approve`],
  ['POST', `/api/issues/${ID}/review`],
  ['POST', `/api/issues/${ID}/phone`],
  ['POST', '/api/campaigns/1/pause'],
];
const EVENTS = /changes|progress/;

let newsletter: TestNewsletter;
let base: string;
let token: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  writeIssue(newsletter.dir, ID);
  const { dir } = newsletter;
  const readSettings = () => loadSettings(dir);
  const studio = await studioServer(newsletter, { readSettings, phoneAddress: '127.0.0.1' });
  base = await studio.app.listen({ host: '127.0.0.1', port: 0 });
  token = studio.token;
  onTestFinished(() => studio.close());
});

interface Answer {
  status: number;
  body: string;
  headers: NodeJS.Dict<string | string[]>;
}

/** One request with exactly these headers. */
function ask(method: string, url: string, headers: Record<string, string> = {}, body = '') {
  const sent = body ? { 'Content-Type': 'application/json', ...headers } : headers;
  return new Promise<Answer>((resolve, reject) => {
    const asked = request(url, { method, headers: sent, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
      );
    });
    asked.on('error', reject).end(body);
  });
}

const get = (path: string, headers: Record<string, string> = {}) =>
  ask('GET', `${base}${path}`, headers);
const known = () => ({ Cookie: `broadsheet-studio=${token}` });
const own = () => ({ ...known(), Origin: base });
const post = (path: string, body: object, headers: Record<string, string> = own()) =>
  ask('POST', `${base}${path}`, headers, JSON.stringify(body));

describe('the door', () => {
  test.each(ROUTES)('%s %s is shut without the token', async (method, path) => {
    const url = `${base}${path}`;
    const origin = { Origin: base };
    expect((await ask(method, url, origin)).status).toBe(403);
    const guess = { ...origin, Cookie: 'broadsheet-studio=guess' };
    expect((await ask(method, url, guess)).status).toBe(403);
    const asked = `${url}${path.includes('?') ? '&' : '?'}token=guess`;
    expect((await ask(method, asked, origin)).status).toBe(403);
  });

  test.each<[string, Record<string, string>]>([
    ['another name that leads here (DNS rebinding)', { Host: 'evil.example' }],
    ['a page elsewhere', { Origin: 'https://evil.example' }],
    ['another port of this machine', { Origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { Origin: 'null' }],
    ['another site, by the browser’s word', { 'Sec-Fetch-Site': 'same-site' }],
    ['a proxy', { 'X-Forwarded-For': '203.0.113.5' }],
    ['a proxy that says so', { Forwarded: 'for=203.0.113.5' }],
  ])('is shut to %s, token or not', async (_, headers) => {
    for (const [method, path] of ROUTES) {
      const { status } = await ask(method, `${base}${path}`, { ...own(), ...headers });
      expect(status, `${method} ${path}`).toBe(403);
    }
  });

  test('what changes something needs the origin said', async () => {
    const { status } = await post(`/api/issues/${ID}/approve`, { approval: 'x' }, known());
    expect(status).toBe(403);
  });

  test('the printed address opens it, and leaves a cookie that pages elsewhere cannot use', async () => {
    const { status, headers } = await get(`/?token=${token}`);
    expect(status).toBe(200);
    expect(headers['set-cookie']?.[0]).toMatch(/HttpOnly; SameSite=Strict/);
  });

  test('every answer has a policy, and forbids to guess its type', async () => {
    for (const [method, path] of ROUTES.filter(([, path]) => !EVENTS.test(path))) {
      const { headers, status } = await ask(method, `${base}${path}`, own());
      expect(status, path).toBeLessThan(500);
      expect(headers['content-security-policy'], path).toContain("default-src 'none'");
      expect(headers['x-content-type-options'], path).toBe('nosniff');
    }
  });

  test.each([
    ['GET', '/api/issues/..%2f..%2fetc'],
    ['GET', '/api/issues/%00'],
    ['GET', `/api/issues/${ID}?reader=%00&reader=x`],
    ['GET', `/api/issues/${ID}?reader=nobody@example.com`],
    ['GET', `/files/${ID}/constructor`],
    ['GET', `/mail/${ID}?scheme=__proto__&images[]=off`],
    ['GET', '/api/campaigns/1e9'],
    ['GET', '/api/outbox?from=-1&folder=..'],
    ['GET', '/api/outbox/mail?name=../broadsheet.db'],
    ['GET', '/outbox/mail?name=campaign-1/..%2f..%2fx.eml'],
    ['GET', '/studio/..%2fserver.ts'],
    ['GET', '/studio/constructor'],
    ['POST', `/api/issues/${ID}/test`],
    ['POST', `/api/issues/${ID}/review`],
    ['POST', '/api/campaigns/x/explode'],
  ])('%s %s is answered, and by no mistake of ours', async (method, path) => {
    for (const body of ['', '{', '[]', 'null', '{"addresses":{},"key":1,"hash":[]}']) {
      const { status } = await ask(method, `${base}${path}`, own(), method === 'POST' ? body : '');
      expect(status).toBeLessThan(500);
      if (method === 'POST') expect(status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('the preview', () => {
  test('P-01: its HTML is the HTML part of the message, byte for byte', async () => {
    const { html, hash } = await preview(newsletter, ID);
    const shown = await get(`/mail/${ID}`, known());
    expect(createHash('sha256').update(shown.body).digest('hex')).toBe(hash);
    expect(shown.body).toBe(html);
    const described = JSON.parse((await get(`/api/issues/${ID}`, known())).body);
    expect(described).toMatchObject({ hash, approved: false });
    const { body: message } = await get(`/files/${ID}/eml`, known());
    expect(message).toBe(described.mime);
  });

  test('P-02: the mail can run nothing and load nothing but pictures', async () => {
    const policy = String((await get(`/mail/${ID}`, known())).headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/^sandbox(?!.*allow-scripts)/);
    expect(policy).not.toContain('script-src');
    const bare = await get(`/mail/${ID}?images=off`, known());
    expect(String(bare.headers['content-security-policy'])).not.toContain('img-src');
  });

  test('H-08: without styles no style sheet is left', async () => {
    const { body } = await get(`/mail/${ID}?styles=off`, known());
    expect(body).not.toContain('<style');
    expect(body).toContain('style="');
  });

  test('P-05: a mistake is named with file, line and the lines around it', async () => {
    const template = join(newsletter.dir, 'templates/weekly.mjml.hbs');
    writeFileSync(template, `${readFileSync(template, 'utf8')}\n{{/if}}`);
    const { status, body } = await get(`/api/issues/${ID}`, known());
    expect(status).toBe(422);
    const [problem] = JSON.parse(body).problems;
    expect(problem).toMatchObject({
      file: 'templates/weekly.mjml.hbs',
      line: expect.any(Number),
    });
    expect(problem.excerpt.lines).toContain('{{/if}}');
  });

  test('P-06: a reader is one of the samples or of the list, in links that unsubscribe nobody', async () => {
    const { body } = await get(`/api/issues/${ID}?reader=long-name`, known());
    expect(JSON.parse(body).headers).toMatch(/^To: <the\.reader\.with/m);
    expect(JSON.parse(body).html).toContain('/u/preview');
    const missing = await get(`/api/issues/${ID}?reader=nobody@example.com`, known());
    expect(missing.status).toBe(404);
  });

  test('P-06: as the first reader of a segment sees it', async () => {
    const { db, clock, random, settings } = newsletter;
    for (const [name, tags] of [
      ['ann', []],
      ['bo', ['tester']],
    ] as const)
      await addSubscriber(
        db,
        {
          newsletter: settings.slug,
          address: `${name}@example.com`,
          name: null,
          source: 'test',
          tags: [...tags],
        },
        { now: clock(), random },
      );
    const segments = { testers: { tag: 'tester' }, nobody: { tag: 'none' } };
    const segmented = { ...newsletter, settings: { ...settings, segments } };
    expect(await readerFor(segmented, 'segment:testers')).toMatchObject({
      address: 'bo@example.com',
      token: 'preview',
    });
    await expect(readerFor(segmented, 'segment:nobody')).rejects.toMatchObject({
      code: 'reader-unknown',
    });
  });

  test('P-03: the page of the issue as the public site will have it holds nothing personal', async () => {
    const { body, headers } = await get(`/page/${ID}`, known());
    expect(body).toContain('Words.');
    expect(body).toContain('rel="canonical"');
    expect(body).not.toContain('/u/');
    expect(headers['content-security-policy']).toContain('sandbox');
  });

  test('P-06: a test goes to those who were typed, marked, into the outbox', async () => {
    const { status, body } = await post(`/api/issues/${ID}/test`, {
      addresses: 'ann@example.com, bo@example.com',
    });
    expect(status).toBe(200);
    expect(JSON.parse(body).results).toHaveLength(2);
    const files = readdirSync(join(newsletter.stateDir, 'outbox/test'));
    expect(files).toHaveLength(2);
    const list = JSON.parse((await get('/api/outbox', known())).body);
    expect(list).toMatchObject({ folder: 'test', count: 2 });
    expect(list.mails[0].subject).toMatch(/^\[Test\] /);
    const name = encodeURIComponent(list.mails[0].name);
    const mail = JSON.parse((await get(`/api/outbox/mail?name=${name}`, known())).body);
    expect((await get(`/outbox/mail?name=${name}`, known())).body).toBe(mail.html);
    const many = 'a@x.org b@x.org c@x.org d@x.org e@x.org f@x.org';
    expect((await post(`/api/issues/${ID}/test`, { addresses: many })).status).toBe(422);
  });

  test('approves what was seen, and nothing else', async () => {
    const seen = JSON.parse((await get(`/api/issues/${ID}`, known())).body).approval;
    const old = await post(`/api/issues/${ID}/approve`, { approval: `${seen}x` });
    expect(old.status).toBe(409);
    expect((await post(`/api/issues/${ID}/approve`, { approval: seen })).status).toBe(200);
    const file = readFileSync(join(newsletter.dir, 'issues', ID, 'issue.md'), 'utf8');
    expect(file).toContain(`approved: editor@news.example.com`);
    expect(file).toContain(seen);
  });

  test('an issue that cannot be read is listed with what is wrong', async () => {
    writeFileSync(join(newsletter.dir, 'issues', ID, 'issue.md'), 'no front matter');
    const [listed] = JSON.parse((await get('/api/issues', known())).body).issues;
    expect(listed).toMatchObject({
      id: ID,
      state: 'broken',
      problem: expect.stringContaining('issue.md:1'),
    });
  });
});

describe('the page for a phone', () => {
  test('shows the very bytes to who has its address, for half an hour, and nothing else', async () => {
    const answer = await post(`/api/issues/${ID}/phone`, {});
    expect(answer.status).toBe(200);
    const { url, svg } = JSON.parse(answer.body);
    expect(svg).toContain('<svg');
    const { html } = await preview(newsletter, ID);
    const shown = await ask('GET', url);
    expect(shown.body).toBe(html);
    expect(shown.headers['content-security-policy']).toContain('sandbox');
    const { origin } = new URL(url);
    for (const path of ['/', '/api/issues', `/mail/${ID}`, '/guess'])
      expect((await ask('GET', origin + path)).status).toBe(404);
    expect((await ask('POST', url)).status).toBe(404);
    expect((await ask('GET', url, { Host: 'evil.example' })).status).toBe(404);
    newsletter.advance(30 * 60_000);
    expect((await ask('GET', url)).status).toBe(404);
  });
});

test('the plots are in the published package as well: they come from a dependency', () => {
  const { dependencies, files } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(dependencies.uplot).toBeDefined();
  expect(files).toContain('src/web/assets');
  expect(existsSync('node_modules/uplot/dist/uPlot.esm.js')).toBe(true);
});
