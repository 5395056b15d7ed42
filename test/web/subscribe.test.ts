/** Signing up, as readers, scanners and floods do it. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { suppress } from '../../src/audience/suppression.ts';
import { unsubscribe } from '../../src/audience/unsubscribe.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { openTestNewsletter, type TestNewsletter } from '../support/newsletter.ts';
import { issuedIn, openVisitor, type Visitor } from '../support/visitor.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ASKED = 'If the address can receive mail, we have sent a message.';

let newsletter: TestNewsletter;
let visitor: Visitor;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  visitor = await openVisitor(newsletter);
});

async function stateOf(address: string): Promise<string | undefined> {
  const row = await newsletter.db
    .selectFrom('subscribers')
    .select('state')
    .where('address', '=', address)
    .executeTakeFirst();
  return row?.state;
}

const consents = () => newsletter.db.selectFrom('consents').selectAll().orderBy('id').execute();

/** Every row of every table. */
async function everything(): Promise<string> {
  const tables = [
    'subscribers',
    'consents',
    'suppressions',
    'signups',
    'notices',
    'confirmations',
    'buckets',
    'answers',
  ] as const;
  const rows = await Promise.all(
    tables.map((table) => newsletter.db.selectFrom(table).selectAll().execute()),
  );
  return JSON.stringify(rows);
}

/** Signs up, and gives the path of the link in the mail. */
async function confirmationFor(address: string): Promise<string> {
  await visitor.signUp(address);
  await visitor.answer();
  return (await visitor.mails()).at(-1)?.link('/confirm/') ?? '';
}

