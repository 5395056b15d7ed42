import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addressHash } from '../../src/audience/address.ts';
import { suppress, suppressionOf } from '../../src/audience/suppression.ts';
import { unsubscribe } from '../../src/audience/unsubscribe.ts';
import { createOutbox } from '../../src/delivery/outbox.ts';
import {
  campaignProgress,
  cancelCampaign,
  pauseCampaign,
  resumeCampaign,
} from '../../src/delivery/progress.ts';
import { campaignReport } from '../../src/delivery/report.ts';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import type { Transport } from '../../src/delivery/transport.ts';
import { addReaders, plan, runOnce, START, states } from '../support/campaign.ts';
import { RING, temporaryDirectory, temporaryStore } from '../support/newsletter.ts';
import { type Behaviour, type Receiver, startReceiver } from '../support/receiver.ts';

const HOUR = 3_600_000;

async function campaign(readers: number, behaviour?: Behaviour) {
  const { db } = await temporaryStore();
  const addresses = await addReaders(db, readers);
  const { campaignId } = await plan(db);
  const receiver = await startReceiver(behaviour);
  const transportFor = () =>
    createSmtpTransport({ url: receiver.url, connections: 3, deadline: 2_000, rest: 1 });
  return { db, addresses, campaignId, receiver, transportFor };
}

function recipients(receiver: Receiver): string[] {
  return receiver.mails.map(({ to }) => to).sort();
}

describe('a campaign', () => {
  test('reaches every reader exactly once, one recipient in each transaction (D-22)', async () => {
    const { db, addresses, campaignId, receiver, transportFor } = await campaign(25);
    const report = await runOnce({ db, transportFor });
    expect(recipients(receiver)).toEqual(addresses.toSorted());
    expect(await states(db)).toEqual({ accepted: 25 });
    expect(report.attempts).toMatchObject({ accepted: 25 });
    expect(await campaignProgress(db, campaignId)).toMatchObject({
      state: 'finished',
      planned: 25,
    });
    expect(new Set(receiver.mails.map(({ from }) => from))).toEqual(new Set(['news@example.com']));
    expect(new Set(receiver.mails.map(({ messageId }) => messageId)).size).toBe(25);
  });

  test('uses its connections again', async () => {
    const { db, receiver, transportFor } = await campaign(25);
    await runOnce({ db, transportFor });
    expect(receiver.connections).toBeLessThanOrEqual(3);
  });

  test('carries lines that begin with a dot unharmed, as one mail (SMTP smuggling)', async () => {
    const { db, receiver, transportFor } = await campaign(1);
    await runOnce({ db, transportFor });
    expect(receiver.mails).toHaveLength(1);
    const body = receiver.mails[0]?.body ?? '';
    expect(body).toContain('=2Ea line with a dot');
    expect(body).not.toMatch(/^\./m);
  });

  test('writes whole .eml files on the outbox channel', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 2);
    await plan(db, { channel: 'outbox' });
    const dir = join(temporaryDirectory(), 'outbox');
    await runOnce({ db, transportFor: () => createOutbox(dir) });
    expect(readdirSync(dir)).toEqual(['1-reader1@example.com.eml', '2-reader2@example.com.eml']);
    expect(readFileSync(join(dir, '1-reader1@example.com.eml'), 'utf8')).toMatch(/--=_\w+--\r\n$/);
  });
});

