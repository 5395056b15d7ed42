/** What a mail knows of its reader, and clicks that are counted without knowing one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createOutbox } from '../../src/delivery/outbox.ts';
import { readMessage } from '../../src/message/read.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { compose } from '../../src/newsletter/compose.ts';
import { report } from '../../src/newsletter/report.ts';
import { prepareCampaign } from '../../src/newsletter/send.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { testSend } from '../../src/newsletter/test-send.ts';
import { publicServer } from '../../src/web/public.ts';
import { attribute, tagsOf } from '../render/mail.ts';
import { runOnce } from '../support/campaign.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const LINKS = 'See [one](https://example.com/one?a=1&b=2) and [two](https://example.org/two).';
let newsletter: TestNewsletter;
let base: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  await addSubscriber(newsletter, { address: 'ana@example.com', name: 'Ana' });
  await addSubscriber(newsletter, { address: 'ben@gmail.com', name: 'Ben' });
  const app = await publicServer(newsletter);
  base = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
});

const counting = () => {
  newsletter.settings = { ...newsletter.settings, clicks: 'aggregate' };
};

/** Sends the issue into an outbox and gives its mails. */
async function send(body = LINKS) {
  writeIssue(newsletter.dir, 'w1', { body });
  await approve(newsletter, 'w1');
  await (await prepareCampaign(newsletter, { issue: 'w1' }))(newsletter.db);
  const outbox = join(newsletter.stateDir, 'outbox', 'test');
  await runOnce({
    db: newsletter.db,
    newsletter: newsletter.settings.slug,
    clock: newsletter.clock,
    transportFor: () => createOutbox(outbox),
  });
  const files = readdirSync(outbox).sort();
  return Promise.all(files.map((file) => readMessage(readFileSync(join(outbox, file)))));
}

const linksOf = (html: string) => tagsOf(html, 'a').map((link) => attribute(link, 'href') ?? '');

/** Follows a link as a reader does. */
const click = (path: string, init: RequestInit = {}) =>
  fetch(base + path, { redirect: 'manual', headers: { 'User-Agent': BROWSER }, ...init });

async function countOf(n = 1): Promise<number> {
  const rows = await newsletter.db.selectFrom('clicks').selectAll().where('n', '=', n).execute();
  return rows.reduce((sum, { count }) => sum + count, 0);
}

/** The mail was handed over long enough ago. */
const later = () => newsletter.advance(61_000);

describe.each(['off', 'aggregate'] as const)(
  'A-01: with clicks %s, the mails for A and B',
  (clicks) => {
    test('differ in the unsubscribe link alone; there is no pixel', async () => {
      newsletter.settings = { ...newsletter.settings, clicks };
      const [a, b] = await send();
      const neutral = (text = '') => text.replace(/\/u\/[\w.~-]+/g, '/u/TOKEN');
      expect(a?.html).not.toBe(b?.html);
      expect(neutral(a?.html)).toBe(neutral(b?.html));
      expect(neutral(a?.text)).toBe(neutral(b?.text));
      const content = linksOf(a?.html ?? '').filter((href) => !href.includes('/u/'));
      expect(content).toEqual(linksOf(b?.html ?? '').filter((href) => !href.includes('/u/')));
      expect(tagsOf(a?.html ?? '', 'img')).toEqual([]);
    });
  },
);

test('A-03: off by default: links lead where the issue says, and none is counted', async () => {
  const [mail] = await send();
  expect(linksOf(mail?.html ?? '')).toContain('https://example.com/one?a=1&b=2');
  expect(mail?.html).not.toContain('/r/');
  expect((await click('/r/w1/1')).status).toBe(404);
});

