/** Mails and pages in a real browser: what a parser cannot see. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderEmail } from '../../src/render/email.ts';
import { renderPage } from '../../src/render/page.ts';
import { chineseIssue, englishImprint, englishIssue, imprint, root, weekly } from './issues.ts';

const executablePath = '/usr/bin/chromium';
const missing = !existsSync(executablePath) && !process.env.CI;

describe.skipIf(missing)('in a browser (needs Chromium: apt install chromium)', () => {
  let browser: Browser;
  let dir: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'looks-'));
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    const chinese = (await renderEmail(chineseIssue(), imprint, weekly)).email.html;
    const english = (await renderEmail(englishIssue(), englishImprint, weekly)).email.html;
    const base = pathToFileURL(join(root, 'templates/pages')).href;
    const data = {
      name: 'AI大模型周报',
      base,
      address: 'a•••@a-rather-long-domain-name.example.net',
      preferencesToken: '',
    };
    write('chinese', chinese);
    write('english', english);
    write('chinese-bare', chinese.replace(/<style[\s\S]*?<\/style>/g, ''));
    write('english-bare', english.replace(/<style[\s\S]*?<\/style>/g, ''));
    write('page', renderPage(weekly, 'unsubscribe', data, 'zh'));
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  function write(name: string, html: string): void {
    writeFileSync(join(dir, `${name}.html`), html);
  }

  async function open(name: string, width: number, colorScheme: 'light' | 'dark' = 'light') {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    await page.route(/^https?:/, (route) => route.abort());
    await page.goto(pathToFileURL(join(dir, `${name}.html`)).href);
    return page;
  }

  test.each([
    ['chinese', 375],
    ['chinese', 1024],
    ['chinese-bare', 375],
    ['chinese-bare', 1024],
    ['english', 320],
    ['english-bare', 375],
    ['page', 320],
  ])('H-08: %s fits a width of %i px, without scrolling sideways', async (name, width) => {
    const page = await open(name, width);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await page.close();
  });

  test('H-09: the column is 600 px wide where there is room', async () => {
    const page = await open('chinese', 1024);
    const box = await page.locator('h1').boundingBox();
    expect(box).toMatchObject({ width: 560, x: 232 });
    await page.close();
  });

  test.each(['chinese', 'english', 'page'])(
    'H-16: all words of %s have 4.5:1 in dark mode, and the ground is dark',
    async (name) => {
      const page = await open(name, 375, 'dark');
      expect(await page.evaluate(FAINT_WORDS)).toEqual([]);
      const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(ground).toBe('rgb(25, 23, 20)');
      await page.close();
    },
  );

  test('H-16: links of the contents and the footer can be hit with a finger', async () => {
    const page = await open('chinese', 375);
    const tops = (await page.evaluate(
      `[...document.querySelectorAll('.entry a')].map((link) => link.getBoundingClientRect().top)`,
    )) as number[];
    const steps = tops.slice(1).map((top, n) => top - (tops[n] ?? 0));
    expect(steps.length).toBeGreaterThan(1);
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(24);
    await page.close();
    const form = await open('page', 375);
    expect((await form.locator('button').boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await form.close();
  });
});

/** Runs in the page: elements with words whose contrast with what lies behind is below 4.5. */
const FAINT_WORDS = `(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return numbers(colour)[3] === 0 && element.parentElement ? ground(element.parentElement) : colour;
  };
  const words = [...document.body.querySelectorAll('*')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()),
  );
  return words.flatMap((element) => {
    const pair = [luminance(getComputedStyle(element).color), luminance(ground(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    return ratio < 4.5 ? [element.textContent.trim() + ' ' + ratio] : [];
  });
})()`;
