/** `npm run pictures`: the bundled issue and the studio as they look now, into docs/pictures/. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';

const root = resolve(import.meta.dirname, '..');
const ISSUE = '2023-09-w3';
/** Drafted anew for the pictures; older than the one that is sent. */
const DRAFTED = '2023-09-w2';
const DESKTOP: Size = [1280, 860];
const PHONE: Size = [400, 860];

type Scheme = 'light' | 'dark';
type Size = [width: number, height: number];

/** The demonstration in a directory of its own, with a fresh draft to review beside the bundled issue. */
async function startDemo() {
  const dir = mkdtempSync(join(tmpdir(), 'broadsheet-pictures-'));
  for (const part of ['config', 'templates', 'issues'])
    cpSync(join(root, part), join(dir, part), { recursive: true });
  const launcher = join(root, 'src/launch.js');
  const transcript = join(root, 'issues', ISSUE, 'transcript.txt');
  const drafting = ['draft', transcript, '--issue', DRAFTED, '--dir', dir, '--quiet'];
  await new Promise((done) =>
    spawn(process.execPath, [launcher, ...drafting], { stdio: 'ignore' }).on('close', done),
  );
  const child = spawn(process.execPath, [launcher, 'demo', '--dir', dir, '--port', '4399']);
  let words = '';
  for await (const chunk of child.stderr) {
    words += chunk;
    if (words.includes('Ctrl-C')) break;
  }
  const address = (name: string) => new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(words)?.[1] ?? '';
  const studio = address('studio').replace(/#.*/, '');
  return { pages: address('pages'), studio, stop: () => child.kill('SIGINT') };
}

interface Shot {
  url: string;
  size: Size;
  scheme?: Scheme;
  locale?: string;
  /** Shown when it is ready. */
  ready: string;
  /** What is done before it is taken. */
  after?: (page: Page) => Promise<unknown>;
}

async function shoot(browser: Browser, shot: Shot): Promise<Buffer> {
  const [width, height] = shot.size;
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: shot.scheme ?? 'light',
    locale: shot.locale ?? 'en-GB',
  });
  await page.goto(shot.url);
  await page.locator(shot.ready).first().waitFor();
  await shot.after?.(page);
  await page.evaluate('document.fonts.ready');
  // The frame behind the one that is seen takes its place, and the plots their size.
  await page.waitForTimeout(700);
  const picture = await page.screenshot();
  await page.close();
  return picture;
}

/** Several pictures side by side on one sheet. */
async function sheet(browser: Browser, pictures: Buffer[]): Promise<Buffer> {
  const images = pictures.map(
    (picture) => `<img src="data:image/png;base64,${picture.toString('base64')}">`,
  );
  const page = await browser.newPage({ viewport: { width: 1240, height: 920 } });
  await page.setContent(
    `<style>
      body { margin: 0; padding: 40px; display: flex; gap: 40px; justify-content: center; background: #d9d2c5 }
      img { height: 840px; box-shadow: 0 2px 24px #0003 }
    </style>${images.join('')}`,
  );
  const picture = await page.screenshot();
  await page.close();
  return picture;
}

const demo = await startDemo();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  const mail = { url: `${demo.pages}/issues/${ISSUE}`, ready: 'h2' };
  const issue = { url: `${demo.studio}#/issue/${ISSUE}`, ready: 'iframe:not(.coming)' };
  const look = (name: string) => (page: Page) =>
    page.getByRole('radio', { name, exact: true }).check();
  const shots: Record<string, Shot> = {
    'studio-light': { ...issue, size: DESKTOP },
    'studio-dark': { ...issue, size: DESKTOP, scheme: 'dark', locale: 'zh-CN' },
    'studio-inverted': { ...issue, size: DESKTOP, after: look('Inverted') },
    'studio-phone': { ...issue, size: PHONE, locale: 'zh-CN' },
    'studio-issues': { url: `${demo.studio}#/issues`, ready: '.issues', size: DESKTOP },
    'studio-checks': {
      url: `${demo.studio}#/issue/${DRAFTED}`,
      ready: '.checks button',
      size: DESKTOP,
      after: (page) => page.locator('.checks button').first().click(),
    },
    'studio-review': {
      url: `${demo.studio}#/review/${DRAFTED}`,
      ready: '.reviewed article',
      size: DESKTOP,
      after: (page) =>
        page.evaluate(
          "document.querySelector('.decisions .open').closest('article').scrollIntoView()",
        ),
    },
    'studio-desk': { url: `${demo.studio}#/desk/1`, ready: 'figure', size: DESKTOP },
    'studio-outbox': {
      url: `${demo.studio}#/outbox`,
      ready: 'iframe:not(.coming)',
      size: DESKTOP,
      scheme: 'dark',
    },
  };
  const pictures: Record<string, Buffer> = {
    issue: await sheet(browser, [
      await shoot(browser, { ...mail, size: [680, 840] }),
      await shoot(browser, { ...mail, size: [390, 840], scheme: 'dark' }),
    ]),
  };
  for (const [name, shot] of Object.entries(shots)) pictures[name] = await shoot(browser, shot);
  for (const [name, picture] of Object.entries(pictures)) {
    // Paper, ink and one red: a palette holds them, in a third of the bytes.
    const bytes = await sharp(picture).png({ palette: true, colours: 128, effort: 8 }).toBuffer();
    writeFileSync(join(root, 'docs/pictures', `${name}.png`), bytes);
    console.log(`docs/pictures/${name}.png  ${bytes.length} bytes`);
  }
} finally {
  await browser.close();
  demo.stop();
}
