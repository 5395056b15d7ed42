/** What has been sent, as everybody sees it: pages, feeds, pictures, and the same as files for any web host. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseAtomFeed, parseJsonFeed } from 'feedsmith';
import { type Browser, chromium } from 'playwright-core';
import sharp from 'sharp';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { unsubscribeToken } from '../../src/audience/tokens.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { exportArchive } from '../../src/newsletter/archive.ts';
import { prepareCampaign } from '../../src/newsletter/send.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { publicServer } from '../../src/web/public.ts';
import { attribute, tagsOf, textOf } from '../render/mail.ts';
import {
  openTestNewsletter,
  type TestNewsletter,
  temporaryDirectory,
  writeIssue,
} from '../support/newsletter.ts';

const DAY = 86_400_000;
let newsletter: TestNewsletter;
let base: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  await addSubscriber(newsletter, { address: 'ana@example.com', name: 'Ana Secret' });
  const app = await publicServer(newsletter);
  base = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
});

/** Sends an issue with a picture, a day later than the one before. */
async function sendIssue(id: string, title = `Issue ${id}`): Promise<void> {
  newsletter.advance(DAY);
  writeIssue(newsletter.dir, id, { title, body: 'Words & more.\n\n![A chart](chart.png)' });
  const chart = sharp({ create: { width: 700, height: 90, channels: 3, background: '#a6211b' } });
  const file = join(newsletter.dir, 'issues', id, 'chart.png');
  writeFileSync(file, await chart.png().toBuffer());
  await approve(newsletter, id);
  await (await prepareCampaign(newsletter, { issue: id }))(newsletter.db);
}

const get = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(base + path, { headers });
  return { response, text: await response.text() };
};
const PATHS = ['/', '/issues/w1', '/feed.xml', '/feed.json', '/sitemap.xml'];
const TYPES: Record<string, string> = { html: 'text/html', css: 'text/css', png: 'image/png' };

