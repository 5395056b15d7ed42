/** What the editor is told without asking: once each, by mail and by webhook. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readMessage } from '../../src/message/read.ts';
import { tellEditor } from '../../src/newsletter/alerts.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { control } from '../../src/newsletter/campaigns.ts';
import { planDue, runDue } from '../../src/newsletter/schedule.ts';
import { keepSchedule } from '../../src/newsletter/serve.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const HOUR = 3_600_000;
/** Sundays at nine in Shanghai. */
const SLOT = Date.parse('2026-11-22T01:00:00Z');
let newsletter: TestNewsletter;

beforeEach(async () => {
  newsletter = await openTestNewsletter({
    now: SLOT - 48 * HOUR,
    settings: (settings) => ({ ...settings, editor: 'editor@example.com', language: 'en' }),
  });
  await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
  writeIssue(newsletter.dir, 'w4', { date: '2026-11-22' });
  await planDue(newsletter);
});

const moveTo = (time: number) => newsletter.advance(time - newsletter.clock());

/** The mails that the editor got, oldest first. */
async function mails() {
  const folder = join(newsletter.stateDir, 'outbox', 'alerts');
  const files = readdirSync(folder, { withFileTypes: true }).filter((file) => file.isFile());
  const read = files
    .filter(({ name }) => name.endsWith('.eml'))
    .map(({ name }) => readMessage(readFileSync(join(folder, name))));
  return Promise.all(read);
}

const told = () =>
  newsletter.db
    .selectFrom('alerts')
    .select(['key', 'subject'])
    .where('told_at', 'is not', null)
    .orderBy('id')
    .execute();

describe('a slot without an approved issue', () => {
  test('is told 24 hours and 2 hours before, each once', async () => {
    moveTo(SLOT - 25 * HOUR);
    expect(await tellEditor(newsletter)).toBe(0);
    moveTo(SLOT - 24 * HOUR);
    expect([await tellEditor(newsletter), await tellEditor(newsletter)]).toEqual([1, 0]);
    moveTo(SLOT - 3 * HOUR);
    expect(await tellEditor(newsletter)).toBe(0);
    moveTo(SLOT - 2 * HOUR);
    expect([await tellEditor(newsletter), await tellEditor(newsletter)]).toEqual([1, 0]);
    const [first] = await mails();
    expect(first?.subject).toBe('AI大模型周报: nothing to send yet at 2026-11-22 09:00');
    expect(first?.text).toContain('not approved yet: w4');
  });

  test('is not told where there is one', async () => {
    await approve(newsletter, 'w4');
    moveTo(SLOT - 2 * HOUR);
    expect(await tellEditor(newsletter)).toBe(0);
  });

  test('is told when it has passed', async () => {
    moveTo(SLOT + 1);
    await planDue(newsletter);
    await tellEditor(newsletter);
    expect(await told()).toMatchObject([
      { key: 'slot ai-weekly@2026-11-22T09:00[Asia/Shanghai] skipped' },
    ]);
  });
});

test('a slot that cannot be planned is told once a day, with the reason', async () => {
  await approve(newsletter, 'w4');
  moveTo(SLOT);
  // Nobody signs: by SMTP no campaign starts (D-13).
  const { delivery } = newsletter.settings;
  newsletter.secrets = { smtpUrl: 'smtp://127.0.0.1:9' };
  const byRelay = { ...newsletter.settings, delivery: { ...delivery, channel: 'smtp' as const } };
  const settings = newsletter.settings;
  for (let minute = 0; minute < 3; minute += 1) {
    newsletter.settings = byRelay;
    await expect(keepSchedule(newsletter)).rejects.toThrow();
    newsletter.advance(60_000);
  }
  newsletter.settings = settings;
  await tellEditor(newsletter);
  expect(await told()).toMatchObject([{ subject: 'AI大模型周报: the schedule cannot be kept' }]);
});

describe('a campaign', () => {
  test('is told at its beginning and at its end, with its numbers', async () => {
    await approve(newsletter, 'w4');
    moveTo(SLOT);
    await runDue(newsletter, new AbortController().signal);
    expect(await tellEditor(newsletter)).toBe(2);
    expect((await told()).map(({ subject }) => subject)).toEqual([
      'AI大模型周报: w4 is being sent to 1 readers',
      'AI大模型周报: w4 has been sent',
    ]);
    const last = (await mails()).find(({ subject }) => subject.endsWith('has been sent'));
    expect(last?.text).toMatch(/^accepted 1$/m);
    expect(last?.text).toContain('broadsheet campaigns show 1');
  });

  test('is told when it pauses, and no day-old news', async () => {
    await approve(newsletter, 'w4');
    moveTo(SLOT);
    await planDue(newsletter);
    moveTo(SLOT + 25 * HOUR);
    await control(newsletter, '1', 'pause');
    await tellEditor(newsletter);
    expect(await told()).toMatchObject([{ subject: 'AI大模型周报: w4 is paused' }]);
  });
});

describe('a webhook', () => {
  /** Answers each request with the next of these. */
  async function hook(statuses: number[]) {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(statuses.shift() ?? 200).end();
      });
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    newsletter.secrets = { alertWebhook: `http://127.0.0.1:${port}/secret-path` };
    return bodies;
  }

  test('gets the same as JSON, and again where it failed', async () => {
    const bodies = await hook([500]);
    newsletter.settings = { ...newsletter.settings, editor: undefined };
    moveTo(SLOT - HOUR);
    expect([
      await tellEditor(newsletter),
      await tellEditor(newsletter),
      await tellEditor(newsletter),
    ]).toEqual([0, 1, 0]);
    expect(bodies).toHaveLength(2);
    expect(JSON.parse(bodies[1] as string)).toMatchObject({
      newsletter: 'ai-weekly',
      subject: 'AI大模型周报: nothing to send yet at 2026-11-22 09:00',
      at: '2026-11-22T00:00:00.000Z',
    });
  });

  test('that cannot be reached is never named in the log: its address is a secret', async () => {
    const lines: string[] = [];
    newsletter.log = {
      ...newsletter.log,
      warn: (fields, message) => void lines.push(JSON.stringify([fields, message])),
    };
    newsletter.secrets = { alertWebhook: 'http://127.0.0.1:9/secret-path' };
    moveTo(SLOT - HOUR);
    expect(await tellEditor(newsletter)).toBe(0);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('secret-path');
  });
});

test('nobody is told where there is nobody to tell', async () => {
  newsletter.settings = { ...newsletter.settings, editor: undefined };
  moveTo(SLOT - HOUR);
  expect(await tellEditor(newsletter)).toBe(0);
  expect(await newsletter.db.selectFrom('alerts').selectAll().execute()).toEqual([]);
});
