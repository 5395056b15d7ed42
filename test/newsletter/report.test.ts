/** The numbers of a month, from real campaigns whose relay answers as it is told. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { suppress } from '../../src/audience/suppression.ts';
import { unsubscribe } from '../../src/audience/unsubscribe.ts';
import { accepted, type Outcome } from '../../src/delivery/outcome.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { report } from '../../src/newsletter/report.ts';
import { reportCsv, reportHtml } from '../../src/newsletter/report-page.ts';
import { prepareCampaign } from '../../src/newsletter/send.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { runOnce } from '../support/campaign.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let newsletter: TestNewsletter;

beforeEach(async () => {
  newsletter = await openTestNewsletter({ now: Date.parse('2026-10-11T01:00:00Z') });
});

async function subscribe(...addresses: string[]): Promise<void> {
  for (const address of addresses) await addSubscriber(newsletter, { address, name: null });
  newsletter.advance(HOUR);
}

const failed = (reason: string, code: number): Outcome => ({
  state: 'failed',
  code,
  reply: `${code} ${reason}`,
  relayFault: false,
  reason,
});
const busy: Outcome = { ...failed('greylisted', 450), state: 'deferred' };

/** Sends an issue; the relay takes what is not named. Outcomes of an address are given one after the other. */
async function send(issue: string, answers: Record<string, Outcome[]> = {}): Promise<void> {
  writeIssue(newsletter.dir, issue);
  await approve(newsletter, issue);
  await (await prepareCampaign(newsletter, { issue }))(newsletter.db);
  const left = structuredClone(answers);
  const transport = {
    lanes: 1,
    deliver: async ({ to }: { to: string }, record?: (outcome: Outcome) => Promise<unknown>) => {
      const outcome = left[to]?.shift() ?? accepted(250, '250 ok');
      await record?.(outcome);
      return outcome;
    },
    abort: () => {},
    close: async () => {},
  };
  for (let round = 0; round < 4; round += 1) {
    await runOnce({
      db: newsletter.db,
      newsletter: newsletter.settings.slug,
      clock: newsletter.clock,
      transportFor: () => transport,
    });
    newsletter.advance(HOUR);
  }
}

async function leave(address: string): Promise<void> {
  const { public_id } = await newsletter.db
    .selectFrom('subscribers')
    .select('public_id')
    .where('address', '=', address)
    .executeTakeFirstOrThrow();
  const leaving = { newsletter: newsletter.settings.slug, publicId: public_id, via: 'one-click' };
  await unsubscribe(newsletter.db, leaving, newsletter.clock());
}

/** October: one issue to three. November: two issues; one bounces, one waits, one complains, one leaves. */
async function twoMonths(): Promise<void> {
  await subscribe('a@gmail.com', 'b@gmail.com', 'c@qq.com');
  await send('october');
  newsletter.advance(27 * DAY);
  await subscribe('d@163.com', 'e@gmail.com');
  await send('november-1', { 'b@gmail.com': [failed('hard-bounce', 550)], 'c@qq.com': [busy] });
  await leave('a@gmail.com');
  newsletter.advance(7 * DAY);
  await subscribe('f@outlook.com');
  await send('november-2', { 'd@163.com': [failed('mailbox-full', 552)] });
  const complaint = { newsletter: newsletter.settings.slug, reason: 'complaint' as const };
  await suppress(newsletter.db, { ...complaint, address: 'e@gmail.com' }, newsletter.clock());
}

