/** The studio: who may look, and that it shows the bytes that are sent. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { preview } from '../../src/newsletter/preview.ts';
import { studioServer } from '../../src/web/studio/server.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const ID = '2026-11-w4';
const ROUTES = [
  '/',
  '/assets/studio.js',
  '/api/issues',
  `/api/issues/${ID}`,
  `/mail/${ID}`,
  '/api/changes',
  '/none',
];

let newsletter: TestNewsletter;
let base: string;
let token: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  writeIssue(newsletter.dir, ID);
  const studio = await studioServer(newsletter);
  base = await studio.app.listen({ host: '127.0.0.1', port: 0 });
  token = studio.token;
  onTestFinished(() => studio.close());
});

/** One request with exactly these headers. */
function get(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>(
    (resolve, reject) => {
      const asked = request(`${base}${path}`, { headers, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
        );
      });
      asked.on('error', reject).end();
    },
  );
}

const known = () => ({ Cookie: `broadsheet-studio=${token}` });

describe('the door', () => {
  test.each(ROUTES)('%s is shut without the token', async (path) => {
    expect((await get(path)).status).toBe(403);
    expect((await get(path, { Cookie: 'broadsheet-studio=guess' })).status).toBe(403);
    expect((await get(`${path}?token=guess`)).status).toBe(403);
  });

  test.each<[string, Record<string, string>]>([
    ['another name that leads here (DNS rebinding)', { Host: 'evil.example' }],
    ['a page elsewhere', { Origin: 'https://evil.example' }],
    ['another port of this machine', { Origin: 'http://127.0.0.1:1' }],
    ['a proxy', { 'X-Forwarded-For': '203.0.113.5' }],
    ['a proxy that says so', { Forwarded: 'for=203.0.113.5' }],
  ])('is shut to %s, token or not', async (_, headers) => {
    for (const path of ROUTES)
      expect((await get(path, { ...known(), ...headers })).status).toBe(403);
  });

  test('the printed address opens it, and leaves a cookie that pages elsewhere cannot use', async () => {
    const { status, headers } = await get(`/?token=${token}`);
    expect(status).toBe(200);
    expect(headers['set-cookie']?.[0]).toMatch(/HttpOnly; SameSite=Strict/);
  });

  test('files beside the assets are not served', async () => {
    for (const path of ['/assets/..%2fstudio.ts', '/assets/../studio.ts', '/assets/x.css'])
      expect((await get(path, known())).status).toBeGreaterThanOrEqual(400);
  });
});

describe('the preview', () => {
  test('P-01: its HTML is the HTML part of the message, byte for byte', async () => {
    const { html, hash } = await preview(newsletter, ID);
    const shown = await get(`/mail/${ID}`, known());
    expect(createHash('sha256').update(shown.body).digest('hex')).toBe(hash);
    expect(shown.body).toBe(html);
    const described = JSON.parse((await get(`/api/issues/${ID}`, known())).body);
    expect(described).toMatchObject({ hash, approved: false, findings: [] });
  });

  test('P-02: the mail can run nothing and load nothing but pictures', async () => {
    const policy = String((await get(`/mail/${ID}`, known())).headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/^sandbox(?!.*allow-scripts)/);
    expect(policy).not.toContain('script-src');
    const bare = await get(`/mail/${ID}?images=off`, known());
    expect(String(bare.headers['content-security-policy'])).not.toContain('img-src');
  });

  test('P-05: a mistake is named with file and line', async () => {
    const template = join(newsletter.dir, 'templates/weekly.mjml.hbs');
    writeFileSync(template, `${readFileSync(template, 'utf8')}\n{{/if}}`);
    const { status, body } = await get(`/api/issues/${ID}`, known());
    expect(status).toBe(422);
    expect(JSON.parse(body).problems[0]).toMatchObject({
      file: 'templates/weekly.mjml.hbs',
      line: expect.any(Number),
    });
  });

  test('an issue that cannot be read is listed with what is wrong', async () => {
    writeFileSync(join(newsletter.dir, 'issues', ID, 'issue.md'), 'no front matter');
    const [listed] = JSON.parse((await get('/api/issues', known())).body);
    expect(listed).toMatchObject({ id: ID, problem: expect.stringContaining('issue.md:1') });
  });
});

const executablePath = '/usr/bin/chromium';
const missing = !existsSync(executablePath) && !process.env.CI;

describe.skipIf(missing)('in a browser (needs Chromium: apt install chromium)', () => {
  test('follows the file, keeps the last good mail over a mistake, and loads nothing from elsewhere', async () => {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const elsewhere: string[] = [];
    const complaints: string[] = [];
    page.on('request', (asked) => {
      if (!asked.url().startsWith(base)) elsewhere.push(asked.url());
    });
    page.on('console', (said) => {
      if (said.type() === 'error' && !/422/.test(said.text())) complaints.push(said.text());
    });
    await page.goto(`${base}/?token=${token}#${ID}`);
    const mail = page.frameLocator('iframe');
    await mail.getByText('Words.').waitFor();

    const file = join(newsletter.dir, 'issues', ID, 'issue.md');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('Words.', 'Changed words.'));
    await mail.getByText('Changed words.').waitFor();

    writeFileSync(file, text.replace('title:', 'titel:'));
    await page.getByText(/issue\.md:2/).waitFor();
    expect(await mail.getByText('Changed words.').isVisible()).toBe(true);

    writeFileSync(file, text);
    await mail.getByText('Words.', { exact: true }).waitFor();
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
