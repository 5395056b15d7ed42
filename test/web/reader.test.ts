/** A reader's whole way in a real browser, without JavaScript; and every page by axe-core. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tokenFor, unsubscribeToken } from '../../src/audience/tokens.ts';
import { accepted } from '../../src/delivery/outcome.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { freeze, send } from '../../src/newsletter/send.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { runOnce, states } from '../support/campaign.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';
import { openVisitor, type Visitor } from '../support/visitor.ts';

const executablePath = '/usr/bin/chromium';
const missing = !existsSync(executablePath) && !process.env.CI;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const talk = {
  confirm: async () => true,
  onPlan: () => {},
  onProgress: () => {},
  signal: new AbortController().signal,
};

async function publicIdOf(newsletter: TestNewsletter, address: string): Promise<string> {
  const row = await newsletter.db
    .selectFrom('subscribers')
    .select('public_id')
    .where('address', '=', address)
    .executeTakeFirstOrThrow();
  return row.public_id;
}

describe.skipIf(missing)('in a browser (needs Chromium: apt install chromium)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ locale: 'en-GB', ...options });
    return context.newPage();
  }

  test('W-01, W-05, W-13, W-16: signs up, confirms, gets an issue, changes the language, leaves, and is not mailed again', async () => {
    const newsletter = await openTestNewsletter();
    const visitor = await openVisitor(newsletter);
    const page = await open({ javaScriptEnabled: false });
    await page.goto(`${visitor.base}/subscribe`);
    newsletter.advance(10_000);
    await page.getByLabel('Email address').fill('ana@example.com');
    await page.getByRole('button', { name: 'Subscribe' }).click();
    await expectText(page, 'we have sent a message');

    await visitor.answer();
    const [mail] = await visitor.mails();
    await page.goto(visitor.base + mail?.link('/confirm/'));
    await page.getByRole('button', { name: 'Confirm subscription' }).click();
    await expectText(page, 'You are subscribed');

    writeIssue(newsletter.dir, '2026-11-w3');
    const first = await send(newsletter, { issue: '2026-11-w3' }, talk);
    const issue = await mailOf(newsletter, first.campaign);
    const preferences = /https:\/\/news\.example\.com(\/u\/\S+\/preferences)/.exec(issue)?.[1];
    await page.goto(`${visitor.base}${preferences}`);
    await expectText(page, 'Language of emails');
    await page.getByLabel('中文').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await expectText(page, '已保存');
    await page.getByRole('link', { name: /退订/ }).click();
    await expectText(page, 'Once you unsubscribe');
    await page.getByRole('button', { name: 'Unsubscribe' }).click();
    await expectText(page, 'You have unsubscribed');

    await addSubscriber(newsletter, { address: 'ben@example.com', name: null });
    writeIssue(newsletter.dir, '2026-11-w4');
    const second = await send(newsletter, { issue: '2026-11-w4' }, talk);
    expect(filesOf(newsletter, second.campaign)).toEqual([expect.stringContaining('ben@')]);
    const reader = await newsletter.db
      .selectFrom('subscribers')
      .select(['language', 'state'])
      .where('address', '=', 'ana@example.com')
      .executeTakeFirstOrThrow();
    expect(reader).toEqual({ language: 'zh-CN', state: 'unsubscribed' });
  }, 120_000);

  test('W-06: a form on a page of another site subscribes nobody by itself, and unsubscribes nobody', async () => {
    const newsletter = await openTestNewsletter();
    await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
    const visitor = await openVisitor(newsletter);
    const token = unsubscribeToken(
      newsletter.keys,
      newsletter.settings.slug,
      await publicIdOf(newsletter, 'ana@example.com'),
    );
    const page = await open();
    await page.route('https://blog.example.org/', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form id="in" method="post" action="${visitor.base}/subscribe"><input name="address" value="ben@example.com"><button>In</button></form>
          <form id="out" method="post" action="${visitor.base}/u/${token}"><button name="confirm" value="unsubscribe">Out</button></form>`,
      }),
    );
    await page.goto('https://blog.example.org/');
    await page.getByRole('button', { name: 'Out' }).click();
    await expectText(page, 'Refused');
    await page.goto('https://blog.example.org/');
    await page.getByRole('button', { name: 'In' }).click();
    await expectText(page, 'One more step');
    expect(await newsletter.db.selectFrom('signups').selectAll().execute()).toEqual([]);
    newsletter.advance(10_000);
    await page.getByRole('button', { name: 'Subscribe' }).click();
    await expectText(page, 'we have sent a message');
    const states = await newsletter.db.selectFrom('subscribers').select('state').execute();
    expect(states).toEqual([{ state: 'active' }]);
  }, 120_000);

  test('W-05: a slip is taken back by the keyboard alone', async () => {
    const newsletter = await openTestNewsletter();
    await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
    const visitor = await openVisitor(newsletter);
    const id = await publicIdOf(newsletter, 'ana@example.com');
    const token = unsubscribeToken(newsletter.keys, newsletter.settings.slug, id);
    const page = await open({ javaScriptEnabled: false });
    await page.goto(`${visitor.base}/u/${token}`);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expectText(page, 'You have unsubscribed');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await expectText(page, 'You are subscribed again');
  }, 120_000);

  test('the trap is neither seen nor reached by the keyboard', async () => {
    const visitor = await openVisitor(await openTestNewsletter());
    const page = await open();
    await page.goto(`${visitor.base}/subscribe`);
    expect(await page.locator('[name=website]').isVisible()).toBe(false);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.name')).toBe('address');
  });

  const looks = [
    { colorScheme: 'light', width: 320, locale: 'zh-CN' },
    { colorScheme: 'dark', width: 320, locale: 'en-GB' },
    { colorScheme: 'light', width: 1024, locale: 'en-GB' },
    { colorScheme: 'dark', width: 1024, locale: 'zh-CN' },
  ] as const;
  test.each(looks)(
    'W-16: every page is WCAG 2.2 AA and fits, $locale, $width px, $colorScheme',
    async ({ colorScheme, width, locale }) => {
      const { visitor, paths } = await everyPage();
      const page = await open({ locale, colorScheme, viewport: { width, height: 800 } });
      for (const [method, path, fields] of paths) {
        await show(page, visitor, method, path, fields);
        expect(
          await page.evaluate('document.documentElement.scrollWidth'),
          path,
        ).toBeLessThanOrEqual(width);
        expect(await violations(page), path).toEqual([]);
      }
    },
    120_000,
  );

  /** A newsletter in which each page can be had, and how. */
  async function everyPage() {
    const newsletter = await openTestNewsletter();
    const visitor = await openVisitor(newsletter);
    const { slug } = newsletter.settings;
    await addSubscriber(newsletter, {
      address: 'ana@a-rather-long-domain-name.example.com',
      name: null,
    });
    const id = await publicIdOf(newsletter, 'ana@a-rather-long-domain-name.example.com');
    const token = (purpose: 'unsubscribe' | 'preferences' | 'undo') =>
      tokenFor(newsletter.keys, slug, purpose, id);
    await visitor.signUp('ben@example.com');
    await visitor.answer();
    const confirm = (await visitor.mails())[0]?.link('/confirm/') ?? '';
    newsletter.advance(600_000);
    const paths: ['GET' | 'POST', string, Record<string, string>][] = [
      ['GET', '/', {}],
      ['GET', '/none', {}],
      ['GET', '/subscribe', {}],
      ['POST', '/subscribe', { address: 'no address' }],
      ['POST', '/subscribe', { address: 'ana@example.com' }],
      ['POST', '/subscribe', { website: 'x' }],
      ['GET', '/link', {}],
      ['POST', '/link', { address: 'x' }],
      ['GET', '/u/none', {}],
      ['GET', confirm, {}],
      ['POST', confirm, {}],
      ['GET', confirm, {}],
      ['GET', `/p/${token('preferences')}`, {}],
      ['POST', `/p/${token('preferences')}`, { save: 'address', address: 'x' }],
      ['GET', `/u/${token('unsubscribe')}`, {}],
      ['GET', `/u/${token('unsubscribe')}/preferences`, {}],
      ['POST', `/u/${token('unsubscribe')}`, { confirm: 'unsubscribe' }],
      ['GET', `/p/${token('preferences')}`, {}],
      ['POST', `/undo/${token('undo')}`, {}],
    ];
    return { visitor, paths };
  }
});

