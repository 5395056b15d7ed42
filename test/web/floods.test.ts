/** Those who want us to mail others: list bombing, by form and by API (reliability, sign-up flooding). */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { answerSignups } from '../../src/newsletter/answer-signups.ts';
import { formTime, subscribe } from '../../src/newsletter/subscribe.ts';
import { openTestNewsletter, type TestNewsletter } from '../support/newsletter.ts';
import { openVisitor, type Visitor } from '../support/visitor.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Many requests come from many networks: each test says from which, by a proxy that is trusted. */
const behindProxy = (settings: Settings): Settings => ({
  ...settings,
  site: { ...settings.site, trustedProxies: ['127.0.0.1'] },
});

let newsletter: TestNewsletter;
let visitor: Visitor;

beforeEach(async () => {
  newsletter = await openTestNewsletter({ settings: behindProxy });
  visitor = await openVisitor(newsletter);
  // Nobody cuts the power here: ten thousand commits need not wait for the disk.
  await sql`pragma synchronous = off`.execute(newsletter.db);
});

const from = (ip: string) => ({ 'X-Forwarded-For': ip });

/** As the form does it, from a network of its own each time, and so many that HTTP would only take longer. */
async function flood(addresses: readonly string[], times: number): Promise<void> {
  const issued = formTime(newsletter);
  newsletter.advance(10_000);
  for (let i = 0; i < times; i += 1) {
    const answer = await subscribe(newsletter, {
      address: addresses[i % addresses.length] as string,
      issued,
      trap: '',
      isMeant: true,
      isForeign: false,
      language: 'en',
      ip: `10.${(i >> 8) & 255}.${i & 255}.1`,
    });
    expect(answer.result).toBe('asked');
  }
}

describe('limits of mails (W-09)', () => {
  test('the Spamhaus case: 9 addresses, 9,000 sign-ups, 9 mails in a day and 27 in all', async () => {
    const victims = Array.from({ length: 9 }, (_, i) => `victim-${i}@example.com`);
    const { every, total } = newsletter.settings.site.subscribe.limits.address;
    expect([every, total]).toEqual([DAY, 3]);
    await flood(victims, 9_000);
    await visitor.answer();
    expect(await visitor.mails()).toHaveLength(9);
    for (let day = 1; day < 6; day += 1) {
      newsletter.advance(DAY);
      await flood(victims, 90);
      await visitor.answer();
    }
    expect(await visitor.mails()).toHaveLength(9 * 3);
  }, 120_000);

  test('10,000 hostile sign-ups of as many addresses cause 100 mails in an hour', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `victim-${i}@gmail.com`);
    await flood(many, 10_000);
    const told: string[] = [];
    const log = {
      ...newsletter.log,
      warn: (_: object, message: string) => void told.push(message),
    };
    await answerSignups({ ...newsletter, log }).once();
    expect(await visitor.mails()).toHaveLength(100);
    expect(told).toEqual([
      'more sign-ups than site.subscribe.limits allow; the others get no mail',
    ]);
    expect(await newsletter.db.selectFrom('signups').selectAll().execute()).toEqual([]);
    const rows = await newsletter.db.selectFrom('subscribers').selectAll().execute();
    expect(rows).toHaveLength(100);
  }, 120_000);

  test('30 mails an hour to one domain, unless it is a large provider', async () => {
    const at = (domain: string) => Array.from({ length: 40 }, (_, i) => `reader-${i}@${domain}`);
    await flood(at('small.example.com'), 40);
    await flood(at('qq.com'), 40);
    await visitor.answer();
    const mails = await visitor.mails();
    expect(mails.filter(({ to }) => to.endsWith('small.example.com'))).toHaveLength(30);
    expect(mails.filter(({ to }) => to.endsWith('qq.com'))).toHaveLength(40);
  });

  test('one mailbox is one, however its address is written', async () => {
    const spellings = [
      'Ana.Lee@gmail.com',
      'analee@googlemail.com',
      'ana.lee+news@gmail.com',
      'A.N.A.Lee+2@gmail.com',
    ];
    await flood(spellings, 4);
    await visitor.answer();
    expect(await visitor.mails()).toHaveLength(1);
  });

  test('whoever confirms may ask again later', async () => {
    for (let round = 0; round < 5; round += 1) {
      await visitor.signUp('ana@example.com');
      await visitor.answer();
      const link = (await visitor.mails()).at(-1)?.link('/confirm/') ?? '';
      await visitor.post(link);
      await newsletter.db.updateTable('subscribers').set({ state: 'unsubscribed' }).execute();
      newsletter.advance(DAY);
    }
    expect(await visitor.mails()).toHaveLength(5);
  });

  test('a domain that the editor has blocked gets nothing', async () => {
    const { site } = newsletter.settings;
    const subscribe = { ...site.subscribe, blockedDomains: ['trash.example.com'] };
    const own = {
      ...newsletter,
      settings: { ...newsletter.settings, site: { ...site, subscribe } },
    };
    const other = await openVisitor(own);
    await other.signUp('ana@trash.example.com');
    await other.answer();
    expect(await other.mails()).toEqual([]);
  });
});

