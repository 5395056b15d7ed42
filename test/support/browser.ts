/** Chromium as Debian has it, and a studio opened in it. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import type { Newsletter } from '../../src/newsletter/newsletter.ts';
import { type Studio, type StudioOptions, studioServer } from '../../src/web/studio/server.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Tests that need it are left out where it is missing, but never on CI. */
export const withoutChromium = !existsSync(executablePath) && !process.env.CI;

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--js-flags=--expose-gc'] });
}

export interface OpenStudio {
  studio: Studio;
  /** `http://127.0.0.1:…` */
  base: string;
  token: string;
}

/** A studio that is closed after the test. */
export async function openStudio(
  newsletter: Newsletter,
  options: StudioOptions = {},
): Promise<OpenStudio> {
  const studio = await studioServer(newsletter, options);
  const base = await studio.app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => studio.close());
  return { studio, base, token: studio.token };
}

export interface StudioPage {
  page: Page;
  /** What the page asked for elsewhere, and what it complained of; both are to be empty. */
  elsewhere: string[];
  complaints: string[];
}

/** A page of the studio, by the address that is printed at its start. @param hash such as `#/issue/ID` */
export async function openPage(
  browser: Browser,
  { base, token }: OpenStudio,
  hash: string,
  options: BrowserContextOptions = {},
): Promise<StudioPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    reducedMotion: 'reduce',
    ...options,
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const elsewhere: string[] = [];
  const complaints: string[] = [];
  page.on('request', (asked) => {
    if (!asked.url().startsWith(base)) elsewhere.push(asked.url());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (said) => {
    if (said.type() === 'error' && !/status of 4\d\d/.test(said.text()))
      complaints.push(said.text());
  });
  await page.goto(`${base}/?token=${token}${hash}`);
  return { page, elsewhere, complaints };
}