describe('between plan and mark', () => {
  test('an unsubscribe is honoured: nothing starts after it (I10, D-10)', async () => {
    const { db, receiver, transportFor } = await campaign(3);
    const reader = await db
      .selectFrom('subscribers')
      .selectAll()
      .where('id', '=', 2)
      .executeTakeFirstOrThrow();
    await unsubscribe(
      db,
      { newsletter: 'weekly', publicId: reader.public_id, via: 'one-click' },
      START,
    );
    await runOnce({ db, transportFor });
    expect(recipients(receiver)).toEqual(['reader1@example.com', 'reader3@example.com']);
    expect(await states(db)).toEqual({ accepted: 2, suppressed: 1 });
  });

  test('a suppression that arose with another newsletter is honoured', async () => {
    const { db, receiver, transportFor } = await campaign(2);
    await suppress(
      db,
      { newsletter: 'other', address: 'reader1@example.com', reason: 'hard-bounce' },
      START,
    );
    await runOnce({ db, transportFor });
    expect(recipients(receiver)).toEqual(['reader2@example.com']);
  });

  test('a pause holds everything, and resuming sends it', async () => {
    const { db, campaignId, receiver, transportFor } = await campaign(3);
    await pauseCampaign(db, campaignId, 'by hand', START);
    await runOnce({ db, transportFor });
    expect(receiver.mails).toEqual([]);
    await resumeCampaign(db, campaignId, START);
    await runOnce({ db, transportFor });
    expect(await states(db)).toEqual({ accepted: 3 });
  });

  test('a cancel ends it: what had not begun never does', async () => {
    const { db, campaignId, receiver, transportFor } = await campaign(3);
    await cancelCampaign(db, campaignId, START);
    await runOnce({ db, transportFor });
    expect(receiver.mails).toEqual([]);
    expect(await states(db)).toEqual({ cancelled: 3 });
  });

  test('a pause in the middle stops after what is in flight', async () => {
    const { db, campaignId, transportFor } = await campaign(20);
    const inner = transportFor();
    let sent = 0;
    const pausing: Transport = {
      async deliver(...given) {
        sent += 1;
        if (sent === 5) await pauseCampaign(db, campaignId, 'by hand', START);
        return inner.deliver(...given);
      },
      lanes: inner.lanes,
      abort: () => inner.abort(),
      close: () => inner.close(),
    };
    await runOnce({ db, transportFor: () => pausing });
    const { accepted = 0, queued = 0 } = await states(db);
    expect(accepted + queued).toBe(20);
    expect(accepted).toBeLessThanOrEqual(5 + 2 * 3);
    expect((await campaignProgress(db, campaignId)).state).toBe('paused');
  });
});

