/** `bounces read`: from files, mboxes, Maildirs and a real IMAP server. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImapFlow } from 'imapflow';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { suppressionOf } from '../../src/audience/suppression.ts';
import { verpAddress } from '../../src/message/verp.ts';
import { readBounces } from '../../src/newsletter/bounces.ts';
import { campaignInFull } from '../../src/newsletter/campaigns.ts';
import { listBounces } from '../../src/newsletter/list-bounces.ts';
import { keepReading } from '../../src/newsletter/serve.ts';
import { addSubscriber, showSubscriber } from '../../src/newsletter/subscribers.ts';
import { verpOf } from '../../src/newsletter/worker.ts';
import { acquireLock } from '../../src/store/lock.ts';
import { plan } from '../support/campaign.ts';
import { broadsheet } from '../support/command.ts';
import { hasDovecot, startDovecot } from '../support/dovecot.ts';
import { databaseUrl, openTestNewsletter, temporaryDirectory } from '../support/newsletter.ts';
import { BOUNCE_ADDRESS, deliveryReport } from '../support/reports.ts';

const READERS = ['anna@example.com', 'ben@qq.com'];
const NO_TABLE = /no such table|does not exist/;
const PERSON = Buffer.from(
  'From: Anna <anna@example.com>\nTo: b@bounce.example.com\nSubject: Hello\n\nA question.\n',
);

/** A newsletter that has sent an issue to two readers by SMTP. */
async function world(imapUrl?: string) {
  const newsletter = await openTestNewsletter({
    settings: (settings) => ({
      ...settings,
      bounces: { ...settings.bounces, address: BOUNCE_ADDRESS },
    }),
  });
  if (imapUrl) newsletter.secrets.bouncesImapUrl = imapUrl;
  const { db, settings } = newsletter;
  for (const address of READERS) await addSubscriber(newsletter, { address, name: null });
  await plan(db, { newsletter: settings.slug }, {}, BOUNCE_ADDRESS);
  const now = newsletter.clock();
  await db.updateTable('deliveries').set({ state: 'accepted', attempted_at: now }).execute();
  const verp = verpOf(newsletter);
  if (!verp) throw new Error('no return paths');
  const report = (reader: 1 | 2, diagnostic?: string) =>
    deliveryReport({
      to: verpAddress(verp, reader),
      recipient: READERS[reader - 1] as string,
      ...(diagnostic ? { diagnostic, status: '5.0.0' } : {}),
    });
  return { newsletter, db, report };
}

const strange = Buffer.from(
  'From: MAILER-DAEMON@odd.example\nTo: b@bounce.example.com\nSubject: Delivery failure\n\nYour mail could not be delivered. Zyx.\n',
);