describe('the way to a subscription', () => {
  test('W-01: form, mail, page, button; nobody is subscribed before the button', async () => {
    const asked = await visitor.signUp('ana@example.com');
    expect(await asked.text()).toContain(ASKED);
    await visitor.answer();
    expect(await stateOf('ana@example.com')).toBe('pending');
    const [mail, ...others] = await visitor.mails();
    expect(others).toEqual([]);
    expect(mail?.to).toBe('ana@example.com');
    const link = mail?.link('/confirm/') ?? '';
    const page = await (await visitor.get(link)).text();
    expect(page).toContain('a•••@example.com');
    expect(page).toContain('<button');
    expect(await stateOf('ana@example.com')).toBe('pending');
    expect((await visitor.post(link, { confirm: 'yes' })).status).toBe(200);
    expect(await stateOf('ana@example.com')).toBe('active');
  });

  test('W-02: 20 × GET and HEAD, OPTIONS too, leave the database byte-identical', async () => {
    const link = await confirmationFor('ana@example.com');
    const before = await everything();
    for (let i = 0; i < 20; i += 1) {
      for (const method of ['GET', 'HEAD', 'OPTIONS'])
        await fetch(`${visitor.base}${link}`, { method });
    }
    expect(await everything()).toBe(before);
  });

  test('W-03: the token has 256 random bits, and the database knows only its SHA-256', async () => {
    const link = await confirmationFor('ana@example.com');
    expect(link).toMatch(/^\/confirm\/[\w-]{43}$/);
    expect(await everything()).not.toContain(link.slice('/confirm/'.length));
  });

  test('W-03: a repeat says that it is confirmed, and changes nothing', async () => {
    const link = await confirmationFor('ana@example.com');
    await visitor.post(link);
    const before = await everything();
    const again = await visitor.post(link);
    expect(again.status).toBe(200);
    expect(await again.text()).toContain('Confirmed already');
    expect(await everything()).toBe(before);
  });

  test('W-03: a used link brings nobody back who has left since', async () => {
    const link = await confirmationFor('ana@example.com');
    await visitor.post(link);
    const { public_id: publicId } = await newsletter.db
      .selectFrom('subscribers')
      .select('public_id')
      .executeTakeFirstOrThrow();
    const leaving = { newsletter: newsletter.settings.slug, publicId, via: 'page' };
    await unsubscribe(newsletter.db, leaving, newsletter.clock());
    await visitor.post(link);
    expect(await stateOf('ana@example.com')).toBe('unsubscribed');
  });

  test('W-03: works for 72 hours; then the page offers a fresh mail', async () => {
    const link = await confirmationFor('ana@example.com');
    newsletter.advance(72 * HOUR - 1);
    expect((await visitor.get(link)).status).toBe(200);
    newsletter.advance(1);
    const late = await visitor.post(link);
    expect(late.status).toBe(410);
    expect(await stateOf('ana@example.com')).toBe('pending');
    expect(await late.text()).toContain('Send a fresh email');
    await visitor.post(link, { again: 'yes' });
    await visitor.answer();
    const fresh = (await visitor.mails()).at(-1)?.link('/confirm/') ?? '';
    expect(fresh).not.toBe(link);
    await visitor.post(fresh);
    expect(await stateOf('ana@example.com')).toBe('active');
  });

  test('W-03: a new request takes the place of the older link', async () => {
    const first = await confirmationFor('ana@example.com');
    newsletter.advance(DAY);
    const second = await confirmationFor('ana@example.com');
    expect(second).not.toBe(first);
    expect((await visitor.post(first)).status).toBe(410);
    expect((await visitor.post(second)).status).toBe(200);
    expect(await stateOf('ana@example.com')).toBe('active');
  });

  test('W-03: whatever is changed of a token, it opens nothing', async () => {
    const link = await confirmationFor('ana@example.com');
    const before = await everything();
    const token = link.slice('/confirm/'.length);
    const bits = fc.record({
      at: fc.nat(token.length - 1),
      bit: fc.nat(6),
    });
    await fc.assert(
      fc.asyncProperty(bits, async ({ at, bit }) => {
        const changed = String.fromCharCode(token.charCodeAt(at) ^ (1 << bit));
        const forged = token.slice(0, at) + changed + token.slice(at + 1);
        const answer = await visitor.post(`/confirm/${encodeURIComponent(forged)}`);
        expect(answer.status).toBe(404);
      }),
      { numRuns: 100 },
    );
    expect(await everything()).toBe(before);
  });

  test('W-15, D-72: the log holds time, source, exact wording, its version and language; and no IP', async () => {
    const link = await confirmationFor('ana@example.com');
    newsletter.advance(HOUR);
    await visitor.post(link);
    const [asked, confirmed, ...more] = await consents();
    expect(more).toEqual([]);
    expect(asked).toMatchObject({ event: 'subscribed', via: 'form' });
    expect(confirmed).toMatchObject({ event: 'confirmed', via: 'confirmation' });
    const detail = JSON.parse(confirmed?.detail ?? '{}');
    expect(detail).toMatchObject({ source: 'form', version: 'broadsheet-1', language: 'en' });
    expect(detail.wording).toContain('you agree to receive');
    expect(confirmed?.at).toBe(newsletter.clock());
    expect(detail.mailedAt).toBe(newsletter.clock() - HOUR);
    expect(detail.askedAt).toBe(asked?.at);
    expect(await everything()).not.toContain('127.0.0');
  });

  test('D-75: another wording has another version, and leaves old records as they are', async () => {
    await visitor.signUp('ana@example.com');
    await visitor.answer();
    const before = JSON.stringify(await consents());
    const own = {
      ...newsletter.settings.site.subscribe,
      wording: { en: 'Yes, please.' },
      version: '2',
    };
    const site = { ...newsletter.settings.site, subscribe: own };
    const changed = { ...newsletter, settings: { ...newsletter.settings, site } };
    const later = await openVisitor(changed);
    expect(await (await later.get('/subscribe')).text()).toContain('Yes, please.');
    await later.signUp('ben@example.com');
    await later.answer();
    const rows = await consents();
    expect(JSON.stringify(rows.slice(0, 1))).toBe(before);
    expect(JSON.parse(rows[1]?.detail ?? '')).toMatchObject({
      wording: 'Yes, please.',
      version: '2',
    });
  });

  test('who has unsubscribed comes back by the same way', async () => {
    await visitor.post(await confirmationFor('ana@example.com'));
    const { public_id: publicId } = await newsletter.db
      .selectFrom('subscribers')
      .select('public_id')
      .executeTakeFirstOrThrow();
    const leaving = { newsletter: newsletter.settings.slug, publicId, via: 'page' };
    await unsubscribe(newsletter.db, leaving, newsletter.clock());
    newsletter.advance(DAY);
    await visitor.post(await confirmationFor('ana@example.com'));
    expect(await stateOf('ana@example.com')).toBe('active');
  });

  test('D-69: a complaint is lifted by the reader’s own confirmation, a ban by none', async () => {
    const { slug } = newsletter.settings;
    const add = (address: string, reason: 'complaint' | 'manual') =>
      suppress(newsletter.db, { newsletter: slug, address, reason }, newsletter.clock());
    await add('ana@example.com', 'complaint');
    await add('ben@example.com', 'manual');
    await visitor.post(await confirmationFor('ana@example.com'));
    await visitor.signUp('ben@example.com');
    await visitor.answer();
    expect((await visitor.mails()).map(({ to }) => to)).toEqual(['ana@example.com']);
    const left = await newsletter.db.selectFrom('suppressions').select('reason').execute();
    expect(left).toEqual([{ reason: 'manual' }]);
  });
});