describe('when the relay', () => {
  test('D-62: refuses a recipient for good, the others are sent and it is not asked again', async () => {
    const { db, receiver, transportFor } = await campaign(6, (step, { to }) =>
      step === 'rcpt' && to === 'reader2@example.com' ? '550 5.1.1 no such user' : undefined,
    );
    await runOnce({ db, transportFor });
    await runOnce({ db, transportFor, clock: () => START + 24 * HOUR });
    expect(recipients(receiver)).toHaveLength(5);
    expect(await db.selectFrom('attempts').selectAll().execute()).toHaveLength(1);
    const failed = await db
      .selectFrom('deliveries')
      .selectAll()
      .where('state', '=', 'failed')
      .execute();
    expect(failed).toMatchObject([
      { address: 'reader2@example.com', code: 550, reply: '550 5.1.1 no such user' },
    ]);
  });

  test('greylists, the second try delivers, and there is exactly one mail', async () => {
    const seen = new Set<string>();
    const { db, addresses, campaignId, receiver, transportFor } = await campaign(
      3,
      (step, { to }) => {
        if (step !== 'rcpt' || seen.has(to)) return undefined;
        seen.add(to);
        return '450 4.2.0 try again';
      },
    );
    await runOnce({ db, transportFor });
    expect(await states(db)).toEqual({ deferred: 3 });
    expect((await campaignProgress(db, campaignId)).nextAttemptAt).toBeGreaterThan(
      START + 4 * 60_000,
    );
    await runOnce({ db, transportFor, clock: () => START + HOUR });
    expect(recipients(receiver)).toEqual(addresses.toSorted());
    expect(await states(db)).toEqual({ accepted: 3 });
  });

  test('defers for two days, the delivery expires as failed', async () => {
    const { db, campaignId, transportFor } = await campaign(1, (step) =>
      step === 'rcpt' ? '450 4.2.0 busy' : undefined,
    );
    for (let hour = 0; hour <= 60; hour += 1)
      await runOnce({ db, transportFor, clock: () => START + hour * HOUR });
    expect(await db.selectFrom('deliveries').select(['state', 'reply']).execute()).toEqual([
      { state: 'failed', reply: 'expired: 450 4.2.0 busy' },
    ]);
    expect((await campaignProgress(db, campaignId)).state).toBe('finished');
  });

  test.each(['mail', 'rcpt', 'data'] as const)(
    'breaks the connection at %s, nothing was sent and it is tried again',
    async (at) => {
      let broken = false;
      const { db, addresses, receiver, transportFor } = await campaign(2, (step) => {
        if (step !== at || broken) return undefined;
        broken = true;
        return 'drop';
      });
      await runOnce({ db, transportFor });
      await runOnce({ db, transportFor, clock: () => START + HOUR });
      expect(recipients(receiver)).toEqual(addresses);
      expect(await states(db)).toEqual({ accepted: 2 });
    },
  );

  test('D-64: stores the mail and breaks before its reply, the copy is sent once more with the same bytes, then it stays unknown (I7, I11)', async () => {
    const { db, receiver, transportFor } = await campaign(1, (step) =>
      step === 'dot' ? 'drop-after' : undefined,
    );
    await runOnce({ db, transportFor });
    await runOnce({ db, transportFor, clock: () => START + HOUR });
    expect(await states(db)).toEqual({ unknown: 1 });
    expect(receiver.mails).toHaveLength(2);
    expect(new Set(receiver.mails.map(({ hash }) => hash)).size).toBe(1);
  });

  test('breaks in the body and onUnknown is hold, it is never sent again', async () => {
    const { db, receiver, transportFor } = await campaign(1, (step) =>
      step === 'dot' ? 'drop' : undefined,
    );
    const settings = { onUnknown: 'hold' as const, expireAfter: 48 * HOUR, rates: {} };
    await runOnce({ db, transportFor, settings });
    expect(await states(db)).toEqual({ unknown: 1 });
    expect(receiver.commands.filter((line) => line === 'DATA')).toHaveLength(1);
  });

  test('answers nonsense after the dot, the delivery is unknown, not accepted', async () => {
    const { db, transportFor } = await campaign(1, (step) =>
      step === 'dot' ? 'hello world' : undefined,
    );
    await runOnce({
      db,
      transportFor,
      settings: { onUnknown: 'hold', expireAfter: 48 * HOUR, rates: {} },
    });
    expect(await states(db)).toEqual({ unknown: 1 });
  });

  test('D-63: never answers, the deadline ends it', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 1);
    await plan(db);
    const receiver = await startReceiver((step) => (step === 'dot' ? 'hang' : undefined));
    const begun = performance.now();
    await runOnce({
      db,
      transportFor: () => createSmtpTransport({ url: receiver.url, deadline: 200 }),
      settings: { onUnknown: 'hold', expireAfter: 48 * HOUR, rates: {} },
    });
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(await states(db)).toEqual({ unknown: 1 });
  });

  test('refuses the sender, no reader is blamed and the campaign pauses with the reason', async () => {
    const { db, campaignId, transportFor } = await campaign(40, (step) =>
      step === 'mail' ? '550 5.7.1 sender refused' : undefined,
    );
    await runOnce({ db, transportFor });
    const { state, note, counts } = await campaignProgress(db, campaignId);
    expect({ state, note }).toEqual({ state: 'paused', note: '550 5.7.1 sender refused' });
    expect(counts).toMatchObject({ queued: 40, failed: 0 });
    const attempts = await db.selectFrom('deliveries').select('attempts').execute();
    expect(attempts.every(({ attempts }) => attempts === 0)).toBe(true);
  });

  test.each([2, 60])(
    'cannot be reached (list of %d), it is asked again after 1, 5, 15 and 60 minutes, then a person has to look',
    async (readers) => {
      const { db, campaignId } = await campaign(readers);
      const transportFor = () =>
        createSmtpTransport({ url: 'smtp://127.0.0.1:9', connections: 3, rest: 1 });
      const waits: number[] = [];
      let now = START;
      for (;;) {
        await runOnce({ db, transportFor, clock: () => now });
        const { state, held } = await campaignProgress(db, campaignId);
        if (state === 'paused') break;
        const [relay] = held;
        waits.push(((relay?.until ?? 0) - now) / 60_000);
        now = (relay?.until ?? 0) + 2 * 60_000;
      }
      expect(waits).toEqual([1, 5, 15, 60]);
      const { note, counts } = await campaignProgress(db, campaignId);
      expect(note).toMatch(/The relay fails: .*ECONNREFUSED/);
      expect(counts.failed).toBe(0);
      await resumeCampaign(db, campaignId, now);
      expect((await campaignProgress(db, campaignId)).held).toEqual([]);
    },
  );

  test('lacks SMTPUTF8, an address that needs it is not sent to (D-26)', async () => {
    const { db } = await temporaryStore();
    const receiver = await startReceiver();
    const transport = createSmtpTransport({ url: receiver.url });
    const outcome = await transport.deliver({
      id: '1',
      from: 'news@example.com',
      to: '用户@example.com',
      message: [Buffer.from('a: b\r\n\r\nx\r\n')],
    });
    await transport.close();
    expect(outcome).toMatchObject({ state: 'failed', reply: expect.stringContaining('SMTPUTF8') });
    expect(receiver.mails).toEqual([]);
    expect(db.isTransaction).toBe(false);
  });
});