/** A page that follows a form is had by a form. */
async function show(
  page: Page,
  { base }: Visitor,
  method: 'GET' | 'POST',
  path: string,
  fields: Record<string, string>,
): Promise<void> {
  await page.goto(`${base}${method === 'GET' ? path : '/healthz'}`);
  if (method === 'GET') return;
  const answered = page.waitForNavigation();
  await page.evaluate(`{
    const form = document.body.appendChild(document.createElement('form'));
    form.method = 'post';
    form.action = ${JSON.stringify(path)};
    for (const [name, value] of ${JSON.stringify(Object.entries(fields))})
      Object.assign(form.appendChild(document.createElement('input')), { name, value });
    form.submit();
  }`);
  await answered;
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { wrong, right } = await page.evaluate<{
    wrong: string[];
    right: number;
  }>(`axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }).then(({ violations, passes }) => ({
    wrong: violations.map(({ id, nodes }) => id + ': ' + nodes[0].html),
    right: passes.length,
  }))`);
  expect(right).toBeGreaterThan(10);
  return wrong;
}

/** Waits for the page that follows. */
async function expectText(page: Page, text: string): Promise<void> {
  await page.locator('body', { hasText: text }).waitFor({ timeout: 20_000 });
}

const folder = ({ stateDir }: TestNewsletter, campaign: number) =>
  join(stateDir, 'outbox', `campaign-${campaign}`);