describe('the mail that asks', () => {
  test('D-15, D-31, W-10: is plain, automatic, no list mail, and holds nothing that a visitor typed', async () => {
    await visitor.signUp('buy-cheap-watches@example.com');
    await visitor.answer();
    const [mail] = await visitor.mails();
    const [head = '', body = ''] = mail?.raw.split('\r\n\r\n') ?? [];
    expect(head).toMatch(/^Auto-Submitted: auto-generated\r?$/m);
    expect(head).toMatch(/^Content-Type: text\/plain; charset=utf-8\r?$/m);
    expect(head).not.toMatch(/^(List-|Precedence)/im);
    expect(body).not.toMatch(/cheap/);
    expect(mail?.text).not.toMatch(/cheap/);
    expect(mail?.text).toContain('If this was not you, do nothing');
  });

  test('W-16: speaks the language of the form', async () => {
    await visitor.signUp('ana@example.com', { 'Accept-Language': 'zh-CN' });
    newsletter.advance(HOUR);
    await visitor.signUp('ben@example.com', { 'Accept-Language': 'en' });
    await visitor.answer();
    const subjects = (await visitor.mails()).map(({ subject }) => subject);
    expect(subjects).toEqual([
      '请确认订阅《AI大模型周报》',
      'Please confirm your subscription to AI大模型周报',
    ]);
  });

  test('D-30: may have an address of its own', async () => {
    const site = {
      ...newsletter.settings.site,
      subscribe: { ...newsletter.settings.site.subscribe, sender: 'post@lists.example.com' },
    };
    const own = { ...newsletter, settings: { ...newsletter.settings, site } };
    const other = await openVisitor(own);
    await other.signUp('ana@example.com');
    await other.answer();
    expect((await other.mails())[0]?.raw).toMatch(/^From: .*<post@lists\.example\.com>/ms);
  });
});