describe('what follows from a reply', () => {
  /** One reader at each of these addresses; the server says this of the recipients that match. */
  async function refusing(addresses: string[], reply: string, match = /./) {
    const { db } = await temporaryStore();
    await addReaders(db, addresses.length);
    for (const [n, address] of addresses.entries())
      await db
        .updateTable('subscribers')
        .set({ address, address_key: address, address_hash: addressHash(address) })
        .where('id', '=', n + 1)
        .execute();
    const { campaignId } = await plan(db);
    const receiver = await startReceiver((step, { to }) =>
      step === 'rcpt' && match.test(to) ? reply : undefined,
    );
    const transportFor = () =>
      createSmtpTransport({ url: receiver.url, connections: 3, deadline: 2_000, rest: 1 });
    return { db, campaignId, receiver, transportFor };
  }

  test('an address that does not exist is suppressed, for every newsletter', async () => {
    const { db, transportFor } = await refusing(
      ['ana@example.com', 'bo@example.com'],
      '550 5.1.1 no such user',
      /ana/,
    );
    await runOnce({ db, transportFor });
    expect(await states(db)).toEqual({ accepted: 1, failed: 1 });
    expect(await suppressionOf(db, 'ana@example.com')).toBe('hard-bounce');
    expect(await suppressionOf(db, 'bo@example.com')).toBeNull();
  });

  test('QQ says its user rejects us: the reader is unsubscribed, not suppressed', async () => {
    const { db, transportFor } = await refusing(
      ['q@qq.com'],
      '550 Mail is rejected by recipients [abc]',
    );
    await runOnce({ db, transportFor });
    const { state } = await db.selectFrom('subscribers').select('state').executeTakeFirstOrThrow();
    expect(state).toBe('unsubscribed');
    expect(await suppressionOf(db, 'q@qq.com')).toBeNull();
  });

  test('QQ limits us: its readers wait an hour, the others are sent', async () => {
    const { db, campaignId, transportFor } = await refusing(
      ['a@qq.com', 'b@qq.com', 'c@example.com', 'd@example.com'],
      '550 Connection frequency limited',
      /qq/,
    );
    await runOnce({ db, transportFor });
    const { counts, held } = await campaignProgress(db, campaignId);
    expect(counts.accepted).toBe(2);
    expect(counts.failed).toBe(0);
    expect(held).toMatchObject([{ scope: 'qq', until: START + HOUR }]);
  });

  test('two provider groups block us: the campaign pauses', async () => {
    const { db, campaignId, transportFor } = await refusing(
      ['a@gmail.com', 'b@outlook.com', 'c@example.com'],
      '550 5.7.1 blocked using spamhaus',
      /gmail|outlook/,
    );
    await runOnce({ db, transportFor });
    const { state, note } = await campaignProgress(db, campaignId);
    expect(state).toBe('paused');
    expect(note).toMatch(/2 provider groups block us/);
  });

  test('everybody is refused: it pauses within fifty mails and nobody is suppressed', async () => {
    const { db, campaignId, receiver, transportFor } = await campaign(200, (step) =>
      step === 'dot' ? '554 5.0.0 transaction failed' : undefined,
    );
    await runOnce({ db, transportFor });
    const { state, note } = await campaignProgress(db, campaignId);
    expect(state).toBe('paused');
    expect(note).toMatch(/refused for good/);
    expect(receiver.commands.filter((line) => line === 'DATA').length).toBeLessThan(50);
    expect(await db.selectFrom('suppressions').selectAll().execute()).toEqual([]);
  });

  test('an address refused softly in three issues over fifteen days is given up', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 1);
    const receiver = await startReceiver((step) =>
      step === 'rcpt' ? '550 5.7.0 not now' : undefined,
    );
    const transportFor = () => createSmtpTransport({ url: receiver.url, rest: 1 });
    for (const [issue, day] of [
      ['w1', 0],
      ['w2', 7],
      ['w3', 14],
      ['w4', 21],
    ] as const) {
      expect(await suppressionOf(db, 'reader1@example.com')).toBeNull();
      await plan(db, { issue });
      await runOnce({ db, transportFor, clock: () => START + day * 24 * HOUR });
    }
    expect(await suppressionOf(db, 'reader1@example.com')).toBe('soft-bounces');
  });

  test('each attempt that did not succeed is kept, with its words', async () => {
    const { db, campaignId, transportFor } = await campaign(1, (step) =>
      step === 'rcpt' ? '450 4.2.0 busy' : undefined,
    );
    await runOnce({ db, transportFor });
    await runOnce({ db, transportFor, clock: () => START + HOUR });
    const attempts = await db.selectFrom('attempts').select(['state', 'reply', 'at']).execute();
    expect(attempts).toEqual([
      { state: 'deferred', reply: '450 4.2.0 busy', at: START },
      { state: 'deferred', reply: '450 4.2.0 busy', at: START + HOUR },
    ]);
    const report = await campaignReport(db, campaignId);
    expect(report).toMatchObject({
      byProvider: { other: { deferred: 1 } },
      attempts: { all: 2, unsuccessful: 2 },
    });
  });
});

