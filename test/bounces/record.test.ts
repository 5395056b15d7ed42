/** What follows from reports, on mails that were really sent. */
import fc from 'fast-check';
import type { Kysely } from 'kysely';
import { describe, expect, test } from 'vitest';
import { suppressionOf } from '../../src/audience/suppression.ts';
import { parseReport } from '../../src/bounces/parse.ts';
import { type Reading, record } from '../../src/bounces/record.ts';
import { resumeCampaign } from '../../src/delivery/progress.ts';
import type { Database } from '../../src/store/schema.ts';
import { START, states } from '../support/campaign.ts';
import {
  BOUNCE_ADDRESS,
  complaint,
  DAY,
  deliveryReport,
  reading,
  sendIssue,
  sentCampaign,
} from '../support/reports.ts';

const READER = 'reader1@example.com';

async function read(db: Kysely<Database>, raw: Buffer, change: Partial<Reading> = {}) {
  const report = await parseReport(raw);
  return db.transaction().execute((trx) => record(trx, report, reading(change)));
}

async function first() {
  const { db, mails } = await sentCampaign();
  const mail = mails.get(READER);
  if (!mail) throw new Error('nothing was sent');
  return { db, mail };
}

const subscriber = (db: Kysely<Database>, address = READER) =>
  db.selectFrom('subscribers').selectAll().where('address', '=', address).executeTakeFirstOrThrow();

describe('D-53: whose mail it is', () => {
  test('by the return path that the report came to (D-54)', async () => {
    const { db, mail } = await first();
    const [bounce] = (await read(db, deliveryReport({ to: mail.from }))) as [never];
    expect(bounce).toMatchObject({ kind: 'hard', effect: 'suppressed' });
    expect(bounce).toMatchObject({ identity: { knownBy: 'verp', delivery: { id: 1 } } });
    expect(await suppressionOf(db, READER)).toBe('hard-bounce');
  });

  test('by the Message-ID of the mail that is given back', async () => {
    const { db, mail } = await first();
    const [bounce] = (await read(
      db,
      deliveryReport({ to: BOUNCE_ADDRESS, returned: `Message-ID: ${mail.messageId}\n\nwords` }),
    )) as [never];
    expect(bounce).toMatchObject({ identity: { knownBy: 'message-id' }, effect: 'suppressed' });
  });

  test('by the unsubscribe link in it, where a relay gave it a Message-ID of its own', async () => {
    const { db, mail } = await first();
    const returned = mail.body.replace(/^Message-ID: .*$/m, 'Message-ID: <0100@relay.example>');
    const [bounce] = (await read(db, deliveryReport({ to: BOUNCE_ADDRESS, returned }))) as [never];
    expect(bounce).toMatchObject({
      identity: { knownBy: 'unsubscribe-token', delivery: { id: 1 } },
      effect: 'suppressed',
    });
  });

  test('by its recipient, of a mail sent of late: that counts, and gives nobody up by itself', async () => {
    const { db } = await first();
    const raw = deliveryReport({ to: BOUNCE_ADDRESS });
    const [bounce] = (await read(db, raw)) as [never];
    expect(bounce).toMatchObject({ identity: { knownBy: 'recipient' }, effect: 'soft' });
    expect(await suppressionOf(db, READER)).toBeNull();
    const late = (await read(db, deliveryReport({ to: 'b2@bounce.example.com' }), {
      now: START + 30 * DAY,
    })) as [never];
    expect(late[0]).toMatchObject({ identity: null, effect: null, isForPerson: true });
  });

  test('never by an address in free text', async () => {
    const { db } = await first();
    const raw = Buffer.from(
      `From: MAILER-DAEMON@example.com\nTo: ${BOUNCE_ADDRESS}\nSubject: failure notice\n\nI'm afraid I wasn't able to deliver your message.\n\n<${READER}>:\n550 5.1.1 User unknown\n`,
    );
    const [bounce] = (await read(db, raw)) as [never];
    expect(bounce).toMatchObject({ kind: 'hard', identity: null, effect: null, isForPerson: true });
    expect(await suppressionOf(db, READER)).toBeNull();
  });

  test('a return path outranks the recipient: a forward that failed elsewhere is no reason to give the reader up', async () => {
    const { db, mail } = await first();
    const raw = deliveryReport({ to: mail.from, recipient: 'old@elsewhere.example' });
    const [bounce] = (await read(db, raw)) as [never];
    expect(bounce).toMatchObject({ identity: { address: READER }, kind: 'hard', effect: 'soft' });
    expect(await suppressionOf(db, READER)).toBeNull();
  });
});