describe('the answer', () => {
  test('W-04: is the same for new, pending, active, unsubscribed, suppressed and unroutable addresses', async () => {
    const { db, settings } = newsletter;
    await addSubscriber(newsletter, { address: 'active@example.com', name: null });
    await addSubscriber(newsletter, { address: 'left@example.com', name: null });
    await db
      .updateTable('subscribers')
      .set({ state: 'unsubscribed' })
      .where('address', '=', 'left@example.com')
      .execute();
    const banned = { newsletter: settings.slug, address: 'banned@example.com' };
    await suppress(db, { ...banned, reason: 'complaint' }, newsletter.clock());
    await visitor.signUp('pending@example.com');
    await visitor.answer();
    newsletter.advance(DAY);
    const kinds = ['new', 'pending', 'active', 'left', 'banned'].map(
      (name) => `${name}@example.com`,
    );
    const answers: string[] = [];
    for (const address of [...kinds, 'ana@null-mx.example']) {
      newsletter.advance(HOUR);
      const answer = await visitor.signUp(address);
      answers.push(`${answer.status} ${[...answer.headers.keys()].join()} ${await answer.text()}`);
    }
    const same = answers.map((answer) => answer.replace(/date[^,]*/g, ''));
    expect(new Set(same).size).toBe(1);
    expect(same[0]).toContain(ASKED);
  });

  test('W-04: is given before the list is looked at, so it takes the same time', async () => {
    await addSubscriber(newsletter, { address: 'active@example.com', name: null });
    const touched: string[] = [];
    const watched = newsletter.db.withPlugin({
      transformQuery: ({ node }) => {
        touched.push(JSON.stringify(node));
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const seen = await openVisitor({ ...newsletter, db: watched });
    const shapes = [];
    for (const address of ['active@example.com', 'new@example.com']) {
      touched.length = 0;
      await seen.signUp(address);
      expect(touched.join()).not.toMatch(/"(subscribers|suppressions|consents)"/);
      shapes.push(touched.length);
    }
    expect(shapes[0]).toBe(shapes[1]);
  });

  test('W-04: who is subscribed gets one mail a day that says so', async () => {
    await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
    for (let i = 0; i < 3; i += 1) {
      await visitor.signUp('ana@example.com');
      await visitor.answer();
      newsletter.advance(HOUR);
    }
    expect((await visitor.mails()).map(({ subject }) => subject)).toEqual([
      'You are subscribed to AI大模型周报 already',
    ]);
    expect(await stateOf('ana@example.com')).toBe('active');
  });

  test('what was asked survives a restart', async () => {
    await visitor.signUp('ana@example.com');
    const restarted = await openVisitor(newsletter);
    await restarted.answer();
    expect(await restarted.mails()).toHaveLength(1);
  });
});

describe('the form', () => {
  test.each([
    'ana',
    'ana@',
    '@example.com',
    'a b@example.com',
    'a@b\r\nBcc: e@example.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b'.repeat(260)}.com`,
    '',
  ])('D-21, W-08: refuses %j as an address, and shows it again', async (address) => {
    const answer = await visitor.signUp(address);
    expect(answer.status).toBe(422);
    const page = await answer.text();
    expect(page).toContain('aria-invalid="true"');
    expect(page).toContain('not a complete email address');
    await visitor.answer();
    expect(await visitor.mails()).toEqual([]);
  });

  test('W-10: what machines fill in is answered like a success, before anything is looked at', async () => {
    const answer = await visitor.post('/subscribe', { address: 'no address', website: 'x' });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(ASKED);
    expect(await newsletter.db.selectFrom('signups').selectAll().execute()).toEqual([]);
  });

  test('W-10: the trap is a usual field that style hides', async () => {
    const html = await (await visitor.get('/subscribe')).text();
    expect(html).toMatch(/class="trap">[^\n]*<input name="website" tabindex="-1"/);
    expect(await (await visitor.get('/page.css')).text()).toMatch(/\.trap \{[^}]*hidden/);
  });

  test.each([
    ['faster than a person', 2_999, false],
    ['in three seconds', 3_000, true],
    ['within a day', DAY, true],
    ['after a day', DAY + 1, false],
  ])('W-10: sent %s is %j', async (_, age, isTaken) => {
    const issued = issuedIn(await (await visitor.get('/subscribe')).text());
    newsletter.advance(age);
    const page = await (
      await visitor.post('/subscribe', { address: 'ana@example.com', issued })
    ).text();
    expect(page.includes(ASKED)).toBe(isTaken);
    expect(page.includes('press “Subscribe” once more')).toBe(!isTaken);
  });

  test('W-10: the time that a form was shown cannot be made up', async () => {
    const issued = issuedIn(await (await visitor.get('/subscribe')).text());
    const earlier = issued.replace(/^./, (first) => (first === 'm' ? 'l' : 'm'));
    newsletter.advance(HOUR);
    for (const made of [earlier, '', 'x.y', `${newsletter.clock().toString(36)}.`]) {
      const page = await visitor.post('/subscribe', { address: 'ana@example.com', issued: made });
      expect(await page.text()).not.toContain(ASKED);
    }
  });

  test('a form on another site leads to ours, with the address in it', async () => {
    const headers = { Origin: 'https://blog.example.org', 'Sec-Fetch-Site': 'cross-site' };
    const issued = issuedIn(await (await visitor.get('/subscribe')).text());
    newsletter.advance(10_000);
    const answer = await visitor.post(
      '/subscribe',
      { address: 'ana@example.com', issued },
      headers,
    );
    const page = await answer.text();
    expect(page).toContain('value="ana@example.com"');
    expect(page).toContain('One more step');
    expect(await newsletter.db.selectFrom('signups').selectAll().execute()).toEqual([]);
    newsletter.advance(10_000);
    const own = { address: 'ana@example.com', issued: issuedIn(page) };
    expect(await (await visitor.post('/subscribe', own)).text()).toContain(ASKED);
  });

  test.each([
    ['ana@gmial.com', 'ana@gmail.com'],
    ['ana@gmail.con', 'ana@gmail.com'],
    ['ana@qq.con', 'ana@qq.com'],
    ['ana@hotmial.com', 'ana@hotmail.com'],
    ['ana@163.con', 'ana@163.com'],
  ])('W-18: for %s asks whether %s is meant; either answer is taken', async (typed, meant) => {
    const page = await (await visitor.signUp(typed)).text();
    expect(page).toContain(`Did you mean ${meant}?`);
    const issued = issuedIn(page);
    expect(await (await visitor.post('/subscribe', { address: meant, issued })).text()).toContain(
      ASKED,
    );
    const kept = { address: typed, issued, meant: 'yes' };
    expect(await (await visitor.post('/subscribe', kept)).text()).toContain(ASKED);
  });

  test('W-08: reads nothing but a form', async () => {
    const answer = await fetch(`${visitor.base}/subscribe`, {
      method: 'POST',
      body: '{"address":"ana@example.com"}',
      headers: { 'Content-Type': 'application/json' },
    });
    expect(answer.status).toBe(415);
  });

  test('is shut where the editor takes nobody', async () => {
    const { site } = newsletter.settings;
    const shut = { ...site, subscribe: { ...site.subscribe, open: false } };
    const other = await openVisitor({
      ...newsletter,
      settings: { ...newsletter.settings, site: shut },
    });
    expect(await (await other.get('/subscribe')).text()).not.toContain('<form');
    expect((await other.post('/subscribe', { address: 'ana@example.com' })).status).toBe(403);
  });
});
