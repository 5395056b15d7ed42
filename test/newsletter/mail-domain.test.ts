import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RefusedRow } from '../../src/audience/merge.ts';
import type { Settings } from '../../src/config/settings.ts';
import { verifySignature } from '../../src/message/dkim.ts';
import { importFile } from '../../src/newsletter/import.ts';
import {
  type MailResolver,
  rememberingDomains,
  takesMail,
} from '../../src/newsletter/mail-domain.ts';
import { openTestNewsletter } from '../support/newsletter.ts';
import { startReceiver } from '../support/receiver.ts';
import { openVisitor } from '../support/visitor.ts';

const failure = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));

/** A resolver that knows a few domains. */
function resolver(asked: string[] = []): MailResolver {
  const mx: Record<string, string[]> = {
    'good.example': ['mx.good.example'],
    'null.example': [''],
  };
  return {
    resolveMx: ((domain: string) => {
      asked.push(domain);
      if (domain === 'slow.example') return failure('ETIMEOUT');
      if (!mx[domain]) return failure(domain === 'none.example' ? 'ENOTFOUND' : 'ENODATA');
      return Promise.resolve(mx[domain].map((exchange) => ({ exchange, priority: 0 })));
    }) as MailResolver['resolveMx'],
    resolve4: ((domain: string) =>
      domain === 'address.example'
        ? Promise.resolve(['192.0.2.1'])
        : failure('ENODATA')) as unknown as MailResolver['resolve4'],
    resolve6: (() => failure('ENODATA')) as unknown as MailResolver['resolve6'],
  };
}

describe('W-18: a domain takes mail', () => {
  test.each([
    ['that has an MX', 'good.example', true],
    ['that has an address alone (RFC 5321 5.1)', 'address.example', true],
    ['whose name server does not answer: the mail will show it', 'slow.example', true],
    ['not with a null MX (RFC 7505)', 'null.example', false],
    ['not without MX and address', 'bare.example', false],
    ['not where it does not exist', 'none.example', false],
  ])('%s', async (_, domain, expected) => {
    expect(await takesMail(resolver(), domain)).toBe(expected);
  });

  test('and is asked once in ten minutes', async () => {
    const asked: string[] = [];
    let now = 0;
    const check = rememberingDomains(resolver(asked), () => now);
    await Promise.all([check('good.example'), check('good.example')]);
    expect(asked).toHaveLength(1);
    now = 600_000;
    await check('good.example');
    expect(asked).toHaveLength(2);
  });
});

describe('mails that go out', () => {
  const smtp = (settings: Settings): Settings => ({
    ...settings,
    delivery: { ...settings.delivery, channel: 'smtp' },
  });

  async function serving(reply?: (to: string, times: number) => string | undefined) {
    const seen = new Map<string, number>();
    const receiver = await startReceiver((step, { to }) => {
      if (step !== 'rcpt') return undefined;
      seen.set(to, (seen.get(to) ?? 0) + 1);
      return reply?.(to, seen.get(to) ?? 0);
    });
    const newsletter = await openTestNewsletter({ settings: smtp });
    newsletter.secrets = { smtpUrl: receiver.url };
    return { receiver, newsletter, visitor: await openVisitor(newsletter, resolver()) };
  }

  test('W-04, W-18: nothing goes to a domain that takes none', async () => {
    const { receiver, visitor } = await serving();
    await visitor.signUp('ana@null.example');
    await visitor.signUp('ben@good.example');
    await visitor.answer();
    expect(receiver.mails.map(({ to }) => to)).toEqual(['ben@good.example']);
  });

  test('what the relay defers is tried again, by another token, and given up after two days', async () => {
    const { receiver, newsletter, visitor } = await serving((to, times) =>
      to.startsWith('never') || times === 1 ? '451 4.7.1 later' : undefined,
    );
    await visitor.signUp('ana@good.example');
    await visitor.signUp('never@good.example');
    await visitor.answer();
    expect(receiver.mails).toEqual([]);
    newsletter.advance(20 * 60_000);
    await visitor.answer();
    expect(receiver.mails.map(({ to }) => to)).toEqual(['ana@good.example']);
    for (let hour = 0; hour < 60; hour += 1) {
      newsletter.advance(3_600_000);
      await visitor.answer();
    }
    expect(receiver.mails).toHaveLength(1);
    expect(await newsletter.db.selectFrom('notices').selectAll().execute()).toEqual([]);
  });

  test('an address that does not exist is not asked again', async () => {
    const { newsletter, visitor, receiver } = await serving(() => '550 5.1.1 no such user');
    await visitor.signUp('ana@good.example');
    await visitor.answer();
    expect(receiver.mails).toEqual([]);
    const rows = await newsletter.db.selectFrom('suppressions').select('reason').execute();
    expect(rows).toEqual([{ reason: 'hard-bounce' }]);
    expect(await newsletter.db.selectFrom('notices').selectAll().execute()).toEqual([]);
  });

  test('D-04, D-15: are signed where Broadsheet signs, though they are no list mail', async () => {
    const { newsletter, visitor, receiver } = await serving();
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    newsletter.secrets.dkimKey = privateKey.export({ type: 'pkcs8', format: 'pem' });
    newsletter.settings.dkim = { signer: 'broadsheet', domain: 'news.example.com', selector: 'k1' };
    await visitor.signUp('ana@good.example');
    await visitor.answer();
    const message = receiver.mails[0]?.body ?? '';
    expect(() => verifySignature(Buffer.from(message), publicKey)).not.toThrow();
    expect(message).not.toMatch(/^List-/m);
  });

  test('two processes that serve send each mail once', async () => {
    const { newsletter, visitor, receiver } = await serving();
    const other = await openVisitor(newsletter, resolver());
    for (const name of ['a', 'b', 'c', 'd']) await visitor.signUp(`${name}@good.example`);
    await Promise.all([visitor.answer(), other.answer()]);
    await visitor.answer();
    expect(receiver.mails.map(({ to }) => to).sort()).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => `${name}@good.example`),
    );
  });
});

test('D-66: an import that asks the DNS refuses rows of domains that take no mail, and those alone', async () => {
  const newsletter = await openTestNewsletter();
  const path = join(newsletter.dir, 'readers.csv');
  writeFileSync(
    path,
    'email\na@good.example\nb@null.example\nc@none.example\nd@slow.example\nE@NULL.example\n',
  );
  const asked: string[] = [];
  const rows: RefusedRow[] = [];
  const options = { checkDomains: true, onRefused: (row: RefusedRow) => rows.push(row) };
  const result = await importFile(newsletter, path, options, resolver(asked));
  expect(result).toMatchObject({ added: 2, refused: 3 });
  expect(rows.map(({ line, reason }) => [line, reason])).toEqual([
    [3, 'null.example takes no mail'],
    [4, 'none.example takes no mail'],
    [6, 'null.example takes no mail'],
  ]);
  expect(asked.filter((domain) => domain === 'null.example')).toHaveLength(1);
  const silent: string[] = [];
  expect(await importFile(newsletter, path, {}, resolver(silent))).toMatchObject({ refused: 0 });
  expect(silent).toEqual([]);
});