describe('the log of a campaign', () => {
  test('tells what happened to it, in order', async () => {
    const { db, campaignId, transportFor } = await campaign(2);
    await pauseCampaign(db, campaignId, 'by hand', START + 1);
    await pauseCampaign(db, campaignId, 'by hand', START + 2);
    await resumeCampaign(db, campaignId, START + 3);
    await runOnce({ db, transportFor, clock: () => START + 4 });
    const { events } = await campaignReport(db, campaignId);
    expect(events.map(({ kind, detail, at }) => [kind, detail, at - START])).toEqual([
      ['planned', '2 readers', 0],
      ['paused', 'by hand', 1],
      ['resumed', null, 3],
      ['finished', null, 4],
    ]);
  });
});

describe('the first wave', () => {
  const firstWave = { addresses: ['Reader2@example.com', 'nobody@example.com'], pause: HOUR };

  test('goes to own mailboxes; the others get it after the pause', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 4);
    expect(await plan(db, {}, { firstWave })).toMatchObject({ planned: 4, first: 1 });
    const receiver = await startReceiver();
    const transportFor = () => createSmtpTransport({ url: receiver.url, rest: 1 });
    const { nextDue } = await runOnce({ db, transportFor });
    expect(recipients(receiver)).toEqual(['reader2@example.com']);
    expect(nextDue).toBe(START + HOUR);
    await runOnce({ db, transportFor, clock: () => START + HOUR });
    expect(await states(db)).toEqual({ accepted: 4 });
  });

  test('and stopped in the pause, nobody else gets it', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 4);
    const { campaignId } = await plan(db, {}, { firstWave });
    const receiver = await startReceiver();
    const transportFor = () => createSmtpTransport({ url: receiver.url, rest: 1 });
    await runOnce({ db, transportFor });
    await cancelCampaign(db, campaignId, START + 1);
    await runOnce({ db, transportFor, clock: () => START + HOUR });
    expect(await states(db)).toEqual({ accepted: 1, cancelled: 3 });
  });

  test('that none of the readers belongs to holds nobody up', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 2);
    await plan(db, {}, { firstWave: { addresses: ['nobody@example.com'], pause: HOUR } });
    const receiver = await startReceiver();
    await runOnce({ db, transportFor: () => createSmtpTransport({ url: receiver.url }) });
    expect(await states(db)).toEqual({ accepted: 2 });
  });
});