describe('bounces read', () => {
  test('a folder of messages: what they say, what followed, what a person has to look at', async () => {
    const { newsletter, report } = await world();
    const dir = temporaryDirectory();
    writeFileSync(join(dir, '1.eml'), report(1));
    writeFileSync(join(dir, '2.eml'), report(2, 'smtp; 550 5.2.2 mailbox full'));
    writeFileSync(join(dir, '3.eml'), strange);
    writeFileSync(join(dir, '4.eml'), PERSON);
    const seen: [number, number][] = [];
    const result = await readBounces(newsletter, { paths: [dir] }, (...at) => seen.push(at));
    expect(result).toMatchObject({
      read: 4,
      known: 0,
      kinds: { hard: 1, full: 1, unclassified: 1, mail: 1 },
      effects: { suppressed: 1, soft: 1, unsubscribed: 0, complaint: 0 },
      forPerson: [{ origin: join(dir, '3.eml'), kind: 'unclassified' }],
    });
    expect(seen.at(-1)).toEqual([4, 4]);
    expect(readdirSync(dir)).toHaveLength(4);
    expect(await listBounces(newsletter, { unclassified: true })).toMatchObject([
      { kind: 'unclassified', address: null, origin: join(dir, '3.eml') },
    ]);
    expect(await readBounces(newsletter, { paths: [dir] })).toMatchObject({ read: 4, known: 3 });
  });

  test('what is read shows at the reader and at the campaign; QQ reports no complaints', async () => {
    const { newsletter, report } = await world();
    const file = join(temporaryDirectory(), 'one.eml');
    writeFileSync(file, report(1));
    await readBounces(newsletter, { paths: [file] });
    expect(await showSubscriber(newsletter, 'anna@example.com')).toMatchObject({
      suppressed: 'hard-bounce',
      bounces: [{ issue: '2026-w47', kind: 'hard', effect: 'suppressed' }],
    });
    expect(await campaignInFull(newsletter, '1')).toMatchObject({
      bounces: { hard: 1 },
      silentOnComplaints: ['qq'],
    });
  });

  test('--dry-run says the same and writes nothing', async () => {
    const { newsletter, db, report } = await world();
    const dir = maildir({ a: report(1) });
    const result = await readBounces(newsletter, { paths: [dir], dryRun: true });
    expect(result.effects.suppressed).toBe(1);
    expect(await db.selectFrom('bounces').selectAll().execute()).toEqual([]);
    expect(readdirSync(join(dir, 'new'))).toEqual(['a']);
  });

  test('an mbox: each message, with ">From " as it was', async () => {
    const { newsletter, report } = await world();
    const path = join(temporaryDirectory(), 'mbox');
    const line = 'From MAILER-DAEMON Thu Nov 19 08:00:00 2026\n';
    const quoted = PERSON.toString().replace('A question.', '>From me\n\nFrom nowhere');
    writeFileSync(path, `${line}${report(1)}\n\n${line}${quoted}\n${line}${report(2)}\n`);
    const result = await readBounces(newsletter, { paths: [path] });
    expect(result).toMatchObject({ kinds: { hard: 2 }, effects: { suppressed: 2 } });
    expect(result.read).toBeGreaterThanOrEqual(3);
  });

  test('a Maildir: a report goes to cur and is marked as seen, a person’s mail stays new', async () => {
    const { newsletter, db, report } = await world();
    const dir = maildir({ a: report(1), b: PERSON });
    writeFileSync(join(dir, 'cur', 'c:2,F'), report(2));
    await readBounces(newsletter, { paths: [dir] });
    expect(readdirSync(join(dir, 'cur')).sort()).toEqual(['a:2,S', 'c:2,FS']);
    expect(readdirSync(join(dir, 'new'))).toEqual(['b']);
    expect(await db.selectFrom('suppressions').selectAll().execute()).toHaveLength(2);
  });

  test('killed between the database and the move: the next run only moves it', async () => {
    const { newsletter, db, report } = await world();
    const file = join(temporaryDirectory(), 'a.eml');
    writeFileSync(file, report(1));
    await readBounces(newsletter, { paths: [file] });
    const dir = maildir({ a: report(1) });
    expect(await readBounces(newsletter, { paths: [dir] })).toMatchObject({ read: 1, known: 1 });
    expect(readdirSync(join(dir, 'cur'))).toEqual(['a:2,S']);
    expect(await db.selectFrom('bounces').selectAll().execute()).toHaveLength(1);
  });

  test('where the database fails, nothing is put away: the next run finds it', async () => {
    const { newsletter, db, report } = await world();
    const dir = maildir({ a: report(1) });
    await db.schema.alterTable('bounces').renameTo('gone').execute();
    await expect(readBounces(newsletter, { paths: [dir] })).rejects.toThrow(NO_TABLE);
    expect(readdirSync(join(dir, 'new'))).toEqual(['a']);
    await sql`alter table gone rename to bounces`.execute(db);
    await readBounces(newsletter, { paths: [dir] });
    expect(await suppressionOf(db, 'anna@example.com')).toBe('hard-bounce');
  });

  test('a path that is not there is said before anything is written', async () => {
    const { newsletter, db, report } = await world();
    const dir = maildir({ a: report(1) });
    await expect(readBounces(newsletter, { paths: [dir, 'nowhere'] })).rejects.toThrow(
      'There is no file or folder nowhere',
    );
    expect(await db.selectFrom('bounces').selectAll().execute()).toEqual([]);
  });

  test('without a path and without a mailbox says what to set', async () => {
    const { newsletter } = await world();
    await expect(readBounces(newsletter, { paths: [] })).rejects.toThrow('BOUNCES_IMAP_URL');
  });

  test('as a command', async () => {
    const { newsletter, report } = await world();
    const file = join(temporaryDirectory(), 'one.eml');
    writeFileSync(file, report(1));
    const { dir, stateDir } = newsletter;
    const env = { DATABASE_URL: (await databaseUrl(stateDir)) ?? '' };
    const config = join(dir, 'config/newsletter.yaml');
    writeFileSync(
      config,
      `${readFileSync(config, 'utf8')}\nbounces:\n  address: ${BOUNCE_ADDRESS}\n`,
    );
    const words = await broadsheet(dir, ['bounces', 'read', file], env);
    expect(words).toMatchObject({ code: 0 });
    expect(words.stdout).toContain('1  suppressed: no such mailbox');
    const again = await broadsheet(dir, ['bounces', 'read', file, '--json'], env);
    expect(JSON.parse(again.stdout)).toMatchObject({ read: 1, known: 1 });
    const list = await broadsheet(dir, ['bounces', 'list', '--json'], env);
    expect(JSON.parse(list.stdout)).toMatchObject({ kind: 'hard', address: 'anna@example.com' });
    const shown = await broadsheet(dir, ['campaigns', 'show', '1'], env);
    expect(shown.stdout).toMatch(
      /Came back later\n {2}hard +1\n {2}No complaints are reported by: qq/,
    );
    const missing = await broadsheet(dir, ['bounces', 'read'], env);
    expect(missing.code).toBe(2);
  });
});