describe('A-03: clicks: aggregate', () => {
  beforeEach(counting);

  test('links lead to the issue and a number, the same for everybody; the page keeps the real ones', async () => {
    const [mail] = await send();
    const own = linksOf(mail?.html ?? '').filter((href) => href.includes('/r/'));
    expect(own).toEqual(['1', '2', '3'].map((n) => `https://news.example.com/r/w1/${n}`));
    expect(mail?.text).toContain('https://example.org/two');
    const page = await (await fetch(`${base}/issues/w1`)).text();
    expect(linksOf(page)).toContain('https://example.org/two');
    expect(page).not.toContain('/r/w1');
  });

  test('a number leads where it was frozen to lead', async () => {
    await send();
    const response = await click('/r/w1/1');
    expect(response.status).toBe(302);
    expect(response.headers.get('Location')).toBe('https://example.com/one?a=1&b=2');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.get('Set-Cookie')).toBeNull();
    writeIssue(newsletter.dir, 'w1', { body: 'Other [words](https://elsewhere.example/).' });
    expect((await click('/r/w1/1')).headers.get('Location')).toContain('example.com/one');
  });

  test.each([
    '/r/w1/4',
    '/r/w1/0',
    '/r/w1/01',
    '/r/w2/1',
    '/r/w1/1x',
    '/r/w1/https:%2F%2Fevil.example',
  ])('there is no open redirect: %s is not found', async (path) => {
    await send();
    expect((await click(path)).status).toBe(404);
  });

  test('counts by link and day, and keeps nothing else', async () => {
    await send();
    later();
    for (let n = 0; n < 3; n += 1) await click('/r/w1/1');
    newsletter.advance(86_400_000);
    await click('/r/w1/1');
    const rows = await newsletter.db.selectFrom('clicks').selectAll().orderBy('day').execute();
    const one = { newsletter: 'ai-weekly', issue: 'w1', n: 1 };
    expect(rows).toEqual([
      { ...one, day: '2026-11-20', count: 3 },
      { ...one, day: '2026-11-21', count: 1 },
    ]);
    const { perIssue } = await report(newsletter);
    expect(perIssue[0]?.clicks).toEqual([
      { n: 1, url: 'https://example.com/one?a=1&b=2', count: 4 },
    ]);
  });

  test.each([
    ['HEAD', { method: 'HEAD' }],
    ['a crawler', { headers: { 'User-Agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' } }],
    ['a mail gateway', { headers: { 'User-Agent': 'Barracuda Sentinel (EE)' } }],
    ['what has no name', { headers: { 'User-Agent': '' } }],
  ])('%s is led on and not counted', async (_, init) => {
    await send();
    later();
    expect((await click('/r/w1/1', init)).status).toBe(302);
    expect(await countOf()).toBe(0);
  });

  test('within a minute of a mail’s handing over nothing is counted: scanners look then', async () => {
    await send();
    newsletter.advance(59_000);
    await click('/r/w1/1');
    expect(await countOf()).toBe(0);
    newsletter.advance(2_000);
    await click('/r/w1/1');
    expect(await countOf()).toBe(1);
  });

  test('switched off again, the links of old mails still lead on', async () => {
    await send();
    later();
    newsletter.settings.clicks = 'off';
    expect((await click('/r/w1/1')).status).toBe(302);
    expect(await countOf()).toBe(0);
  });

  test('a number that was given stays: what an amended issue adds comes after', async () => {
    await send();
    writeIssue(newsletter.dir, 'w1', {
      body: '[new](https://example.net/new) [two](https://example.org/two)',
    });
    const { targets } = await compose(newsletter, 'w1', 0);
    expect(targets.map(({ url }) => url)).toEqual([
      'https://example.com/one?a=1&b=2',
      'https://example.org/two',
      'https://example.com/source',
      'https://example.net/new',
    ]);
  });

  test('the links of a test mail work', async () => {
    writeIssue(newsletter.dir, 'w1', { body: LINKS });
    await testSend(newsletter, 'w1', ['me@example.com'], new AbortController().signal);
    expect((await click('/r/w1/2')).headers.get('Location')).toBe('https://example.org/two');
  });

  test('an approval does not cover a change of the setting', async () => {
    writeIssue(newsletter.dir, 'w1', { body: LINKS });
    await approve(newsletter, 'w1');
    newsletter.settings = { ...newsletter.settings, clicks: 'off' };
    expect((await compose(newsletter, 'w1', 0)).approved).toBe(false);
  });
});