describe('W-19: pages and feeds', () => {
  test('hold no token, no address and no way to unsubscribe anybody', async () => {
    await sendIssue('w1');
    const { public_id } = await newsletter.db
      .selectFrom('subscribers')
      .select('public_id')
      .executeTakeFirstOrThrow();
    const token = unsubscribeToken(newsletter.keys, newsletter.settings.slug, public_id);
    for (const path of PATHS) {
      const { response, text } = await get(path);
      expect(response.status, path).toBe(200);
      for (const personal of [
        'ana@',
        'Ana Secret',
        public_id,
        token,
        'xslot',
        'unsub',
        'mac=',
        '/u/',
      ])
        expect(text, path).not.toContain(personal);
    }
  });

  test('show what was sent, not what the file says by now', async () => {
    await sendIssue('w1', 'As it was sent');
    writeIssue(newsletter.dir, 'w1', { title: 'Rewritten' });
    for (const path of PATHS.slice(0, 4)) expect((await get(path)).text).not.toContain('Rewritten');
    expect((await get('/issues/w1')).text).toContain('As it was sent');
  });

  test('know nothing of an issue that was not sent, or whose campaign was cancelled', async () => {
    writeIssue(newsletter.dir, 'draft');
    await sendIssue('w1');
    await newsletter.db.updateTable('campaigns').set({ state: 'cancelled' }).execute();
    for (const path of ['/issues/draft', '/issues/w1', '/issues/w1/card.png'])
      expect((await get(path)).response.status).toBe(404);
    expect((await get('/feed.xml')).text).not.toContain('Issue w1');
  });

  test('the Atom feed is valid, has the full text, stable ids and each entry’s language', async () => {
    await sendIssue('w1');
    await sendIssue('w2', 'A <title> & more');
    const { response, text } = await get('/feed.xml');
    expect(response.headers.get('Content-Type')).toBe('application/atom+xml; charset=utf-8');
    expect(text).toMatch(/<feed [^>]*xml:lang="zh-CN"/);
    expect(text.match(/<entry xml:lang="en">/g)).toHaveLength(2);
    const feed = parseAtomFeed(text);
    expect(feed.links?.map(({ rel, href }) => [rel, href])).toEqual([
      ['self', 'https://news.example.com/feed.xml'],
      ['alternate', 'https://news.example.com/'],
    ]);
    const [newest, oldest] = feed.entries ?? [];
    expect(newest?.title?.value).toBe('A <title> & more');
    expect(newest?.published).toBe('2026-11-22T08:00:00.000Z');
    expect(feed.updated).toBe(newest?.updated);
    expect(newest?.content?.value).toContain('<p>Words &amp; more.</p>');
    expect(newest?.content?.value).toContain('<a href="https://example.com/source">Source</a>');
    expect(newest?.content?.value).not.toMatch(/style=|<table|<h1|data-/);
    const ids = [feed.id, newest?.id, oldest?.id];
    for (const id of ids)
      expect(id).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/);
    expect(new Set(ids).size).toBe(3);
    newsletter.settings = {
      ...newsletter.settings,
      site: { ...newsletter.settings.site, url: 'https://elsewhere.example/weekly' },
    };
    await sendIssue('w3');
    const moved = parseAtomFeed((await get('/feed.xml')).text);
    expect([moved.id, moved.entries?.[1]?.id, moved.entries?.[2]?.id]).toEqual(ids);
  });

  test('the JSON feed says the same', async () => {
    await sendIssue('w1');
    const { response, text } = await get('/feed.json');
    expect(response.headers.get('Content-Type')).toBe('application/feed+json; charset=utf-8');
    const feed = parseJsonFeed(JSON.parse(text));
    const atom = parseAtomFeed((await get('/feed.xml')).text).entries?.[0];
    const [item] = feed.items ?? [];
    expect(item).toMatchObject({
      id: atom?.id,
      url: 'https://news.example.com/issues/w1',
      content_html: atom?.content?.value,
      language: 'en',
      image: 'https://news.example.com/issues/w1/card.png',
    });
  });

  test('an empty archive has a page and valid feeds', async () => {
    for (const path of ['/', '/feed.xml', '/feed.json'])
      expect((await get(path)).response.status).toBe(200);
    expect(parseAtomFeed((await get('/feed.xml')).text).entries ?? []).toEqual([]);
  });
});

describe('the page of an issue', () => {
  test('has a canonical link, its neighbours in time, and what is shown where it is shared', async () => {
    for (const id of ['w1', 'w2', 'w3']) await sendIssue(id);
    const { text } = await get('/issues/w2');
    const links = tagsOf(text, 'link', 'a').map((tag) => [
      attribute(tag, 'rel'),
      attribute(tag, 'href'),
    ]);
    expect(links).toContainEqual(['canonical', 'https://news.example.com/issues/w2']);
    expect(links).toContainEqual(['prev', '/issues/w1']);
    expect(links).toContainEqual(['next', '/issues/w3']);
    const meta = new Map(
      tagsOf(text, 'meta').map((tag) => [attribute(tag, 'property'), attribute(tag, 'content')]),
    );
    expect(meta.get('og:title')).toBe('Issue w2');
    expect(meta.get('og:description')).toContain('Falcon 180B arrives');
    expect(meta.get('og:image')).toBe('https://news.example.com/issues/w2/card.png');
    expect((await get('/issues/w1')).text).not.toContain('rel="prev"');
  });

  test('its card is a picture of 1200 × 630 that differs from issue to issue', async () => {
    await sendIssue('w1');
    await sendIssue('w2');
    const cards = await Promise.all(
      ['w1', 'w2'].map(async (id) => (await fetch(`${base}/issues/${id}/card.png`)).arrayBuffer()),
    );
    expect(await sharp(cards[0]).metadata()).toMatchObject({
      format: 'png',
      width: 1200,
      height: 630,
    });
    expect(Buffer.from(cards[0] as ArrayBuffer).equals(Buffer.from(cards[1] as ArrayBuffer))).toBe(
      false,
    );
  });

  test('A-05: sets no cookie; the contents of the mail lead to items on it', async () => {
    await sendIssue('w1');
    const { response, text } = await get('/issues/w1');
    expect(response.headers.get('Set-Cookie')).toBeNull();
    expect(text).toContain('id="falcon"');
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
  });

  test('an amended issue shows its newest edition, and is told to be changed', async () => {
    await sendIssue('w1', 'First words');
    const before = parseAtomFeed((await get('/feed.xml')).text).entries?.[0];
    await newsletter.db.updateTable('campaigns').set({ state: 'paused' }).execute();
    newsletter.advance(60_000);
    writeIssue(newsletter.dir, 'w1', { title: 'Second words' });
    await approve(newsletter, 'w1');
    const { amend } = await import('../../src/newsletter/send.ts');
    const { campaign } = await import('../../src/newsletter/campaigns.ts');
    await amend(newsletter, await campaign(newsletter, '1'));
    const after = parseAtomFeed((await get('/feed.xml')).text).entries?.[0];
    expect(after?.title?.value).toBe('Second words');
    expect([after?.id, after?.published]).toEqual([before?.id, before?.published]);
    expect(Date.parse(after?.updated ?? '')).toBe(Date.parse(before?.updated ?? '') + 60_000);
  });
});