describe('what somebody made up', () => {
  test('D-54: every change of one character of a return path is refused', async () => {
    const { db, mail } = await first();
    const [local = '', domain] = mail.from.split('@');
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(local.length - 1),
        fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyz.+'),
        async (at, character) => {
          fc.pre(local[at] !== character);
          const forged = `${local.slice(0, at)}${character}${local.slice(at + 1)}@${domain}`;
          const [bounce] = (await read(
            db,
            deliveryReport({ to: forged, recipient: `x${count++}@elsewhere.example` }),
          )) as [never];
          expect(bounce).toMatchObject({ identity: null, effect: null });
        },
      ),
      { numRuns: 60 },
    );
    expect(await suppressionOf(db, READER)).toBeNull();
  });

  test('D-53: a Message-ID is believed only with its MAC', async () => {
    const { db, mail } = await first();
    const forged = mail.messageId.replace(/\.([0-9a-v]{7})[0-9a-v]@/, (_, mac) => `.${mac}w@`);
    for (const id of [forged, '<v1.2026-w47.1.00000000@example.com>', '<v1.x.1.@example.com>']) {
      const raw = deliveryReport({ to: 'x@example.com', returned: `Message-ID: ${id}\n\n` });
      const [bounce] = (await read(db, raw)) as [never];
      expect(bounce).not.toMatchObject({ effect: 'suppressed' });
    }
    expect(await suppressionOf(db, READER)).toBeNull();
  });

  test('D-54: a flood of reports about our readers (QQ: "bounce attacks") suppresses nobody', async () => {
    const { db } = await sentCampaign(5);
    for (let n = 0; n < 60; n += 1) {
      const recipient = `reader${1 + (n % 5)}@example.com`;
      const to = `b+${1 + (n % 5)}.${'0'.repeat(16)}@bounce.example.com`;
      await read(db, deliveryReport({ to, recipient, diagnostic: `smtp; 550 5.1.1 no ${n}` }));
      await read(db, complaint(`To: ${recipient}\nMessage-ID: <v1.2026-w47.1.${n}@x>\n\n`));
    }
    expect(await db.selectFrom('suppressions').selectAll().execute()).toEqual([]);
    const left = await db
      .selectFrom('subscribers')
      .select('id')
      .where('state', '<>', 'active')
      .execute();
    expect(left).toEqual([]);
  });
});

