/** The studio as a person uses it, in Chromium. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addSubscriber } from '../../src/audience/subscribers.ts';
import { readMessage } from '../../src/message/read.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { draft } from '../../src/newsletter/draft.ts';
import { prepareCampaign } from '../../src/newsletter/send.ts';
import { work } from '../../src/newsletter/worker.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import {
  type OpenStudio,
  openBrowser,
  openPage,
  openStudio,
  withoutChromium,
} from '../support/browser.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const ID = '2026-11-w4';
const SEED = resolve(import.meta.dirname, '../../issues/2023-09-w3/transcript.txt');
/** Edits without a leak: a thousand take minutes, so fewer unless they are asked for. */
const EDITS = Number(process.env.STUDIO_EDITS ?? 100);

let browser: Browser;
let newsletter: TestNewsletter;
let studio: OpenStudio;
let file: string;

describe.skipIf(withoutChromium)('in a browser (needs Chromium: apt install chromium)', () => {
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    newsletter = await openTestNewsletter();
    writeIssue(newsletter.dir, ID);
    file = join(newsletter.dir, 'issues', ID, 'issue.md');
    studio = await openStudio(newsletter, { phoneAddress: '127.0.0.1' });
  });

  const read = () => readFileSync(file, 'utf8');
  const mailOf = (page: Page) => page.frameLocator('iframe:not(.coming)');
  const issuePage = (options = {}) => openPage(browser, studio, `#/issue/${ID}`, options);

  test('follows the file, keeps the last good mail over a mistake, and loads nothing from elsewhere', async () => {
    const { page, elsewhere, complaints } = await issuePage();
    await mailOf(page).getByText('Words.').waitFor();
    const text = read();
    writeFileSync(file, text.replace('Words.', 'Changed words.'));
    await mailOf(page).getByText('Changed words.').waitFor();

    writeFileSync(file, text.replace('title:', 'titel:'));
    await page.getByText(/issue\.md:2/).waitFor();
    await page.locator('.excerpt .noted', { hasText: 'titel:' }).waitFor();
    expect(await mailOf(page).getByText('Changed words.').isVisible()).toBe(true);

    writeFileSync(file, text);
    await mailOf(page).getByText('Words.', { exact: true }).waitFor();
    expect(await page.locator('.problems').isHidden()).toBe(true);
    expect(new URL(page.url()).search).toBe('');
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('follows the template and the settings as well', async () => {
    await studio.studio.close();
    const { loadSettings } = await import('../../src/config/load.ts');
    studio = await openStudio(newsletter, { readSettings: () => loadSettings(newsletter.dir) });
    const { page } = await issuePage();
    await mailOf(page).getByText('Words.').waitFor();
    const template = join(newsletter.dir, 'templates/partials/footer.hbs');
    const config = join(newsletter.dir, 'config/newsletter.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace('示例街 1 号', '新街 2 号'));
    await mailOf(page).getByText('新街 2 号').waitFor();
    writeFileSync(template, `${readFileSync(template, 'utf8')}{{/if}}`);
    await page
      .getByText(/footer\.hbs:\d+/)
      .first()
      .waitFor();
    expect(await mailOf(page).getByText('新街 2 号').isVisible()).toBe(true);
  });

  test('P-01: what the frame was given is the HTML part of the message that is sent', async () => {
    const { page } = await openPage(browser, studio, '#/issues');
    const given = page.waitForResponse((response) => response.url().includes(`/mail/${ID}`));
    await page.getByRole('link', { name: `Issue ${ID}` }).click();
    const body = await (await given).body();
    const eml = await page.request.get(`${studio.base}/files/${ID}/eml`);
    const { html } = await readMessage(await eml.body());
    const hash = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
    expect(hash(body)).toBe(hash(html));
    await page.getByText(hash(html).slice(0, 16)).waitFor();
  });

  test('the place where one was reading is kept', async () => {
    const long = Array.from({ length: 60 }, (_, n) => `Paragraph ${n}.`).join('\n\n');
    writeFileSync(file, read().replace('Words.', long));
    const { page } = await issuePage();
    await mailOf(page).getByText('Paragraph 40.').scrollIntoViewIfNeeded();
    const place = () =>
      mailOf(page)
        .locator('html')
        .evaluate((root) => root.ownerDocument.defaultView?.scrollY ?? 0);
    const before = await place();
    expect(before).toBeGreaterThan(300);
    writeFileSync(file, read().replace('Paragraph 50.', 'Another fifty.'));
    await mailOf(page).getByText('Another fifty.').waitFor();
    expect(Math.abs((await place()) - before)).toBeLessThan(3);
  });

  test('P-03: every look is what it says, by its pixels', async () => {
    const picture = await sharp({
      create: { width: 400, height: 300, channels: 3, background: '#00ff00' },
    })
      .png()
      .toBuffer();
    writeFileSync(file, read().replace('Words.', '![A green field](https://example.com/g.png)'));
    const { page } = await issuePage();
    await page.route('https://example.com/g.png', (route) =>
      route.fulfill({ contentType: 'image/png', body: picture }),
    );
    const look = async (change: () => Promise<unknown>) => {
      const loaded = page.waitForResponse((response) => response.url().includes('/mail/'));
      await change();
      await loaded;
      await page.locator('iframe.coming').waitFor({ state: 'detached' });
      // Drawn, not only loaded.
      await page.evaluate(
        'new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))',
      );
      return measured(await page.locator('.stage iframe').screenshot());
    };
    const choose = (name: string) => () => page.getByRole('radio', { name, exact: true }).check();
    const light = await look(() => page.reload());
    const dark = await look(choose('Dark'));
    const partial = await look(choose('Part inverted'));
    expect(await page.getByText('not the real client').isVisible()).toBe(true);
    const full = await look(choose('Inverted'));
    await look(choose('Light'));
    const bare = await look(() => page.getByLabel('No styles').check());
    const withoutImages = await look(() => page.getByLabel('No images').check());
    expect(light.brightness).toBeGreaterThan(200);
    expect(bare.brightness).toBeGreaterThan(200);
    for (const seen of [dark, partial, full]) expect(seen.brightness).toBeLessThan(90);
    for (const seen of [light, dark, partial, full, bare]) expect(seen.green).toBeGreaterThan(0.05);
    expect(withoutImages.green).toBe(0);
    expect(await mailOf(page).locator('style').count()).toBe(0);
  });

  test('as a new user: drops an image without alt, sees it beside its line, and sends a test', async () => {
    const { page, complaints } = await issuePage();
    await page.route('https://example.com/a.png', (route) =>
      route.fulfill({ contentType: 'image/svg+xml', body: '<svg/>' }),
    );
    await page.getByText('No findings').waitFor();
    writeFileSync(file, read().replace('Words.', 'Words.\n\n![](https://example.com/a.png)'));
    await page.locator('.checks button').first().click();
    expect(await page.getByRole('tab', { name: 'issue.md' }).getAttribute('aria-selected')).toBe(
      'true',
    );
    const line =
      read()
        .split('\n')
        .findIndex((each) => each.startsWith('![')) + 1;
    await page.locator(`#line-${line}.noted`).waitFor();
    await page.locator(`#line-${line} + .note`).getByText('has no description').waitFor();

    await page.keyboard.press('t');
    await page.getByLabel('To (up to five addresses)').fill('ann@example.com');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('✓ ann@example.com').waitFor();
    // The way to it leaves no dialog over it.
    await page.getByRole('dialog').getByRole('link', { name: 'Outbox' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.locator('.mails .sender', { hasText: 'ann@example.com' }).waitFor();
    await page.getByRole('heading', { name: /^\[Test\]/ }).waitFor();
    await mailOf(page).getByText('Words.').waitFor();
    expect(complaints).toEqual([]);
  });

  test('every reader, part and width can be looked at, by keyboard too', async () => {
    const { page, complaints } = await issuePage();
    await mailOf(page).getByText('Words.').waitFor();
    for (const reader of ['chinese', 'long-name', 'right-to-left', 'markup']) {
      const loaded = page.waitForResponse((response) =>
        response.url().includes(`/mail/${ID}?reader=${reader}`),
      );
      await page.getByLabel('Reader').selectOption(reader);
      expect((await loaded).status()).toBe(200);
    }
    for (const key of ['w', 'w', 'w']) await page.keyboard.press(key);
    expect(await page.locator('.px').textContent()).toBe('320 px');
    await page.getByRole('separator').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.px').textContent()).toBe('336 px');
    for (const [key, shown] of [
      ['2', 'Apple Mail · iPhone'],
      ['3', 'Words.'],
      ['4', '<!doctype html>'],
      ['5', '<mjml'],
      ['6', 'multipart/alternative'],
      ['7', 'List-Unsubscribe-Post: List-Unsubscribe=One-Click'],
      ['8', '### Falcon 180B arrives'],
      ['9', 'Nothing has been sent yet'],
    ] as const) {
      await page.keyboard.press(key);
      await page.locator('.body').getByText(shown).first().waitFor();
    }
    await page.keyboard.press('0');
    await mailOf(page).locator('link[rel=canonical]').waitFor({ state: 'attached' });
    await page.keyboard.press('1');
    await page.locator('iframe[src*="/mail/"]:not(.coming)').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('in the Chinese interface the checks and mistakes are Chinese too', async () => {
    const { page } = await issuePage({ locale: 'zh-CN' });
    await page.getByText('没有发现问题').waitFor();
    const text = read();
    writeFileSync(file, text.replace('Words.', 'Words. TODO'));
    await page.locator('.checks').getByText('占位文字还留在这里').waitFor();
    writeFileSync(file, text.replace('title:', 'titel:'));
    await page.locator('.problems').getByText('这个文件读不成一期').waitFor();
  });

  test('for 公众号 and for the phone', async () => {
    const { page } = await issuePage({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('button', { name: 'Copy for 公众号' }).click();
    await page.getByText(/^Copied\./).waitFor();
    const html = await page.evaluate(
      "navigator.clipboard.read().then(([item]) => item.getType('text/html')).then((blob) => blob.text())",
    );
    expect(html).toContain('https://example.com/source');
    await page.getByRole('button', { name: 'To a phone…' }).click();
    await page.locator('.qr svg').waitFor();
    const url = (await page.getByRole('link', { name: /^http:/ }).getAttribute('href')) ?? '';
    expect(await (await page.request.get(url)).text()).toContain('Words.');
  });

  test('the draft is reviewed by clicks that change their span, and not a file that changed meanwhile', async () => {
    const id = '2023-09-w3';
    mkdirSync(join(newsletter.dir, 'issues', id), { recursive: true });
    await draft(newsletter, { sources: [SEED], issue: id });
    const path = join(newsletter.dir, 'issues', id, 'issue.md');
    const before = readFileSync(path, 'utf8');
    const { page } = await openPage(browser, studio, `#/review/${id}`);
    await page.locator('summary', { hasText: 'settled' }).first().click();
    await page.getByRole('button', { name: 'Reject: Cohear → Cohere' }).click();
    await page.getByText('Written to issue.md').waitFor();
    expect(readFileSync(path, 'utf8')).toBe(before.replace('Cohere', 'Cohear'));
    await page
      .getByRole('button', { name: /^Settled/ })
      .first()
      .waitFor();
  });

  test('P-07: axe finds nothing on any view, in light and dark', async () => {
    await aCampaign(newsletter);
    const views = [
      ['#/issues', '.issues'],
      [`#/issue/${ID}`, '.checks'],
      [`#/review/${ID}`, '.notice'],
      ['#/desk', 'figure'],
      ['#/desk/1', 'figure'],
      ['#/outbox', '.reader h2'],
    ] as const;
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await openPage(browser, studio, '#/issues', { colorScheme });
      for (const [hash, ready] of views) {
        await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
        await page.locator(ready).first().waitFor();
        expect(await findings(page, axe), `${hash} in ${colorScheme}`).toEqual([]);
        if (!hash.startsWith('#/issue/')) continue;
        for (const part of ['2', '3', '8', '9', '?']) {
          await page.keyboard.press(part);
          expect(await findings(page, axe), `${hash} ${part} in ${colorScheme}`).toEqual([]);
        }
        await page.keyboard.press('Escape');
      }
      await page.context().close();
    }
  });

  test.each(['en-GB', 'zh-CN'])('nothing is cut off at 400 px (%s)', async (locale) => {
    await aCampaign(newsletter);
    const viewport = { width: 400, height: 860 };
    const { page } = await openPage(browser, studio, '#/issues', { viewport, locale });
    for (const hash of ['#/issues', `#/issue/${ID}`, '#/desk', '#/desk/1', '#/outbox']) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.locator('main a, main button').first().waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth'), hash).toBe(400);
    }
    expect(await page.locator('html').getAttribute('lang')).toBe(
      locale === 'zh-CN' ? 'zh-CN' : 'en',
    );
  });

  test('a campaign is paused and resumed after a question, and its progress comes by itself', async () => {
    const send = await aCampaign(newsletter, { begin: false });
    const { page } = await openPage(browser, studio, '#/desk');
    await page.getByRole('button', { name: /^Pause/ }).click();
    await page.getByRole('button', { name: 'No' }).click();
    expect(await page.locator('.campaign .state').textContent()).toBe('sending');
    await page.getByRole('button', { name: /^Pause/ }).click();
    await page.getByRole('button', { name: 'Yes' }).click();
    await page.locator('.campaign .state.paused').waitFor();
    await page.getByRole('button', { name: /^Resume/ }).click();
    await page.getByRole('button', { name: 'Yes' }).click();
    await page.locator('.campaign .state.sending').waitFor();
    await send();
    await page.getByText('3 accepted').waitFor();
    await page.locator('.campaign .state.finished').waitFor();
  });

  test(`${EDITS} edits leave nothing behind: heap, nodes and listeners stay bounded`, {
    timeout: 60_000 + EDITS * 1_500,
  }, async () => {
    const { page } = await issuePage();
    await mailOf(page).getByText('Words.').waitFor();
    const client = await page.context().newCDPSession(page);
    await client.send('Performance.enable');
    const text = read();
    const edit = async (n: number) => {
      writeFileSync(file, text.replace('Words.', `Edit ${n}.`));
      await mailOf(page).getByText(`Edit ${n}.`, { exact: true }).waitFor();
    };
    const used = async () => {
      await client.send('HeapProfiler.collectGarbage');
      const { metrics } = await client.send('Performance.getMetrics');
      const value = (name: string) => metrics.find((each) => each.name === name)?.value ?? 0;
      const [heap, nodes, listeners] = [
        value('JSHeapUsedSize'),
        value('Nodes'),
        value('JSEventListeners'),
      ];
      return { heap, nodes, listeners, frames: page.frames().length };
    };
    const warm = 20;
    for (let n = 0; n < warm; n += 1) await edit(n);
    const before = await used();
    for (let n = warm; n < EDITS; n += 1) await edit(n);
    const after = await used();
    expect(after.frames).toBe(before.frames);
    expect(after.listeners).toBeLessThanOrEqual(before.listeners * 1.2 + 20);
    expect(after.nodes).toBeLessThan(before.nodes * 1.5 + 500);
    expect(after.heap).toBeLessThan(before.heap * 1.5 + 2_000_000);
    expect(studio.studio.listeners()).toBe(1);
  });
});

/** Mean brightness (0 to 255), and the share of pixels that are bright green. */
async function measured(png: Buffer): Promise<{ brightness: number; green: number }> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  let sum = 0;
  let green = 0;
  for (let at = 0; at < data.length; at += 3) {
    const [r = 0, g = 0, b = 0] = data.subarray(at, at + 3);
    sum += 0.2126 * r + 0.7152 * g + 0.0722 * b;
    if (g > 200 && r < 60 && b < 60) green += 1;
  }
  const pixels = info.width * info.height;
  return { brightness: sum / pixels, green: green / pixels };
}

/** Findings of axe, each with the first place; the mail in its frame is checked elsewhere. */
async function findings(page: Page, axe: string): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate<Violation[]>(
    'axe.run(document, { iframes: false }).then(({ violations }) => violations)',
  );
  return found.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`)[0]}`,
  );
}

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

/** A campaign to three readers, sent into the outbox. @returns what sends it, where it is not to begin yet */
async function aCampaign(newsletter: TestNewsletter, { begin = true } = {}) {
  const { db, settings, clock, random } = newsletter;
  for (const name of ['ann', 'bo', 'chen'])
    await addSubscriber(
      db,
      { newsletter: settings.slug, address: `${name}@example.com`, name: null, source: 'test' },
      { now: clock(), random },
    );
  await approve(newsletter, ID);
  const plan = await prepareCampaign(newsletter, { issue: ID });
  await inTransaction(db, async (trx) => void (await plan(trx)));
  const send = () => work(newsletter, { signal: new AbortController().signal, once: true });
  if (begin) await send();
  return send;
}