describe('caching', () => {
  test.each(PATHS)('%s is not sent again to whoever has it', async (path) => {
    await sendIssue('w1');
    const { response } = await get(path);
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=300');
    const [etag, modified] = ['ETag', 'Last-Modified'].map(
      (name) => response.headers.get(name) ?? '',
    );
    expect((await get(path, { 'If-None-Match': etag ?? '' })).response.status).toBe(304);
    expect((await get(path, { 'If-Modified-Since': modified ?? '' })).response.status).toBe(304);
    expect((await get(path, { 'If-None-Match': '"other"' })).response.status).toBe(200);
    await sendIssue('w2');
    expect((await get(path, { 'If-None-Match': etag ?? '' })).response.status).toBe(200);
  });

  test('a picture is kept for good under the hash of its bytes', async () => {
    await sendIssue('w1');
    const [image] = tagsOf((await get('/issues/w1')).text, 'img');
    const path = new URL(attribute(image as never, 'src') ?? '').pathname;
    const response = await fetch(base + path);
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('Content-Type')).toBe('image/png');
    const hash = createHash('sha256')
      .update(Buffer.from(await response.arrayBuffer()))
      .digest('hex');
    expect(path).toBe(`/assets/${hash.slice(0, 32)}.png`);
    for (const other of ['/assets/x.png', '/assets/..%2f..%2fconfig%2fnewsletter.yaml'])
      expect((await get(other)).response.status).toBe(404);
  });
});

describe('W-19: the static export', () => {
  const filesOf = (dir: string) =>
    Object.fromEntries(
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [path.slice(dir.length), readFileSync(path).toString('latin1')]),
    );

  test('H-35: run twice, it writes the same bytes; and they are those that are served', async () => {
    await sendIssue('w1');
    await sendIssue('w2');
    const [first, second] = [temporaryDirectory(), temporaryDirectory()];
    await exportArchive(newsletter, first);
    newsletter.advance(DAY);
    await exportArchive(newsletter, second);
    expect(filesOf(second)).toEqual(filesOf(first));
    const served = async (path: string) =>
      Buffer.from(await (await fetch(base + path)).arrayBuffer()).toString('latin1');
    const files = filesOf(first);
    expect(files['/issues/w1/index.html']).toBe(await served('/issues/w1'));
    expect(files['/issues/w1/card.png']).toBe(await served('/issues/w1/card.png'));
    expect(files['/feed.xml']).toBe(await served('/feed.xml'));
    expect(files['/page.css']).toBe(await served('/page.css'));
  });

  test('every link within it leads to a file of it', async () => {
    await sendIssue('w1');
    await sendIssue('w2');
    const dir = temporaryDirectory();
    await exportArchive(newsletter, dir);
    const own = Object.entries(filesOf(dir))
      .filter(([path]) => path.endsWith('.html'))
      .flatMap(([, html]) => tagsOf(html, 'a', 'link', 'img'))
      .map((tag) => attribute(tag, 'href') ?? attribute(tag, 'src') ?? '')
      .map((href) => new URL(href, 'https://news.example.com/'))
      .filter(({ host }) => host === 'news.example.com')
      .map(({ pathname }) => pathname);
    expect(new Set(own)).toContain('/issues/w1');
    // What only a running server can do: `serve`, under the same address.
    const missing = own
      .filter((path) => path !== '/subscribe')
      .filter(
        (path) =>
          !existsSync(join(dir, path, 'index.html')) &&
          !(/\.\w+$/.test(path) && existsSync(join(dir, path))),
      );
    expect(missing).toEqual([]);
  });
});