describe('when the sender is told to stop', () => {
  test('what is in flight is finished, the rest is given back, and the next run sends it', async () => {
    const { db, addresses, receiver, transportFor } = await campaign(20);
    const controller = new AbortController();
    const inner = transportFor();
    let begun = 0;
    const stopping: Transport = {
      async deliver(...given) {
        begun += 1;
        if (begun === 5) controller.abort();
        return inner.deliver(...given);
      },
      lanes: inner.lanes,
      abort: () => inner.abort(),
      close: () => inner.close(),
    };
    await runOnce({ db, transportFor: () => stopping, signal: controller.signal });
    const between = await states(db);
    expect(between.attempting ?? 0).toBe(0);
    expect((between.accepted ?? 0) + (between.queued ?? 0)).toBe(20);
    expect(between.queued).toBeGreaterThan(0);
    await runOnce({ db, transportFor });
    expect(recipients(receiver)).toEqual(addresses.toSorted());
  });
});

describe('the connection', () => {
  test('whose login is refused is the relay’s fault, and the password is in no reply', async () => {
    const receiver = await startReceiver((step) => {
      if (step === 'ehlo') return '250-receiver\r\n250 AUTH PLAIN LOGIN';
      return step === 'auth' ? '535 5.7.8 no' : undefined;
    });
    const transport = createSmtpTransport({ url: receiver.url.replace('//', '//user:hunter2@') });
    const outcome = await transport.deliver({
      id: '1',
      from: 'a@example.com',
      to: 'b@example.com',
      message: [Buffer.from('x\r\n')],
    });
    expect(outcome).toMatchObject({ state: 'deferred', code: 535, relayFault: true });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
  });
});

describe('D-54: the return path', () => {
  const verp = { address: 'b@bounce.example.com', newsletter: 'weekly', keys: RING };

  /** Made by hand, as the rule has it: 80 bits of HMAC-SHA256 as base32hex. */
  function expected(delivery: number): string {
    const [{ key }] = RING;
    const mac = createHmac('sha256', key).update(`verp|weekly|${delivery}`).digest();
    const bits = [...mac.subarray(0, 10)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    const digits = bits.match(/.{5}/g) ?? [];
    const text = digits.map((five) => Number.parseInt(five, 2).toString(32)).join('');
    return `b+${delivery}.${text}@bounce.example.com`;
  }

  test('MAIL FROM names the delivery and carries its MAC, for each reader another', async () => {
    const { db } = await temporaryStore();
    const addresses = await addReaders(db, 5);
    await plan(db, {}, {}, verp.address);
    const receiver = await startReceiver();
    const transportFor = () => createSmtpTransport({ url: receiver.url, connections: 2 });
    await runOnce({ db, transportFor, verp });
    const sent = receiver.mails.map(({ to, from }) => [to, from]).sort();
    expect(sent).toEqual(addresses.map((to, n) => [to, expected(n + 1)]));
  });

  test('an edition that was planned with another sender keeps it', async () => {
    const { db, receiver, transportFor } = await campaign(1);
    await runOnce({ db, transportFor, verp });
    expect(receiver.mails.map(({ from }) => from)).toEqual(['news@example.com']);
  });

  test('a mail that is sent again, because nobody knows, has the same bytes and the same sender', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 1);
    await plan(db, {}, {}, verp.address);
    let broken = 0;
    const receiver = await startReceiver((step) => {
      if (step !== 'dot' || broken > 0) return undefined;
      broken += 1;
      return 'drop-after';
    });
    const transportFor = () =>
      createSmtpTransport({ url: receiver.url, connections: 1, deadline: 2_000, rest: 1 });
    await runOnce({ db, transportFor, verp });
    const [first, second, ...more] = receiver.mails;
    expect(more).toEqual([]);
    expect(second).toEqual(first);
    expect(first?.from).toBe(expected(1));
  });
});