function filesOf(newsletter: TestNewsletter, campaign: number): string[] {
  return readdirSync(folder(newsletter, campaign));
}

/** The text of the only mail. */
async function mailOf(newsletter: TestNewsletter, campaign: number): Promise<string> {
  const [file = ''] = filesOf(newsletter, campaign);
  const mail = await simpleParser(readFileSync(join(folder(newsletter, campaign), file)));
  return mail.text ?? '';
}

test('D-10: a one-click POST while a campaign runs is effective before the next mail is marked', async () => {
  const newsletter = await openTestNewsletter();
  const visitor = await openVisitor(newsletter);
  for (let i = 1; i <= 6; i += 1)
    await addSubscriber(newsletter, { address: `reader${i}@example.com`, name: null });
  writeIssue(newsletter.dir, '2026-11-w4');
  await approve(newsletter, '2026-11-w4');
  await freeze(newsletter, { issue: '2026-11-w4' });
  const { keys, settings, db } = newsletter;
  const last = await publicIdOf(newsletter, 'reader6@example.com');
  const mailed: string[] = [];
  await runOnce({
    db,
    newsletter: settings.slug,
    transportFor: () => ({
      lanes: 1,
      deliver: async ({ to }, record) => {
        if (mailed.length === 0) {
          const answer = await fetch(
            `${visitor.base}/u/${unsubscribeToken(keys, settings.slug, last)}`,
            {
              method: 'POST',
              body: 'List-Unsubscribe=One-Click',
            },
          );
          expect(answer.status).toBe(200);
        }
        mailed.push(to);
        const outcome = accepted(250, 'ok');
        await record?.(outcome);
        return outcome;
      },
      abort: () => {},
      close: async () => {},
    }),
  });
  expect(mailed).toEqual([1, 2, 3, 4, 5].map((i) => `reader${i}@example.com`));
  expect(await states(db)).toEqual({ accepted: 5, suppressed: 1 });
});