const executablePath = '/usr/bin/chromium';
describe.skipIf(!existsSync(executablePath) && !process.env.CI)(
  'in a browser (needs Chromium: apt install chromium)',
  () => {
    /** The exported files, as a plain web host gives them. */
    async function hosted(): Promise<string> {
      const dir = temporaryDirectory();
      const server = createServer((request, response) => {
        const path = join(dir, request.url ?? '/');
        const file = /\.\w+$/.test(path) ? path : join(path, 'index.html');
        if (!existsSync(file)) return response.writeHead(404).end();
        const type = TYPES[/\w+$/.exec(file)?.[0] ?? ''] ?? 'text/plain';
        response.writeHead(200, { 'Content-Type': type }).end(readFileSync(file));
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      onTestFinished(() => void server.close());
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { settings } = newsletter;
      // A browser of the test speaks to loopback without TLS.
      const check = { ...settings.check, allow: ['image-address'] };
      newsletter.settings = { ...settings, check, site: { ...settings.site, url } };
      await sendIssue('w1');
      await sendIssue('w2');
      await exportArchive(newsletter, dir);
      return url;
    }

    async function browser(): Promise<Browser> {
      const opened = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
      onTestFinished(() => opened.close());
      return opened;
    }

    test('W-16: axe-core finds nothing, in light and dark, on a phone and a desktop', async () => {
      const url = await hosted();
      const axe = readFileSync(
        join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'),
        'utf8',
      );
      const opened = await browser();
      for (const path of ['/', '/issues/w1'])
        for (const colorScheme of ['light', 'dark'] as const)
          for (const width of [320, 1100]) {
            const page = await opened.newPage({ viewport: { width, height: 800 }, colorScheme });
            await page.goto(url + path);
            await page.evaluate(axe);
            const found = await page.evaluate<string[]>(
              'axe.run().then(({ violations }) => violations.map(({ id }) => id))',
            );
            expect([path, colorScheme, width, found]).toEqual([path, colorScheme, width, []]);
            expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
            await page.close();
          }
    }, 60_000);

    test('the picture is shown, the ways on lead on, and paper gets no ways', async () => {
      const url = await hosted();
      const page = await (await browser()).newPage({ viewport: { width: 1100, height: 800 } });
      await page.goto(`${url}/issues/w1`);
      expect(await page.evaluate('document.images[0].naturalWidth')).toBe(700);
      await page.click('a[rel=next]');
      expect(new URL(page.url()).pathname).toBe('/issues/w2');
      await page.emulateMedia({ media: 'print' });
      expect(await page.isVisible('nav')).toBe(false);
    });
  },
);

test('W-16: the list of issues speaks the language of the browser, and is found by search engines', async () => {
  await sendIssue('w1');
  const chinese = await get('/', { 'Accept-Language': 'zh' });
  const english = await get('/', { 'Accept-Language': 'en' });
  expect(textOf(tagsOf(chinese.text, 'h1')[0] as never)).toBe('往期');
  expect(textOf(tagsOf(english.text, 'h1')[0] as never)).toBe('Issues');
  expect(english.response.headers.get('Vary')).toContain('Accept-Language');
  expect(english.text).not.toContain('noindex');
  expect(english.response.headers.get('X-Robots-Tag')).toBeNull();
});