/** @param mails by name, new ones */
function maildir(mails: Record<string, Buffer>): string {
  const dir = temporaryDirectory();
  for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(dir, part));
  for (const [name, raw] of Object.entries(mails)) writeFileSync(join(dir, 'new', name), raw);
  return dir;
}

describe.skipIf(!hasDovecot && !process.env.CI)(
  'an IMAP mailbox (needs Dovecot: apt install dovecot-imapd)',
  () => {
    async function mailbox() {
      const { url, port } = await startDovecot();
      const as = async <Result>(work: (client: ImapFlow) => Promise<Result>): Promise<Result> => {
        const client = new ImapFlow({
          host: '127.0.0.1',
          port,
          secure: false,
          doSTARTTLS: false,
          auth: { user: 'reports', pass: 'secret!' },
          logger: false,
        });
        await client.connect();
        const result = await work(client);
        await client.logout();
        return result;
      };
      const put = (...raws: Buffer[]) =>
        as(async (client) => {
          for (const raw of raws) await client.append('INBOX', raw);
        });
      const count = (folder: string, query: object) =>
        as(async (client) => {
          await client.mailboxOpen(folder);
          return ((await client.search(query)) || []).length;
        });
      return { url, put, count };
    }

    test('reports are read, then marked as seen and moved; a person’s mail stays unseen', async () => {
      const { url, put, count } = await mailbox();
      const { newsletter, report, db } = await world(url);
      await put(report(1), PERSON, report(2));
      const result = await readBounces(newsletter, { paths: [] });
      expect(result).toMatchObject({ read: 3, effects: { suppressed: 2 }, kinds: { mail: 1 } });
      expect(await db.selectFrom('suppressions').selectAll().execute()).toHaveLength(2);
      expect(await count('INBOX', { seen: false })).toBe(1);
      expect(await count('INBOX', { all: true })).toBe(1);
      expect(await count('Processed', { seen: true })).toBe(2);
      expect(await readBounces(newsletter, { paths: [] })).toMatchObject({ read: 0 });
    });

    test('serve reads it by itself, and one reader at a time', async () => {
      const { url, put, count } = await mailbox();
      const { newsletter, report } = await world(url);
      await put(report(1));
      const lock = acquireLock(join(newsletter.stateDir, 'bounces.lock'));
      await expect(readBounces(newsletter, { paths: [] })).rejects.toThrow(/Another process/);
      lock?.release();
      const reading = keepReading(newsletter);
      await expect.poll(() => count('Processed', { seen: true }), { timeout: 20_000 }).toBe(1);
      await reading.stop();
    });

    test('--dry-run leaves every mail unseen and in its place', async () => {
      const { url, put, count } = await mailbox();
      const { newsletter, report } = await world(url);
      await put(report(1));
      const dry = await readBounces(newsletter, { paths: [], dryRun: true });
      expect(dry.effects.suppressed).toBe(1);
      expect(await count('INBOX', { seen: false })).toBe(1);
    });

    test('where the database fails, the mail stays unseen', async () => {
      const { url, put, count } = await mailbox();
      const { newsletter, db, report } = await world(url);
      await put(report(1));
      await db.schema.alterTable('bounces').renameTo('gone').execute();
      await expect(readBounces(newsletter, { paths: [] })).rejects.toThrow(NO_TABLE);
      expect(await count('INBOX', { seen: false })).toBe(1);
    });

    test('over TLS: read where the certificate is good, and no password is given where it is not', async () => {
      const { url, certificate, log } = await startDovecot({ tls: true });
      const { newsletter } = await world(url);
      await expect(readBounces(newsletter, { paths: [] })).rejects.toThrow(/certificate/i);
      expect(log()).not.toMatch(/Login: user=/);
      const { dir } = newsletter;
      const env = { BOUNCES_IMAP_URL: url, NODE_EXTRA_CA_CERTS: certificate };
      const ran = await broadsheet(dir, ['bounces', 'read', '--json'], env);
      expect(JSON.parse(ran.stdout)).toMatchObject({ read: 0 });
      expect(log()).toMatch(/Login: user=<reports>.* TLS/);
    });

    test('a wrong password is told without being shown', async () => {
      const { url } = await mailbox();
      const { newsletter } = await world(url.replace('secret%21', 'hunter2'));
      const told = await readBounces(newsletter, { paths: [] }).catch((error: Error) => error);
      expect(String(told)).toMatch(/The mailbox at 127.0.0.1:\d+ cannot be read/);
      expect(String(told)).not.toContain('hunter2');
    });
  },
);
