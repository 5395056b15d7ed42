import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readMessage } from '../../src/message/read.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { control } from '../../src/newsletter/campaigns.ts';
import { dryRun, freeze, type SendTalk, send } from '../../src/newsletter/send.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { testSend } from '../../src/newsletter/test-send.ts';
import { unsubscribe } from '../../src/newsletter/unsubscribe.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const ID = '2026-11-w4';
let newsletter: TestNewsletter;
let questions: string[];

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  questions = [];
  writeIssue(newsletter.dir, ID);
  for (const address of ['ana@example.com', 'ben@example.com', 'chi@example.com'])
    await addSubscriber(newsletter, { address, name: null });
});

function talk(answer = true, signal = new AbortController().signal): SendTalk {
  return {
    confirm: async (question) => {
      questions.push(question);
      return answer;
    },
    onPlan: () => {},
    onProgress: () => {},
    signal,
  };
}

const outbox = (campaign: number) => join(newsletter.stateDir, 'outbox', `campaign-${campaign}`);
const mailsOf = (campaign: number) =>
  existsSync(outbox(campaign)) ? readdirSync(outbox(campaign)) : [];
const campaigns = () => newsletter.db.selectFrom('campaigns').selectAll().execute();

describe('send', () => {
  test('asks once, naming subject and readers; approves, mails everybody, and accounts for each', async () => {
    const { campaign, began, progress } = await send(newsletter, { issue: ID }, talk());
    expect(questions).toHaveLength(1);
    expect(questions[0]).toMatch(/"Issue 2026-11-w4" to 3 readers by outbox.*approves/s);
    expect(began).toBe('new');
    expect(progress).toMatchObject({ state: 'finished', planned: 3, counts: { accepted: 3 } });
    expect(mailsOf(campaign)).toHaveLength(3);
  });

  test('of a finished issue reports it, asks nothing and sends nothing', async () => {
    const first = await send(newsletter, { issue: ID }, talk());
    questions = [];
    const second = await send(newsletter, { issue: ID }, talk());
    expect(second).toMatchObject({ campaign: first.campaign, began: 'already' });
    expect(questions).toEqual([]);
    expect(mailsOf(first.campaign)).toHaveLength(3);
    expect(await campaigns()).toHaveLength(1);
  });

  test('with new readers mails those only who have no row', async () => {
    await send(newsletter, { issue: ID }, talk());
    await addSubscriber(newsletter, { address: 'dee@example.com', name: null });
    const more = await send(newsletter, { issue: ID, newReaders: true }, talk());
    expect(mailsOf(more.campaign)).toEqual([expect.stringContaining('dee@example.com')]);
    await expect(send(newsletter, { issue: ID, newReaders: true }, talk())).rejects.toMatchObject({
      code: 'nobody-to-send-to',
    });
  });

  test('goes on with what was frozen, though the file has changed since', async () => {
    await approve(newsletter, ID);
    const { campaignId } = await freeze(newsletter, { issue: ID });
    writeIssue(newsletter.dir, ID, { body: 'Other words.' });
    const resumed = await send(newsletter, { issue: ID }, talk());
    expect(resumed).toMatchObject({ campaign: campaignId, began: 'resumed' });
    const [file] = mailsOf(campaignId);
    const { text } = await readMessage(readFileSync(join(outbox(campaignId), file as string)));
    expect(text).toContain('Words.');
    expect(text).not.toContain('Other words.');
  });

  test('comes back at once from a paused campaign, and goes on when it is resumed', async () => {
    await approve(newsletter, ID);
    const { campaignId } = await freeze(newsletter, { issue: ID });
    await control(newsletter, String(campaignId), 'pause');
    const paused = await send(newsletter, { issue: ID }, talk());
    expect(paused.progress).toMatchObject({ state: 'paused', counts: { queued: 3 } });
    await control(newsletter, String(campaignId), 'resume');
    const done = await send(newsletter, { issue: ID }, talk());
    expect(done.progress).toMatchObject({ state: 'finished', counts: { accepted: 3 } });
  });

  test('after a cancelled campaign plans anew, for readers without a mail', async () => {
    await approve(newsletter, ID);
    const { campaignId } = await freeze(newsletter, { issue: ID });
    await control(newsletter, String(campaignId), 'cancel');
    const anew = await send(newsletter, { issue: ID }, talk());
    expect(anew.campaign).not.toBe(campaignId);
    expect(anew.progress.counts.accepted).toBe(3);
  });

  test('asks again for an issue that is older than 30 days', async () => {
    writeIssue(newsletter.dir, ID, { date: '2026-10-01' });
    await send(newsletter, { issue: ID }, talk());
    expect(questions).toHaveLength(2);
    expect(questions[0]).toContain('more than 30 days ago');
  });

  test('leaves out who has unsubscribed by the link in a mail', async () => {
    const first = await send(newsletter, { issue: ID }, talk());
    const file = mailsOf(first.campaign).find((name) => name.includes('ben')) as string;
    const { text } = await readMessage(readFileSync(join(outbox(first.campaign), file)));
    const token = /\/u\/([\w.~-]+)/.exec(text)?.[1] as string;
    expect(await unsubscribe(newsletter, { token, via: 'one-click' })).toMatchObject({
      subscribed: false,
    });
    writeIssue(newsletter.dir, 'next');
    const second = await send(newsletter, { issue: 'next' }, talk());
    expect(mailsOf(second.campaign).join()).not.toContain('ben');
    expect(second.progress.planned).toBe(2);
  });
});

