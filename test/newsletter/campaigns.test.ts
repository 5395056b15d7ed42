/** The hands on a campaign that is under way: a mistake found after half is sent, and what nobody knows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readMessage } from '../../src/message/read.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { campaign, control, resolve, unknown } from '../../src/newsletter/campaigns.ts';
import { amend, freeze, send } from '../../src/newsletter/send.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const ISSUE = '2026-11-w4';
const READERS = ['ana@example.com', 'ben@example.com', 'chi@example.com', 'dee@example.com'];
let newsletter: TestNewsletter;
let id: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  for (const address of READERS) await addSubscriber(newsletter, { address, name: null });
  writeIssue(newsletter.dir, ISSUE, { body: 'First words.' });
  await approve(newsletter, ISSUE);
  id = String((await freeze(newsletter, { issue: ISSUE })).campaignId);
});

const talk = () => ({
  confirm: async () => true,
  onPlan: () => {},
  onProgress: () => {},
  signal: new AbortController().signal,
});

async function correct(): Promise<void> {
  writeIssue(newsletter.dir, ISSUE, { body: 'Corrected words.' });
  await approve(newsletter, ISSUE);
}

/** As if the sender had been at work: the state of each reader's delivery, in order. */
async function attempted(...states: string[]): Promise<void> {
  const rows = await newsletter.db.selectFrom('deliveries').select('id').orderBy('id').execute();
  for (const [at, state] of states.entries()) {
    await newsletter.db
      .updateTable('deliveries')
      .set({
        state: state as 'accepted',
        attempts: 1,
        attempted_at: newsletter.clock(),
        settled_at: 1,
      })
      .where('id', '=', rows[at]?.id ?? 0)
      .execute();
  }
}

async function wordsOf(address: string): Promise<string> {
  const folder = join(newsletter.stateDir, 'outbox', `campaign-${id}`);
  const file = readdirSync(folder).find((name) => name.includes(address)) as string;
  const { text } = await readMessage(readFileSync(join(folder, file)));
  return /(First|Corrected) words/.exec(text)?.[0] ?? '';
}

describe('amend', () => {
  test('gives the corrected words to those who have not been attempted, and to nobody else', async () => {
    await attempted('accepted', 'deferred', 'unknown');
    await control(newsletter, id, 'pause');
    await correct();
    expect(await amend(newsletter, await campaign(newsletter, id))).toBe(1);
    await resolve(newsletter, id, 'resend');
    await control(newsletter, id, 'resume');
    await send(newsletter, { issue: ISSUE }, talk());
    expect(await wordsOf('dee')).toBe('Corrected words');
    // Deferred and unknown readers keep the bytes that may have reached them already (I11).
    expect(await wordsOf('ben')).toBe('First words');
    expect(await wordsOf('chi')).toBe('First words');
  });

  test('needs a pause, an approval and a file without marks', async () => {
    await correct();
    const paused = async () => campaign(newsletter, id);
    await expect(amend(newsletter, await paused())).rejects.toMatchObject({
      kind: 'blocked',
      code: 'campaign-not-paused',
      message: expect.stringContaining(`campaigns pause ${id}`),
    });
    await control(newsletter, id, 'pause');
    writeIssue(newsletter.dir, ISSUE, { body: 'Not looked at.' });
    await expect(amend(newsletter, await paused())).rejects.toMatchObject({ code: 'not-approved' });
    writeIssue(newsletter.dir, ISSUE, { body: '<!-- check: sure? -->' });
    await expect(amend(newsletter, await paused())).rejects.toMatchObject({
      code: 'checks-failed',
    });
    expect(await newsletter.db.selectFrom('editions').select('id').execute()).toHaveLength(1);
  });
});

describe('resolve', () => {
  beforeEach(() => attempted('accepted', 'unknown', 'accepted', 'unknown'));

  test('lists of whom nobody knows', async () => {
    expect((await unknown(newsletter, id)).map(({ address }) => address)).toEqual([
      'ben@example.com',
      'dee@example.com',
    ]);
  });

  test.each(['accepted', 'failed'])('takes a person’s word for %s', async (verdict) => {
    const { resolved, progress } = await resolve(newsletter, id, verdict);
    expect(resolved).toBe(2);
    expect(progress.counts.unknown).toBe(0);
    expect(progress.counts[verdict as 'accepted' | 'failed']).toBe(verdict === 'accepted' ? 4 : 2);
    expect(await unknown(newsletter, id)).toEqual([]);
  });

  test('sends again on request, also when the campaign had finished', async () => {
    await newsletter.db
      .updateTable('campaigns')
      .set({ state: 'finished', finished_at: 1 })
      .execute();
    const { progress } = await resolve(newsletter, id, 'resend');
    expect(progress).toMatchObject({ state: 'sending', counts: { queued: 2, accepted: 2 } });
    await send(newsletter, { issue: ISSUE }, talk());
    expect((await campaign(newsletter, id)).counts.accepted).toBe(4);
    expect(readdirSync(join(newsletter.stateDir, 'outbox', `campaign-${id}`))).toHaveLength(2);
  });

  test('refuses any other word, and changes nothing', async () => {
    await expect(resolve(newsletter, id, 'maybe')).rejects.toMatchObject({
      kind: 'input',
      code: 'verdict-unknown',
    });
    expect(await unknown(newsletter, id)).toHaveLength(2);
  });
});