describe('what follows', () => {
  test('a report counts once, however often and with whatever line ends it is read', async () => {
    const { db, mail } = await first();
    const raw = deliveryReport({ to: mail.from });
    await read(db, raw);
    expect(await read(db, raw)).toBe('known');
    const dos = Buffer.from(raw.toString().replace(/\r?\n/g, '\r\n'));
    expect(await read(db, dos)).toBe('known');
    expect(await db.selectFrom('bounces').select('id').execute()).toHaveLength(1);
  });

  test('D-55: a complaint unsubscribes from every newsletter of the database, and suppresses', async () => {
    const { db, mail } = await first();
    const { id: _, ...row } = await subscriber(db);
    await db
      .insertInto('subscribers')
      .values({ ...row, newsletter: 'other', public_id: 'another' })
      .execute();
    const [bounce] = (await read(db, complaint(mail.body))) as [never];
    expect(bounce).toMatchObject({ kind: 'complaint', effect: 'complaint' });
    expect(await suppressionOf(db, READER)).toBe('complaint');
    const rows = await db.selectFrom('subscribers').select(['newsletter', 'state']).execute();
    expect(rows).toEqual([
      { newsletter: 'weekly', state: 'unsubscribed' },
      { newsletter: 'other', state: 'unsubscribed' },
    ]);
  });

  test('D-45: from 0.3 % of complaints on the campaign stops; whoever resumes it is heard', async () => {
    const { db, mails } = await sentCampaign(400);
    await db.updateTable('campaigns').set({ state: 'sending', finished_at: null }).execute();
    const complain = async (reader: number, at: number) => {
      const { body } = mails.get(`reader${reader}@example.com`) ?? { body: '' };
      await read(db, complaint(body), { now: START + at });
      return db.selectFrom('campaigns').select(['state', 'note']).executeTakeFirstOrThrow();
    };
    expect(await complain(1, 1_000)).toMatchObject({ state: 'sending' });
    expect(await complain(2, 2_000)).toEqual({
      state: 'paused',
      note: expect.stringMatching(/^2 complaints about 400 mails/),
    });
    await resumeCampaign(db, 1, START + 3_000);
    expect(await complain(3, 4_000)).toMatchObject({ state: 'sending' });
    expect(await complain(4, 5_000)).toMatchObject({ state: 'paused' });
  });

  test('D-45: one complaint among a hundred stops nothing', async () => {
    const { db, mails } = await sentCampaign(100);
    await db.updateTable('campaigns').set({ state: 'sending', finished_at: null }).execute();
    await read(db, complaint(mails.get(READER)?.body ?? ''));
    expect(await states(db)).toMatchObject({ accepted: 100 });
    expect(await db.selectFrom('campaigns').select('state').executeTakeFirst()).toEqual({
      state: 'sending',
    });
  });

  test.each([
    ['opt-out', 'complaint'],
    ['not-spam', null],
    ['auth-failure', null],
  ])('D-55: feedback of type %s leads to %s', async (type, effect) => {
    const { db, mail } = await first();
    const [bounce] = (await read(db, complaint(mail.body, type))) as [never];
    expect(bounce).toMatchObject({ effect });
    expect((await subscriber(db)).state).toBe(effect ? 'unsubscribed' : 'active');
  });

  test('1.9 row 11: soft in three issues over 15 days suppresses, no sooner', async () => {
    const { db, mail } = await first();
    const full = (to: string) =>
      deliveryReport({ to, status: '5.2.2', diagnostic: 'smtp; 552 5.2.2 mailbox full' });
    await read(db, full(mail.from));
    for (const [issue, days] of [
      ['2026-w48', 7],
      ['2026-w49', 14],
    ] as const) {
      const mails = await sendIssue(db, issue, START + days * DAY);
      await read(db, full(mails.get(READER)?.from ?? ''), { now: START + days * DAY + 3_600_000 });
      expect(await suppressionOf(db, READER)).toBeNull();
    }
    const mails = await sendIssue(db, '2026-w50', START + 21 * DAY);
    await read(db, full(mails.get(READER)?.from ?? ''), { now: START + 21 * DAY });
    expect(await suppressionOf(db, READER)).toBe('soft-bounces');
  });

  test('row 11: refusals by the relay and reports are counted together', async () => {
    const { db, mail } = await first();
    const settled = { state: 'failed', reason: 'mailbox-full', settled_at: START } as const;
    await sendIssue(db, '2026-w48', START + 7 * DAY);
    await db.updateTable('deliveries').set(settled).execute();
    const mails = await sendIssue(db, '2026-w49', START + 20 * DAY);
    const status = '4.2.2';
    await read(db, deliveryReport({ to: mails.get(READER)?.from ?? '', status, diagnostic: '' }), {
      now: START + 20 * DAY,
    });
    expect(mail.from).not.toBe(mails.get(READER)?.from);
    expect(await suppressionOf(db, READER)).toBe('soft-bounces');
  });

  test('D-52: Action decides: what is delayed leads to nothing', async () => {
    const { db, mail } = await first();
    const raw = deliveryReport({ to: mail.from, action: 'delayed', status: '4.4.1' });
    expect(await read(db, raw)).toMatchObject([{ kind: 'delayed', effect: null }]);
    expect(await states(db)).toEqual({ accepted: 1 });
  });

  test('D-32, D-57: an automatic answer to the return path is counted nowhere', async () => {
    const { db, mail } = await first();
    const raw = Buffer.from(
      `From: ${READER}\nTo: ${mail.from}\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nUser unknown 550 5.1.1\n`,
    );
    expect(await read(db, raw)).toMatchObject([{ kind: 'auto-reply', effect: null }]);
    expect(await db.selectFrom('bounces').selectAll().execute()).toEqual([]);
  });

  test('reports change no state, except that one settles what nobody knew', async () => {
    const { db, mail } = await first();
    await read(db, deliveryReport({ to: mail.from }));
    expect(await states(db)).toEqual({ accepted: 1 });
    await db.updateTable('deliveries').set({ state: 'unknown' }).execute();
    await read(db, deliveryReport({ to: mail.from, diagnostic: 'smtp; 550 5.1.1 again' }));
    expect(await states(db)).toEqual({ failed: 1 });
    await db.updateTable('deliveries').set({ state: 'unknown' }).execute();
    await read(db, complaint(mail.body));
    expect(await states(db)).toEqual({ accepted: 1 });
  });

  test('QQ: a reader who blocks us there is unsubscribed, not suppressed (D-47)', async () => {
    const { db } = await sentCampaign(1);
    await db
      .updateTable('subscribers')
      .set({ address: 'anna@qq.com', address_key: 'anna@qq.com', address_hash: 'x' })
      .execute();
    const mails = await sendIssue(db, '2026-w48');
    const raw = deliveryReport({
      to: mails.get('anna@qq.com')?.from ?? '',
      recipient: 'anna@qq.com',
      status: '5.0.0',
      diagnostic: 'smtp; 550 Mail is rejected by recipients [anna@qq.com]',
    });
    expect(await read(db, raw)).toMatchObject([{ kind: 'unsubscribe', effect: 'unsubscribed' }]);
  });
});
