/** What the desk is told: how far issues have come, when mails went, how the list grew, what changed since the last. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { listGrowth } from '../../src/audience/growth.ts';
import { addSubscriber } from '../../src/audience/subscribers.ts';
import { campaignPace } from '../../src/delivery/pace.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { compareWithLastSent } from '../../src/newsletter/compare.ts';
import { sha256 } from '../../src/newsletter/draft.ts';
import { excerptOf } from '../../src/newsletter/excerpt.ts';
import { issueList } from '../../src/newsletter/issue-list.ts';
import { outboxList, outboxMail } from '../../src/newsletter/outbox.ts';
import { prepareCampaign } from '../../src/newsletter/send.ts';
import { removeSubscriber } from '../../src/newsletter/subscribers.ts';
import { work } from '../../src/newsletter/worker.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const ID = '2026-11-w4';
const DAY = 86_400_000;

let newsletter: TestNewsletter;
let file: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  writeIssue(newsletter.dir, ID);
  file = join(newsletter.dir, 'issues', ID, 'issue.md');
});

async function join3() {
  const { db, settings, clock, random } = newsletter;
  for (const name of ['ann', 'bo', 'chen'])
    await addSubscriber(
      db,
      { newsletter: settings.slug, address: `${name}@example.com`, name: null, source: 'test' },
      { now: clock(), random },
    );
}

async function send() {
  await approve(newsletter, ID);
  const plan = await prepareCampaign(newsletter, { issue: ID });
  await inTransaction(newsletter.db, async (trx) => void (await plan(trx)));
  await work(newsletter, { signal: new AbortController().signal, once: true });
}

const state = async () => (await issueList(newsletter))[0]?.state;

test('an issue is a draft, edited, approved, sent', async () => {
  const draftFile = join(newsletter.dir, 'issues', ID, 'draft.json');
  const hash = sha256(readFileSync(file, 'utf8'));
  writeFileSync(draftFile, `{\n  "sources": [],\n  "items": [],\n  "hash": "${hash}"\n}\n`);
  expect(await state()).toBe('draft');
  writeFileSync(file, readFileSync(file, 'utf8').replace('Words.', 'Other words.'));
  expect(await state()).toBe('edited');
  await approve(newsletter, ID);
  expect(await state()).toBe('approved');
  writeFileSync(file, readFileSync(file, 'utf8').replace('Other words.', 'Words.'));
  expect(await state()).toBe('edited');
  await join3();
  await send();
  expect(await state()).toBe('sent');
});

test('the stretches of a campaign’s pace add up to what was settled', async () => {
  await join3();
  await send();
  const { stretches, width } = await campaignPace(newsletter.db, 1);
  expect(stretches.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(3);
  expect(stretches[0]?.at).toBeLessThanOrEqual(newsletter.clock());
  expect(newsletter.clock() - (stretches[0]?.at ?? 0)).toBeLessThan(width);
});

test('the pace of a campaign that has sent nothing is empty', async () => {
  expect((await campaignPace(newsletter.db, 99)).stretches).toEqual([]);
});

test('the list grows by who joined and shrinks by who left, day by day', async () => {
  await join3();
  newsletter.advance(2 * DAY);
  await removeSubscriber(newsletter, 'bo@example.com');
  const growth = await listGrowth(newsletter.db, newsletter.settings.slug);
  expect(growth.map(({ joined, left, readers }) => [joined, left, readers])).toEqual([
    [3, 0, 3],
    [0, 1, 2],
  ]);
  expect((growth[1]?.at ?? 0) - (growth[0]?.at ?? 0)).toBe(2 * DAY);
});

test('what was sent last is compared by its words; a reader’s own links are no change', async () => {
  expect(await compareWithLastSent(newsletter, ID)).toBeNull();
  await join3();
  await send();
  const same = await compareWithLastSent(newsletter, ID);
  expect(same?.lines.filter(({ kind }) => kind !== 'same')).toEqual([]);
  writeFileSync(file, readFileSync(file, 'utf8').replace('Words.', 'Better words.'));
  const other = await compareWithLastSent(newsletter, ID);
  expect(other?.lines.filter(({ kind }) => kind !== 'same')).toEqual([
    { kind: 'gone', text: 'Words.' },
    { kind: 'new', text: 'Better words.' },
  ]);
});

test('the outbox is read by folder and address, and nothing beside it', async () => {
  expect(await outboxList(newsletter)).toMatchObject({ folders: [], count: 0 });
  await join3();
  await send();
  const list = await outboxList(newsletter, { search: 'CHEN@' });
  expect(list).toMatchObject({ folder: 'campaign-1', count: 1 });
  expect(list.mails[0]).toMatchObject({ to: 'chen@example.com', subject: `Issue ${ID}` });
  const mail = await outboxMail(newsletter, list.mails[0]?.name ?? '');
  expect(mail.html).toContain('Words.');
  expect(mail.head).toMatch(/^To: <chen@example\.com>$/m);
  for (const name of ['../broadsheet.db', 'campaign-1/../../x.eml', 'campaign-1', ''])
    await expect(outboxMail(newsletter, name)).rejects.toMatchObject({ code: 'mail-missing' });
});

test('an excerpt is of files that people write, never of secrets', () => {
  const { dir } = newsletter;
  expect(excerptOf(dir, { file: `issues/${ID}/issue.md`, line: 2 })).toEqual({
    from: 1,
    lines: expect.arrayContaining([`title: Issue ${ID}`]),
  });
  writeFileSync(join(dir, 'config/.env'), 'SMTP_URL=secret\n');
  for (const name of ['config/.env', '../etc/passwd.md', 'issues/../config/.env', 'var/x.md'])
    expect(excerptOf(dir, { file: name, line: 1 })).toBeUndefined();
});
