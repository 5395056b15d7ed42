/** From a save in the editor to the change in the studio's frame, in Chromium. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { loadSettings } from '../src/config/load.ts';
import { preview } from '../src/newsletter/preview.ts';
import { openStore } from '../src/store/open.ts';
import { studioServer } from '../src/web/studio/server.ts';
import { prepare } from './campaign.ts';
import { median, type Row, type Table } from './report.ts';
import { temporary } from './temporary.ts';

const ISSUE = '2023-09-w3';
const SAVES = 40;
const WARM = 5;
const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Saves the issue again and again; each save is timed until its words are on the screen, and until it is checked. */
export async function previewed(items: number): Promise<Table> {
  const about = `From a save to the change on the screen, ${SAVES} saves; limit 300 ms`;
  if (!existsSync(BROWSER)) return { about: `${about}: left out, there is no Chromium`, rows: [] };
  const dir = temporary('preview');
  const { htmlBytes } = await prepare(dir, items);
  const store = await openStore({ stateDir: dir });
  const silent = { info: () => {}, warn: () => {}, error: () => {} };
  const newsletter = {
    dir,
    stateDir: dir,
    settings: loadSettings(dir),
    secrets: {},
    keys: [{ id: 'bench', key: Buffer.alloc(32, 1) }] as const,
    db: store.db,
    clock: Date.now,
    random: (bytes: number) => Buffer.alloc(bytes, 1),
    log: silent,
    workerCommand: [],
  };
  const studio = await studioServer(newsletter);
  const base = await studio.app.listen({ host: '127.0.0.1', port: 0 });
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
    await page.goto(`${base}/?token=${studio.token}#/issue/${ISSUE}`);
    const file = join(dir, 'issues', ISSUE, 'issue.md');
    const text = readFileSync(file, 'utf8');
    await page.locator('.checks').waitFor();
    const shown: number[] = [];
    const checked: number[] = [];
    const composed: number[] = [];
    for (let save = 0; save < SAVES + WARM; save += 1) {
      const words = `save-${save}-of-the-bench`;
      const edited = text.replace(/^### .*\n/m, (heading) => `${heading}\n${words}\n`);
      const found = page.waitForResponse((response) => response.url().includes('/findings'));
      await page.evaluate(watching(words));
      const begun = Date.now();
      writeFileSync(file, edited);
      await (await found).finished();
      const whole = Date.now() - begun;
      const ms = (await page.evaluate<number>('watched')) - begun;
      const alone = await timed(() => preview(newsletter, ISSUE));
      if (save < WARM) continue;
      shown.push(ms);
      checked.push(whole);
      composed.push(alone);
    }
    return {
      about: `${about}; ${items} items, HTML ${htmlBytes} bytes`,
      rows: [
        row('save → screen', shown),
        row('of it: compose and read back', composed),
        row('save → checks', checked),
      ],
    };
  } finally {
    await browser.close();
    await studio.close();
    await store.close();
  }
}

/**
 * Looks at every frame that is drawn for words in the mail that is seen, not in one that is still loading. The page
 * notes the moment itself: this process is busy with the checks by then.
 */
function watching(words: string): string {
  return `void (watched = new Promise((seen) => {
    const look = () => {
      const mail = document.querySelector('iframe:not(.coming)')?.contentDocument;
      if (mail?.body?.textContent.includes('${words}')) seen(Date.now());
      else requestAnimationFrame(look);
    };
    look();
  }))`;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function row(what: string, ms: readonly number[]): Row {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { what, 'median ms': median(ms), 'p95 ms': at(0.95), 'most ms': at(1) };
}