describe('send changes nothing', () => {
  const refused = async (attempt: Promise<unknown>, code: string) => {
    await expect(attempt).rejects.toMatchObject({ kind: 'blocked', code });
    expect(await campaigns()).toEqual([]);
    expect(existsSync(join(newsletter.stateDir, 'outbox'))).toBe(false);
  };

  test('when the person says no; the issue is not approved either', async () => {
    await refused(send(newsletter, { issue: ID }, talk(false)), 'not-confirmed');
    expect(readFileSync(join(newsletter.dir, 'issues', ID, 'issue.md'), 'utf8')).not.toContain(
      'approved:',
    );
  });

  test('when a mark is left to check', async () => {
    writeIssue(newsletter.dir, ID, { body: '<!-- check: sure? -->\n\nWords.' });
    await refused(send(newsletter, { issue: ID }, talk()), 'checks-failed');
  });

  test('when a picture has no description, unless it is allowed by name', async () => {
    writeIssue(newsletter.dir, ID, { body: '![](https://example.com/a.png)' });
    await refused(send(newsletter, { issue: ID }, talk()), 'checks-failed');
    const allow = ['image-without-alt'];
    await expect(dryRun(newsletter, { issue: ID, allow })).resolves.toMatchObject({
      recipients: 3,
    });
  });

  test('when a template has a mistake', async () => {
    const template = join(newsletter.dir, 'templates/weekly.txt.hbs');
    writeFileSync(template, `${readFileSync(template, 'utf8')}{{/each}}`);
    await expect(send(newsletter, { issue: ID }, talk())).rejects.toMatchObject({
      kind: 'input',
      problems: [{ file: 'templates/weekly.txt.hbs', line: expect.any(Number) }],
    });
    expect(await campaigns()).toEqual([]);
  });

  test('when there are no readers', async () => {
    await newsletter.db.updateTable('subscribers').set({ state: 'unsubscribed' }).execute();
    await refused(send(newsletter, { issue: ID }, talk()), 'nobody-to-send-to');
  });

  test('by SMTP while unsubscribing would not work (D-13): all that is missing is named', async () => {
    const { settings } = newsletter;
    const delivery = { ...settings.delivery, channel: 'smtp' as const };
    const site = { ...settings.site, url: 'http://localhost:8080' };
    const bySmtp = { ...newsletter, settings: { ...settings, delivery, site } };
    const attempt = send(bySmtp, { issue: ID }, talk());
    await expect(attempt).rejects.toThrow(/site\.url.*dkim\.signer.*SECRET_KEYS.*SMTP_URL/s);
    await refused(send(bySmtp, { issue: ID }, talk()), 'not-ready-for-smtp');
  });
});

describe('a dry run', () => {
  test('says what would happen, and writes nothing', async () => {
    await newsletter.db
      .updateTable('subscribers')
      .set({ state: 'unsubscribed' })
      .where('address', '=', 'chi@example.com')
      .execute();
    expect(await dryRun(newsletter, { issue: ID })).toMatchObject({
      issue: ID,
      recipients: 2,
      excluded: { unsubscribed: 1 },
      approved: false,
    });
    expect(await campaigns()).toEqual([]);
    expect(existsSync(join(newsletter.stateDir, 'outbox'))).toBe(false);
  });
});

describe('a test send', () => {
  test('is the real mail with a mark in its subject, and no delivery', async () => {
    const { signal } = new AbortController();
    const results = await testSend(newsletter, ID, ['me@example.com', 'you@example.com'], signal);
    expect(results.map(({ outcome }) => outcome.state)).toEqual(['accepted', 'accepted']);
    const folder = join(newsletter.stateDir, 'outbox', 'test');
    const mails = readdirSync(folder).map((file) => readFileSync(join(folder, file)));
    expect(mails).toHaveLength(2);
    const { subject, text } = await readMessage(mails[0] as Buffer);
    expect(subject).toMatch(/^\[Test\] Issue 2026-11-w4$/);
    expect(text).toContain('Words.');
    expect(await newsletter.db.selectFrom('deliveries').selectAll().execute()).toEqual([]);
  });

  test('works before the issue is approved or finished', async () => {
    writeIssue(newsletter.dir, ID, { body: '<!-- check: sure? -->\n\nWords.' });
    const { signal } = new AbortController();
    const [result] = await testSend(newsletter, ID, ['me@example.com'], signal);
    expect(result?.outcome.state).toBe('accepted');
  });

  test('refuses an address that is none, before anything is sent', async () => {
    const { signal } = new AbortController();
    await expect(
      testSend(newsletter, ID, ['me@example.com', 'nobody'], signal),
    ).rejects.toMatchObject({ kind: 'input' });
    expect(existsSync(join(newsletter.stateDir, 'outbox'))).toBe(false);
  });
});
