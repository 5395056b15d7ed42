/** The list as its keeper works with it: files, segments, and a reader who wants to be forgotten. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { suppressionOf } from '../../src/audience/suppression.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { forget } from '../../src/newsletter/forget.ts';
import { importFile, importFromListmonk } from '../../src/newsletter/import.ts';
import { dryRun, freeze, send } from '../../src/newsletter/send.ts';
import {
  addSubscriber,
  countReaders,
  eachSubscriber,
  exportOne,
  showSubscriber,
  tagSubscriber,
} from '../../src/newsletter/subscribers.ts';
import { work } from '../../src/newsletter/worker.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

let newsletter: TestNewsletter;
beforeEach(async () => {
  newsletter = await openTestNewsletter({
    settings: (settings) => ({
      ...settings,
      fields: { plan: ['free', 'paid'] },
      segments: {
        paying: { field: 'plan', is: 'paid' },
        free: { field: 'plan', is: 'free' },
      },
    }),
  });
});

const add = (name: string, plan: string) =>
  addSubscriber(newsletter, { address: `${name}@example.com`, name, fields: { plan } });

function file(name: string, text: string): string {
  const path = join(newsletter.dir, name);
  writeFileSync(path, text);
  return path;
}

async function sendTo(segment?: string): Promise<void> {
  writeIssue(newsletter.dir, 'one');
  await approve(newsletter, 'one', 'editor@example.com');
  await freeze(newsletter, { issue: 'one', segment });
  await work(newsletter, { signal: new AbortController().signal, once: true });
}

const addresses = async (segment?: string) => {
  const found = [];
  for await (const { address } of eachSubscriber(newsletter, { segment })) found.push(address);
  return found;
};

describe('an import of a file', () => {
  test('writes what it refused into a report, with line and reason, that no spreadsheet runs', async () => {
    const path = file('readers.csv', 'email,plan\nana@example.com,paid\n=cmd(),free\n,free\n');
    const result = await importFile(newsletter, path, {});
    expect(result).toMatchObject({ added: 1, refused: 2 });
    expect(result.report).toBe(join(newsletter.stateDir, 'imports', 'readers.refused.csv'));
    expect(readFileSync(result.report ?? '', 'utf8').split('\n')).toEqual([
      'line,reason,value',
      '3,"""=cmd()"" is no email address","\'=cmd(),free"',
      '4,no address,",free"',
      '',
    ]);
    // The next import of it takes the old report away.
    file('readers.csv', 'email,plan\nana@example.com,paid\n');
    const again = await importFile(newsletter, path, {});
    expect(again).toMatchObject({ existing: 1, refused: 0, report: null });
    expect(existsSync(result.report ?? '')).toBe(false);
  });

  test('that breaks off half-way changes nothing', async () => {
    const many = Array.from({ length: 30_000 }, (_, at) => `r${at}@example.com,free\n`).join('');
    const path = file('readers.csv', `email,plan\n${many}"open,free\n`);
    await expect(importFile(newsletter, path, {})).rejects.toMatchObject({
      code: 'csv-unreadable',
      problems: [{ line: 30_002 }],
    });
    expect(await addresses()).toEqual([]);
  });

  test('is sorted in pieces where it is long, and each reader comes out once', async () => {
    const rows = Array.from(
      { length: 120_000 },
      (_, at) => `r${(at * 7919) % 110_000}@example.com`,
    );
    const path = file('readers.csv', `email\n${rows.join('\n')}\n`);
    const dry = await importFile(newsletter, path, { dryRun: true });
    const real = await importFile(newsletter, path, {});
    expect(real).toEqual(dry);
    expect(real).toMatchObject({ added: 110_000, repeated: 10_000 });
    expect(await countReaders(newsletter, {})).toMatchObject({ active: 110_000 });
    expect(await importFile(newsletter, path, {})).toMatchObject({ added: 0, existing: 110_000 });
    const ids = await newsletter.db.selectFrom('subscribers').select('public_id').execute();
    expect(ids.every(({ public_id }) => /^[\w-]{22}$/.test(public_id))).toBe(true);
  }, 120_000);

  test.each([
    [{ from: 'mailman' }, 'tool-unknown'],
    [{ state: 'sleeping' }, 'state-unknown'],
    [{ tags: ['two words'] }, 'tag-invalid'],
    [{ language: '1; drop' }, 'language-invalid'],
  ])('with %j is refused before anything is read', async (options, code) => {
    const path = file('readers.csv', 'email\nana@example.com\n');
    await expect(importFile(newsletter, path, options)).rejects.toMatchObject({
      kind: 'input',
      code,
    });
    expect(await addresses()).toEqual([]);
  });

  test('from listmonk needs its address in the environment', async () => {
    expect(() => importFromListmonk(newsletter, {})).toThrow(/LISTMONK_DATABASE_URL/);
  });
});

describe('a segment', () => {
  beforeEach(async () => {
    await add('ana', 'paid');
    await add('ben', 'free');
    await add('cem', 'paid');
  });

  test('is listed and counted', async () => {
    expect(await addresses('paying')).toEqual(['ana@example.com', 'cem@example.com']);
    expect(await countReaders(newsletter, { segment: 'paying' })).toEqual({
      segment: 'paying',
      active: 2,
      pending: 0,
      unsubscribed: 0,
    });
    expect(() => eachSubscriber(newsletter, { segment: 'payng' })).toThrow(
      /Segments: paying, free/,
    );
  });

  test('is sent to, and nobody else; the campaign remembers it', async () => {
    writeIssue(newsletter.dir, 'one');
    const preview = await dryRun(newsletter, { issue: 'one', segment: 'paying' });
    expect(preview).toMatchObject({ recipients: 2, excluded: { 'not in the segment': 1 } });
    await sendTo('paying');
    const sent = await newsletter.db
      .selectFrom('deliveries')
      .select('address')
      .orderBy('id')
      .execute();
    expect(sent.map(({ address }) => address)).toEqual(['ana@example.com', 'cem@example.com']);
    const { audience } = await newsletter.db
      .selectFrom('campaigns')
      .select('audience')
      .executeTakeFirstOrThrow();
    expect(JSON.parse(audience)).toMatchObject({ segment: 'paying' });
    const rest = await freeze(newsletter, { issue: 'one', newReaders: true });
    expect(rest.planned).toBe(1);
  });

  test('of a campaign that is open or finished is not taken for another one', async () => {
    await sendTo('paying');
    const talk = {
      confirm: async () => true,
      onPlan: () => {},
      onProgress: () => {},
      signal: new AbortController().signal,
    };
    const sendToFree = (newReaders = false) =>
      send(newsletter, { issue: 'one', segment: 'free', newReaders }, talk);
    await newsletter.db.updateTable('campaigns').set({ state: 'sending' }).execute();
    for (const newReaders of [false, true])
      await expect(sendToFree(newReaders)).rejects.toMatchObject({
        kind: 'blocked',
        code: 'campaign-of-others',
        message: expect.stringMatching(
          /Campaign 1 sends one to the segment "paying", not to the segment "free", and is not finished\n.*send one --segment paying.*campaigns cancel 1/,
        ),
      });
    await newsletter.db.updateTable('campaigns').set({ state: 'finished' }).execute();
    await expect(sendToFree()).rejects.toThrow(/broadsheet send one --segment free --new-readers/);
    const same = { issue: 'one', segment: 'paying' };
    expect(await send(newsletter, same, talk)).toMatchObject({ began: 'already' });
    expect(await send(newsletter, { issue: 'one' }, talk)).toMatchObject({
      began: 'already',
      progress: { segment: 'paying' },
    });
  });

  test('that is unknown stops the send before anything is planned', async () => {
    writeIssue(newsletter.dir, 'one');
    await expect(freeze(newsletter, { issue: 'one', segment: 'none' })).rejects.toMatchObject({
      code: 'segment-unknown',
    });
  });

  test('tags are given and taken away', async () => {
    await tagSubscriber(newsletter, 'ana@example.com', { add: ['vip', 'press'] });
    const { tags } = await tagSubscriber(newsletter, 'ANA@example.com', { remove: ['press'] });
    expect(tags).toEqual(['vip']);
    await expect(
      tagSubscriber(newsletter, 'ana@example.com', { add: ['a,b'] }),
    ).rejects.toMatchObject({ code: 'tag-invalid' });
  });
});

describe('D-75: a reader', () => {
  beforeEach(async () => {
    await add('ana', 'paid');
    await add('ben', 'free');
    await sendTo();
  });

  test('is shown with consent, every delivery and reply', async () => {
    const shown = await showSubscriber(newsletter, 'ana@example.com');
    expect(shown).toMatchObject({
      fields: { plan: 'paid' },
      suppressed: null,
      consents: [{ event: 'subscribed', via: 'cli' }],
      deliveries: [{ issue: 'one', state: 'accepted', unsuccessful: [] }],
    });
    const all = await exportOne(newsletter, 'ana@example.com');
    expect(all.subscriptions).toMatchObject([{ newsletter: 'ai-weekly', name: 'ana' }]);
  });

  /** A confirmation on its way, a request nobody has looked at, and a report that came back. */
  async function leaveTraces(address: string): Promise<void> {
    const { db, settings } = newsletter;
    const { id } = await db
      .selectFrom('subscribers')
      .select('id')
      .where('address', '=', address)
      .executeTakeFirstOrThrow();
    const own = { newsletter: settings.slug, subscriber_id: id, address, detail: null };
    await db
      .insertInto('notices')
      .values({ ...own, kind: 'confirm', language: 'en', created_at: 1 })
      .execute();
    const link = { token_hash: 'x', mailed_at: 1, expires_at: 2, used_at: null };
    await db
      .insertInto('confirmations')
      .values({ ...own, kind: 'subscribe', ...link })
      .execute();
    await db
      .insertInto('signups')
      .values({
        newsletter: settings.slug,
        kind: 'subscribe',
        address,
        subscriber_id: null,
        language: 'en',
        source: 'form',
        wording: null,
        at: 1,
      })
      .execute();
    await db
      .insertInto('bounces')
      .values({
        newsletter: settings.slug,
        report: 'x',
        part: 0,
        origin: `/mail/${address}`,
        subject: `Undeliverable: ${address}`,
        delivery_id: null,
        campaign_id: null,
        subscriber_id: id,
        known_by: null,
        kind: 'hard',
        reason: 'hard-bounce',
        status: null,
        reply: `550 <${address}>`,
        effect: null,
        at: 1,
      })
      .execute();
  }

  test('is forgotten to a hash: in tables, outbox and reports, and told where to look beyond', async () => {
    mkdirSync(join(newsletter.stateDir, 'imports'));
    const report = join(newsletter.stateDir, 'imports', 'x.refused.csv');
    writeFileSync(report, 'line,reason,value\n2,why,ANA@example.com\n3,why,ben@example.com\n');
    await leaveTraces('ana@example.com');
    const forgotten = await forget(newsletter, 'Ana@example.com');
    expect(forgotten).toMatchObject({
      rows: {
        subscribers: 1,
        consents: 1,
        deliveries: 1,
        notices: 1,
        confirmations: 1,
        bounces: 1,
      },
      outbox: [expect.stringMatching(/ana@example\.com\.eml$/)],
      reports: [join('imports', 'x.refused.csv')],
    });
    expect(forgotten.elsewhere.join()).toMatch(/logs.*backups/);
    for (const table of [
      'subscribers',
      'consents',
      'deliveries',
      'attempts',
      'suppressions',
      'signups',
      'notices',
      'confirmations',
      'bounces',
    ] as const) {
      const rows = await newsletter.db.selectFrom(table).selectAll().execute();
      expect(JSON.stringify(rows).toLowerCase()).not.toContain('ana@');
    }
    expect(readFileSync(report, 'utf8')).toBe('line,reason,value\n3,why,ben@example.com\n');
    const mails = readdirSync(join(newsletter.stateDir, 'outbox'), { recursive: true }).join();
    expect(mails).not.toContain('ana@');
    expect(mails).toContain('ben@');
    expect(await suppressionOf(newsletter.db, 'ana@example.com')).toBe('erased');
  });

  test('who is forgotten is counted by the campaign, and by nothing else; and no import brings them back', async () => {
    await forget(newsletter, 'ana@example.com');
    expect(await addresses()).toEqual(['ben@example.com']);
    expect(await countReaders(newsletter, {})).toMatchObject({ active: 1, unsubscribed: 0 });
    const { planned } = await newsletter.db
      .selectFrom('campaigns')
      .select('planned')
      .executeTakeFirstOrThrow();
    const rows = await newsletter.db.selectFrom('deliveries').select('id').execute();
    expect(rows).toHaveLength(planned);
    const path = file('readers.csv', 'email\nana@example.com\n');
    expect(await importFile(newsletter, path, {})).toMatchObject({ added: 0, suppressed: 1 });
    // A second time there is nothing left to erase.
    expect(await forget(newsletter, 'ana@example.com')).toMatchObject({ rows: {}, outbox: [] });
    await expect(showSubscriber(newsletter, 'ana@example.com')).rejects.toMatchObject({
      code: 'reader-unknown',
    });
  });

  test('whose mail waits when they are forgotten does not get it', async () => {
    writeIssue(newsletter.dir, 'two');
    await approve(newsletter, 'two', 'editor@example.com');
    await freeze(newsletter, { issue: 'two' });
    await forget(newsletter, 'ana@example.com');
    await work(newsletter, { signal: new AbortController().signal, once: true });
    const states = await newsletter.db
      .selectFrom('deliveries')
      .select(['state', 'address'])
      .where('issue', '=', 'two')
      .orderBy('id')
      .execute();
    expect(states).toEqual([
      { state: 'suppressed', address: null },
      { state: 'accepted', address: 'ben@example.com' },
    ]);
  });
});
