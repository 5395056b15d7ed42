/** `npm run pictures`: the bundled issue and the studio as they look now, into docs/pictures/. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const root = resolve(import.meta.dirname, '..');
const ISSUE = '2023-09-w3';

type Scheme = 'light' | 'dark';

/** Starts the demonstration and gives its two addresses. */
async function startDemo() {
  const child = spawn(process.execPath, [join(root, 'src/launch.js'), 'demo'], { cwd: root });
  let words = '';
  for await (const chunk of child.stderr) {
    words += chunk;
    if (words.includes('Ctrl-C')) break;
  }
  const address = (name: string) => new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(words)?.[1] ?? '';
  return { pages: address('pages'), studio: address('studio'), stop: () => child.kill('SIGINT') };
}

async function shoot(
  browser: Browser,
  url: string,
  [width, height]: [number, number],
  colorScheme: Scheme,
): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(url);
  const isStudio = (await page.locator('iframe').count()) > 0;
  await (isStudio ? page.frameLocator('iframe') : page).locator('h2').first().waitFor();
  await page.evaluate('document.fonts.ready');
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
  const mail = `${demo.pages}/issues/${ISSUE}`;
  const pictures: Record<string, Buffer> = {
    issue: await sheet(browser, [
      await shoot(browser, mail, [680, 840], 'light'),
      await shoot(browser, mail, [390, 840], 'dark'),
    ]),
    'studio-light': await shoot(browser, demo.studio, [1280, 860], 'light'),
    'studio-dark': await shoot(browser, demo.studio, [1280, 860], 'dark'),
  };
  for (const [name, bytes] of Object.entries(pictures)) {
    writeFileSync(join(root, 'docs/pictures', `${name}.png`), bytes);
    console.log(`docs/pictures/${name}.png  ${bytes.length} bytes`);
  }
} finally {
  await browser.close();
  demo.stop();
}