describe('A-02, D-44: a month', () => {
  test('counts each issue, by fate and by provider', async () => {
    await twoMonths();
    const { perIssue, byProvider } = await report(newsletter, '2026-11');
    expect(perIssue.map(({ issue, all, joined }) => ({ issue, ...all, joined }))).toEqual([
      expect.objectContaining({
        issue: 'november-1',
        planned: 5,
        accepted: 4,
        hard: 1,
        soft: 0,
        deferred: 1,
        waiting: 0,
        left: 1,
        complained: 0,
        joined: 1,
      }),
      expect.objectContaining({
        issue: 'november-2',
        planned: 5,
        accepted: 4,
        hard: 0,
        soft: 1,
        left: 0,
        complained: 1,
        joined: 0,
      }),
    ]);
    expect(byProvider.gmail).toMatchObject({
      planned: 5,
      accepted: 4,
      hard: 1,
      left: 1,
      complained: 1,
    });
    expect(byProvider.netease).toMatchObject({ planned: 2, accepted: 1, soft: 1 });
    for (const { all, byProvider } of perIssue) {
      const { planned, accepted, waiting, hard, soft, unknown, leftOut } = all;
      expect(accepted + waiting + hard + soft + unknown + leftOut).toBe(planned);
      expect(Object.values(byProvider).reduce((sum, one) => sum + one.planned, 0)).toBe(planned);
    }
  });

  test('stands against the month before, and shows how the list grew', async () => {
    await twoMonths();
    const month = await report(newsletter, '2026-11');
    expect(month).toMatchObject({
      joined: 3,
      left: 1,
      suppressed: 1,
      list: 4,
      from: 'news.example.com',
    });
    expect(month.before).toMatchObject({
      month: '2026-10',
      issues: 1,
      joined: 3,
      left: 0,
      list: 3,
    });
    expect(month.before.all).toMatchObject({ planned: 3, accepted: 3 });
    const { days } = month;
    expect(days[0]?.day).toBe('2026-11-01');
    expect(days.at(-1)?.list).toBe(4);
    for (const [at, day] of days.entries()) {
      const before = days[at - 1]?.list ?? month.before.list;
      expect(day.list).toBe(before + day.joined - day.left - day.suppressed);
    }
    const taken = days.flatMap(({ accepted }) => Object.values(accepted));
    expect(taken.reduce((sum, count) => sum + count, 0)).toBe(8);
  });

  test('counts what came back after the relay had taken it, once for each mail', async () => {
    await subscribe('a@example.com', 'b@example.com');
    await send('w1');
    const deliveries = await newsletter.db.selectFrom('deliveries').selectAll().execute();
    const rows = deliveries.flatMap(({ id, campaign_id, subscriber_id }, at) =>
      [0, 1].map((part) => ({
        newsletter: newsletter.settings.slug,
        report: `report ${id}`,
        part,
        origin: 'test',
        subject: null,
        delivery_id: id,
        campaign_id,
        subscriber_id,
        known_by: 'verp',
        kind: at === 0 ? 'hard' : 'full',
        reason: at === 0 ? 'hard-bounce' : 'mailbox-full',
        status: null,
        reply: null,
        effect: null,
        at: newsletter.clock(),
      })),
    );
    await newsletter.db.insertInto('bounces').values(rows).execute();
    expect((await report(newsletter)).all).toMatchObject({ accepted: 2, hard: 1, soft: 1 });
  });

  test('begins and ends where the newsletter is at home', async () => {
    // Shanghai is eight hours ahead: 20:00 UTC on 31 October is November there.
    newsletter.advance(Date.parse('2026-10-31T20:00:00Z') - newsletter.clock());
    await subscribe('a@gmail.com');
    await send('first');
    expect((await report(newsletter, '2026-11')).issues).toBe(1);
    expect((await report(newsletter, '2026-10')).issues).toBe(0);
    expect((await report(newsletter)).month).toBe('2026-11');
  });

  test('of nothing is a report too; what is no month is refused', async () => {
    expect(await report(newsletter, '2025-01')).toMatchObject({ issues: 0, list: 0 });
    await expect(report(newsletter, '2026-13')).rejects.toMatchObject({ code: 'month-invalid' });
  });

  test('waits for a confirmation: who has only asked has not joined', async () => {
    await subscribe('a@gmail.com');
    await newsletter.db.updateTable('subscribers').set({ state: 'pending' }).execute();
    expect(await report(newsletter)).toMatchObject({ joined: 0, list: 0 });
  });

  test('D-45: warns of complaints from 0.1 % on, of 300 mails or more', async () => {
    const many = Array.from({ length: 300 }, (_, n) => `reader${n}@example.com`);
    await newsletter.db.transaction().execute(async (db) => {
      for (const address of many)
        await addSubscriber({ ...newsletter, db }, { address, name: null });
    });
    await send('w1');
    expect((await report(newsletter)).warnings).toEqual([]);
    const complaint = { newsletter: newsletter.settings.slug, reason: 'complaint' as const };
    await suppress(newsletter.db, { ...complaint, address: many[0] ?? '' }, newsletter.clock());
    expect((await report(newsletter)).warnings).toEqual([
      expect.stringMatching(/^w1: 1 complaints about 300/),
    ]);
  }, 60_000);
});

describe('what is shown', () => {
  test('CSV has a row for each issue and provider; QQ, NetEase, Apple and Gmail have no number of complaints', async () => {
    await twoMonths();
    const lines = reportCsv(await report(newsletter, '2026-11'))
      .trimEnd()
      .split('\r\n');
    const [head = '', ...rows] = lines.map((line) => line.split(','));
    const complained = head.indexOf('complained');
    for (const row of rows) {
      expect(row).toHaveLength(head.length);
      expect(row[complained] === '').toBe(
        ['qq', 'netease', 'apple', 'gmail'].includes(row[3] ?? ''),
      );
    }
    expect(rows.filter((row) => row[3] === 'all')).toHaveLength(2);
  });

  test.each(['zh-CN', 'en'])(
    'A-06: the page in %s says nothing of opens, and what nobody knows',
    async (language) => {
      await twoMonths();
      newsletter.settings = { ...newsletter.settings, language };
      const html = reportHtml(newsletter, await report(newsletter, '2026-11'));
      expect(html).toContain(language === 'en' ? 'report no complaints' : '不向发件人报告投诉');
      expect(html).not.toMatch(/open rate|opens\b|打开率|<script|https?:/i);
      expect(html.match(/<svg role="img"/g)).toHaveLength(2);
      expect(html).toContain('–');
    },
  );

  const executablePath = '/usr/bin/chromium';
  test.skipIf(!existsSync(executablePath) && !process.env.CI)(
    'W-16: axe-core finds nothing on the page, in light and dark (needs Chromium: apt install chromium)',
    async () => {
      await twoMonths();
      const html = reportHtml(newsletter, await report(newsletter, '2026-11'));
      const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
      onTestFinished(() => browser.close());
      const axe = readFileSync(
        join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'),
        'utf8',
      );
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ colorScheme, viewport: { width: 320, height: 800 } });
        await page.setContent(html);
        await page.evaluate(axe);
        const found = await page.evaluate<string[]>(
          'axe.run().then(({ violations }) => violations.map(({ id }) => id))',
        );
        expect(found).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
        if (process.env.SHOTS) {
          await page.screenshot({
            path: join(process.env.SHOTS, `report-${colorScheme}-320.png`),
            fullPage: true,
          });
          await page.setViewportSize({ width: 1000, height: 800 });
          await page.screenshot({
            path: join(process.env.SHOTS, `report-${colorScheme}.png`),
            fullPage: true,
          });
        }
      }
    },
    60_000,
  );
});
