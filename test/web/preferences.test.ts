/** What readers settle themselves, and links that are lost. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { tokenFor, unsubscribeToken } from '../../src/audience/tokens.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { openTestNewsletter, type TestNewsletter } from '../support/newsletter.ts';
import { openVisitor, type Visitor } from '../support/visitor.ts';

const MINUTE = 60_000;

let newsletter: TestNewsletter;
let visitor: Visitor;
let publicId: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter({
    settings: (same) => ({ ...same, site: { ...same.site, trustedProxies: ['127.0.0.1'] } }),
  });
  visitor = await openVisitor(newsletter);
  await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
  const row = await newsletter.db
    .selectFrom('subscribers')
    .select('public_id')
    .executeTakeFirstOrThrow();
  publicId = row.public_id;
});

const token = (purpose: 'unsubscribe' | 'preferences' | 'undo') =>
  tokenFor(newsletter.keys, newsletter.settings.slug, purpose, publicId);
const preferences = () => `/p/${token('preferences')}`;
const leaving = () => `/u/${token('unsubscribe')}`;

const readers = () => newsletter.db.selectFrom('subscribers').selectAll().orderBy('id').execute();
const events = async () =>
  (await newsletter.db.selectFrom('consents').selectAll().orderBy('id').execute()).map(
    ({ event, via }) => `${event} ${via}`,
  );

describe('the preferences page', () => {
  test('W-13, W-14: says whose it is, masked, and has nothing that destroys by one click', async () => {
    const page = await (await visitor.get(preferences())).text();
    expect(page).toContain('a•••@example.com');
    expect(page).not.toContain('ana@example.com');
    const buttons = [...page.matchAll(/<button[^>]*value="([^"]+)"/g)].map(([, value]) => value);
    expect(buttons).toEqual(['language', 'address']);
  });

  test('the page of the unsubscribe link leads to it', async () => {
    const page = await (await visitor.get(leaving())).text();
    expect(page).toContain(`href="${preferences()}"`);
  });

  test('D-74: the link in an issue opens it too, but not where its key is lost', async () => {
    const path = `${leaving()}/preferences`;
    expect(await (await visitor.get(path)).text()).toContain(`action="${preferences()}"`);
    newsletter.keys = [{ id: 'new', key: Buffer.alloc(32, 7) }];
    visitor = await openVisitor(newsletter);
    expect((await visitor.get(path)).status).toBe(404);
  });

  test('W-16: keeps the language, and speaks it at once', async () => {
    const answer = await visitor.post(preferences(), { save: 'language', language: 'zh' });
    expect(await answer.text()).toContain('已保存');
    expect(await readers()).toMatchObject([{ language: 'zh-CN' }]);
  });

  test('a link for one purpose opens nothing else', async () => {
    const paths = [
      `/p/${token('unsubscribe')}`,
      `/p/${token('undo')}`,
      `/u/${token('preferences')}`,
      `/u/${token('undo')}`,
      `/undo/${token('unsubscribe')}`,
      `/undo/${token('preferences')}`,
    ];
    const before = await readers();
    for (const path of paths) {
      const form = { save: 'language', language: 'en', confirm: 'unsubscribe' };
      expect((await visitor.post(path, form)).status).toBe(404);
    }
    expect(await readers()).toEqual(before);
  });

  test('W-12: a link that was signed by a lost key opens no preferences', async () => {
    const path = preferences();
    newsletter.keys = [{ id: 'new', key: Buffer.alloc(32, 7) }];
    visitor = await openVisitor(newsletter);
    expect((await visitor.get(path)).status).toBe(404);
  });

  test('W-11: every one-bit change of a token is refused, for every purpose', async () => {
    const before = [await readers(), await events()];
    const purposes = fc.constantFrom('unsubscribe', 'preferences', 'undo');
    await fc.assert(
      fc.asyncProperty(purposes, fc.nat(), fc.nat(6), async (purpose, place, bit) => {
        const good = token(purpose as 'undo');
        // The key's name is no secret: one that is unknown may unsubscribe, by the id alone (W-12).
        const from = good.indexOf('.', 2) + 1;
        const at = from + (place % (good.length - from));
        const changed = String.fromCharCode(good.charCodeAt(at) ^ (1 << bit));
        const forged = encodeURIComponent(good.slice(0, at) + changed + good.slice(at + 1));
        const path = { unsubscribe: '/u/', preferences: '/p/', undo: '/undo/' }[purpose as 'undo'];
        const elsewhere = { 'X-Forwarded-For': `10.0.${at}.1` };
        expect((await visitor.post(`${path}${forged}`, {}, elsewhere)).status).toBe(404);
      }),
      { numRuns: 150 },
    );
    expect([await readers(), await events()]).toEqual(before);
  });
});

describe('a change of address (W-13)', () => {
  const ask = (address: string) => visitor.post(preferences(), { save: 'address', address });

  test('the new one confirms, the old one is told', async () => {
    await ask('ana@new.example.com');
    await visitor.answer();
    expect(await readers()).toMatchObject([{ address: 'ana@example.com' }]);
    const [request] = await visitor.mails();
    expect(request?.to).toBe('ana@new.example.com');
    const link = request?.link('/confirm/') ?? '';
    expect(await (await visitor.get(link)).text()).toContain('a•••@new.example.com');
    await visitor.post(link);
    await visitor.answer();
    expect(await readers()).toMatchObject([{ address: 'ana@new.example.com', state: 'active' }]);
    const notice = (await visitor.mails()).at(-1);
    expect(notice?.to).toBe('ana@example.com');
    expect(notice?.text).toContain('a•••@new.example.com');
    expect(await events()).toContain('confirmed move');
  });

  test('W-04: is answered the same for an address that is on the list', async () => {
    await addSubscriber(newsletter, { address: 'ben@example.com', name: null });
    const answers = [await ask('ben@example.com'), await ask('new@example.com')];
    const [known, fresh] = await Promise.all(answers.map((answer) => answer.text()));
    expect(known).toBe(fresh);
  });

  test('to an address with a row of its own leaves one subscription', async () => {
    await addSubscriber(newsletter, { address: 'ben@example.com', name: null });
    await ask('ben@example.com');
    await visitor.answer();
    await visitor.post((await visitor.mails())[0]?.link('/confirm/') ?? '');
    expect(await readers()).toMatchObject([
      { address: 'ana@example.com', state: 'unsubscribed' },
      { address: 'ben@example.com', state: 'active' },
    ]);
  });

  test('what is no address is said to be none', async () => {
    const answer = await ask('ana@');
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('aria-invalid="true"');
  });

  test('the newest link alone works, and once', async () => {
    await ask('one@example.com');
    await visitor.answer();
    await ask('two@example.com');
    await visitor.answer();
    const [one, two] = (await visitor.mails()).map((mail) => mail.link('/confirm/'));
    expect((await visitor.post(one ?? '')).status).toBe(410);
    await visitor.post(two ?? '');
    await visitor.post(two ?? '');
    expect(await readers()).toMatchObject([{ address: 'two@example.com' }]);
    expect((await events()).filter((event) => event === 'confirmed move')).toHaveLength(1);
  });
});

describe('a slip (W-05)', () => {
  const undo = () => visitor.post(`/undo/${token('undo')}`);

  test('can be taken back for ten minutes', async () => {
    const page = await (await visitor.post(leaving(), { confirm: 'unsubscribe' })).text();
    expect(page).toContain(`action="/undo/${token('undo')}"`);
    newsletter.advance(10 * MINUTE - 1);
    expect((await undo()).status).toBe(200);
    expect((await undo()).status).toBe(200);
    expect(await readers()).toMatchObject([{ state: 'active' }]);
    expect((await events()).slice(1)).toEqual(['unsubscribed page', 'resubscribed undo']);
  });

  test('not later', async () => {
    await visitor.post(leaving(), { confirm: 'unsubscribe' });
    newsletter.advance(10 * MINUTE);
    expect((await undo()).status).toBe(404);
    expect(await readers()).toMatchObject([{ state: 'unsubscribed' }]);
    expect(await (await visitor.get(leaving())).text()).not.toContain('/undo/');
  });

  test('GET does not', async () => {
    await visitor.post(leaving(), { confirm: 'unsubscribe' });
    expect((await visitor.get(`/undo/${token('undo')}`)).status).toBe(404);
    expect(await readers()).toMatchObject([{ state: 'unsubscribed' }]);
  });
});

describe('a link that does not work (W-12)', () => {
  test('leads to a form that mails a fresh one', async () => {
    const path = leaving();
    newsletter.keys = [{ id: 'new', key: Buffer.alloc(32, 7) }];
    await newsletter.db.updateTable('subscribers').set({ public_id: 'another-id-1234' }).execute();
    publicId = 'another-id-1234';
    visitor = await openVisitor(newsletter);
    const page = await (await visitor.get(path)).text();
    expect(page).toContain('action="/link"');
    await visitor.post('/link', { address: 'ANA@example.com' });
    await visitor.answer();
    const [mail] = await visitor.mails();
    expect(mail?.link('/u/')).toBe(
      `/u/${unsubscribeToken(newsletter.keys, newsletter.settings.slug, publicId)}`,
    );
    expect((await visitor.post(mail?.link('/u/') ?? '')).status).toBe(200);
    expect(await readers()).toMatchObject([{ state: 'unsubscribed' }]);
  });

  test('W-04: the form answers the same for an address that is not on the list, and mails it nothing', async () => {
    const known = await (await visitor.post('/link', { address: 'ana@example.com' })).text();
    const unknown = await (await visitor.post('/link', { address: 'ben@example.com' })).text();
    expect(unknown).toBe(known);
    await visitor.answer();
    expect((await visitor.mails()).map(({ to }) => to)).toEqual(['ana@example.com']);
  });

  test('three mails a day', async () => {
    for (let i = 0; i < 5; i += 1) {
      await visitor.post('/link', { address: 'ana@example.com' });
      await visitor.answer();
    }
    expect(await visitor.mails()).toHaveLength(3);
  });
});