describe('limits of a network (W-09)', () => {
  const statuses = async (addresses: string[]) => {
    const found: number[] = [];
    for (const ip of addresses) {
      const answer = await visitor.signUp('ana@example.com', from(ip));
      found.push(answer.status);
    }
    return found;
  };

  test('five sign-ups in ten minutes from an IPv4 /24; another network is not concerned', async () => {
    const same = Array.from({ length: 6 }, (_, i) => `192.0.2.${i}`);
    expect(await statuses([...same, '192.0.3.1'])).toEqual([200, 200, 200, 200, 200, 429, 200]);
    newsletter.advance(2 * MINUTE);
    expect(await statuses(['192.0.2.9'])).toEqual([200]);
  });

  test('five from an IPv6 /56', async () => {
    const same = Array.from({ length: 6 }, (_, i) => `2001:db8:1:ff0${i}::1`);
    expect(await statuses([...same, '2001:db8:1:fe00::1'])).toEqual([
      200, 200, 200, 200, 200, 429, 200,
    ]);
  });

  test('twenty in a day', async () => {
    const found: number[] = [];
    for (let i = 0; i < 25; i += 1) {
      found.push(...(await statuses(['192.0.2.1'])));
      newsletter.advance(5 * MINUTE);
    }
    const taken = found.filter((status) => status === 200).length;
    // A bucket of 20 that gets one back every 72 minutes.
    expect(taken).toBe(21);
  });

  test('they survive a restart', async () => {
    expect(await statuses(Array(5).fill('192.0.2.1'))).not.toContain(429);
    visitor = await openVisitor(newsletter);
    expect(await statuses(['192.0.2.1'])).toEqual([429]);
  });

  test('without a trusted proxy nobody is believed who says where they come from', async () => {
    const own = {
      ...newsletter.settings,
      site: { ...newsletter.settings.site, trustedProxies: [] },
    };
    visitor = await openVisitor({ ...newsletter, settings: own });
    const spoofed = Array.from({ length: 6 }, (_, i) => `198.51.${i}.1`);
    expect(await statuses(spoofed)).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test('the database holds no address of a network, and forgets what is full again', async () => {
    await statuses(['192.0.2.77']);
    const scopes = async () =>
      (await newsletter.db.selectFrom('buckets').select('scope').execute()).map(
        ({ scope }) => scope,
      );
    expect((await scopes()).join()).not.toMatch(/192\.0\.2|77/);
    const plain = createHash('sha256').update('192.0.2.0/24').digest('base64url');
    expect((await scopes()).join()).not.toContain(plain);
    await newsletter.db.deleteFrom('signups').execute();
    newsletter.advance(DAY);
    await answerSignups(newsletter).once();
    expect(await scopes()).toEqual([]);
  });

  test('the form for a fresh link has the same limits', async () => {
    for (let i = 0; i < 5; i += 1) {
      const answer = await visitor.post('/link', { address: 'a@example.com' }, from('192.0.2.1'));
      expect(answer.status).toBe(200);
    }
    const last = await visitor.post('/link', { address: 'a@example.com' }, from('192.0.2.1'));
    expect(last.status).toBe(429);
  });
});
