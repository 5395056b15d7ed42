/** The numbers that Prometheus reads, against what the database holds. */
import { beforeEach, expect, test } from 'vitest';
import { approve } from '../../src/newsletter/approve.ts';
import { metrics } from '../../src/newsletter/metrics.ts';
import { planDue } from '../../src/newsletter/schedule.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { metricsServer } from '../../src/web/metrics.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const DAY = 86_400_000;
const SLOT = Date.parse('2026-11-22T01:00:00Z');
let newsletter: TestNewsletter;

beforeEach(async () => {
  newsletter = await openTestNewsletter({ now: SLOT - DAY });
  for (const address of ['ana@gmail.com', 'bo@gmail.com', 'cy@qq.com'])
    await addSubscriber(newsletter, { address, name: null });
  writeIssue(newsletter.dir, 'w4', { date: '2026-11-22' });
  await planDue(newsletter);
});

/** Values by series, without the newsletter's own label. */
async function values(): Promise<Record<string, number>> {
  const lines = (await metrics(newsletter)).split('\n').filter((line) => line && line[0] !== '#');
  return Object.fromEntries(
    lines.map((line) => {
      const [series = '', value] = line.split(/ (?=\S+$)/);
      expect(series).toContain('newsletter="ai-weekly"');
      return [series.replace(/,?newsletter="ai-weekly"/, ''), Number(value)];
    }),
  );
}

test('say whether the next slot has an issue', async () => {
  expect(await values()).toMatchObject({
    'broadsheet_next_slot_seconds{}': SLOT / 1000,
    'broadsheet_next_slot_ready{}': 0,
    'broadsheet_subscribers{state="active"}': 3,
  });
  await approve(newsletter, 'w4');
  expect(await values()).toMatchObject({ 'broadsheet_next_slot_ready{}': 1 });
});

test('count deliveries by campaign, provider and state, and forget a campaign after 30 days', async () => {
  await approve(newsletter, 'w4');
  newsletter.advance(DAY);
  await planDue(newsletter);
  const series = (provider: string) =>
    `broadsheet_deliveries{campaign="1",issue="w4",channel="outbox",provider="${provider}",state="queued"}`;
  expect(await values()).toMatchObject({
    [series('gmail')]: 2,
    [series('qq')]: 1,
    'broadsheet_campaigns{state="sending"}': 1,
    'broadsheet_slots{state="sending"}': 1,
  });
  await newsletter.db
    .updateTable('campaigns')
    .set({ state: 'finished', finished_at: newsletter.clock() })
    .execute();
  newsletter.advance(31 * DAY);
  expect(await values()).not.toHaveProperty([series('gmail')]);
});

test('are served in the format of Prometheus, with those of the process, and nothing else is', async () => {
  const app = metricsServer(newsletter);
  const answer = await app.inject('/metrics');
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.body).toMatch(/^process_resident_memory_bytes\{.*\} \d+$/m);
  expect((await app.inject('/')).statusCode).toBe(404);
  expect((await app.inject({ method: 'POST', url: '/metrics' })).statusCode).toBe(404);
});
