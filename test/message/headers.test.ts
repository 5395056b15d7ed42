import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { BroadsheetError } from '../../src/errors.ts';
import { compile, fill, type Head } from '../../src/message/program.ts';
import { compose, EMAIL, HEAD, READER, rawFields, rawLines, rawValues } from './sample.ts';

/** Subjects and names as people write them. */
const words = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('大模型', '🎉', '👩‍💻', 'Weekly', '=?', '"', '\\', ',', '<', '@'),
    ),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((parts) =>
    parts
      .join('')
      .replace(/\p{Cc}/gu, '')
      .replace(/\s+/g, ' ')
      .trim(),
  )
  .filter((text) => text !== '');

describe('header fields', () => {
  test('D-17: From, To, Subject, Date, Message-ID and MIME-Version are there once; Reply-To, Sender, Cc at most', () => {
    const names = rawFields(compose()).map(([name]) => name);
    for (const name of ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version']) {
      expect(names.filter((found) => found === name)).toHaveLength(1);
    }
    expect(names.length).toBe(new Set(names.map((name) => name.toLowerCase())).size);
  });

  test('a newsletter has these fields and no others', () => {
    expect(rawFields(compose()).map(([name]) => name)).toEqual([
      'From',
      'To',
      'Reply-To',
      'Subject',
      'Date',
      'Message-ID',
      'MIME-Version',
      'List-ID',
      'List-Unsubscribe',
      'List-Unsubscribe-Post',
      'List-Help',
      'Precedence',
      'Archived-At',
      'Feedback-ID',
      'Content-Type',
    ]);
    expect(rawValues(compose(), 'Precedence')).toEqual(['bulk']);
    expect(rawValues(compose(), 'List-Help')).toEqual(['<https://news.example.com/>']);
    expect(rawValues(compose(), 'Archived-At')).toEqual([
      '<https://news.example.com/issues/2023-09-w3>',
    ]);
  });

  test('what is optional can be left out', () => {
    const { replyTo: _r, helpUrl: _h, archivedAt: _a, feedbackId: _f, ...head } = HEAD;
    const names = rawFields(fill(compile(EMAIL, head), READER)).map(([name]) => name);
    expect(names).toEqual([
      'From',
      'To',
      'Subject',
      'Date',
      'Message-ID',
      'MIME-Version',
      'List-ID',
      'List-Unsubscribe',
      'List-Unsubscribe-Post',
      'Precedence',
      'Content-Type',
    ]);
  });

  test('D-19: Date is the time given, with an offset', () => {
    expect(rawValues(compose(), 'Date')).toEqual(['Sun, 17 Sep 2023 01:00:00 +0000']);
  });

  test('D-20: words have at most 75 characters, lines 76, and no character is split', async () => {
    await fc.assert(
      fc.asyncProperty(words, words, async (subject, name) => {
        const from = { ...HEAD.from, name };
        const message = compose({ email: { subject }, head: { from } });
        const fields = rawFields(message).filter(([field]) => /^(From|Subject)$/.test(field));
        const encoded = fields.flatMap(([, value]) => value.match(/=\?UTF-8\?B\?[^?]*\?=/g) ?? []);
        for (const word of encoded) {
          expect(word.length).toBeLessThanOrEqual(75);
          const bytes = Buffer.from(word.slice(10, -2), 'base64');
          expect(Buffer.from(bytes.toString())).toEqual(bytes);
        }
        const lines = fields.flatMap(([field, value]) => `${field}: ${value}`.split('\r\n'));
        for (const line of lines) {
          expect(line.length).toBeLessThanOrEqual(line.includes('=?UTF-8?B?') ? 76 : 78);
        }
        const parsed = await simpleParser(message);
        expect(parsed.subject).toBe(subject);
        expect(parsed.from?.value).toEqual([{ address: HEAD.from.address, name }]);
      }),
      { numRuns: 300 },
    );
  });

  test('D-20: plain English is not encoded; it is folded at its spaces', () => {
    const subject = `Weekly ${'word '.repeat(40)}end`;
    const [value] = rawValues(compose({ email: { subject } }), 'Subject');
    expect(value?.replaceAll('\r\n', '')).toBe(subject);
    expect(value).not.toMatch(/^\r\n/);
    const from = { ...HEAD.from, name: 'The "Weekly" News' };
    expect(rawValues(compose({ head: { from } }), 'From')).toEqual([
      '"The \\"Weekly\\" News" <weekly@news.example.com>',
    ]);
  });

  test('D-20: text that looks like an encoded word is read as it was written', async () => {
    const subject = '=?UTF-8?B?aGVsbG8=?= is an encoded word';
    const parsed = await simpleParser(compose({ email: { subject } }));
    expect(parsed.subject).toBe(subject);
  });

  test('D-26: the sender has an address that every server takes', () => {
    const refused = (head: Partial<Head>) => () => compose({ head });
    expect(refused({ from: { name: 'News', address: '周报@example.com' } })).toThrow(
      'cannot be mailed everywhere',
    );
    expect(refused({ replyTo: '编辑@example.com' })).toThrow('cannot be mailed everywhere');
    expect(refused({ replyTo: 'editor@例え.jp' })).not.toThrow();
  });

  test('D-27: the header block stays below 8 KB, whatever the reader', () => {
    const longest = {
      address: `${'a'.repeat(64)}@${`${'b'.repeat(60)}.`.repeat(3)}net`,
      token: 'x'.repeat(62),
      delivery: '9'.repeat(40),
    };
    const subject = '大'.repeat(1000);
    const message = compose({ email: { subject }, reader: longest });
    // 1 KB of it is kept for a signature.
    expect(message.indexOf('\r\n\r\n')).toBeLessThan(8192 - 1024);
    expect(() => compose({ email: { subject: '大'.repeat(1600) } })).toThrow(
      'The header is too long',
    );
  });

  test('D-28: List-ID is name and id; an id that is no domain or has more than 255 octets is refused', () => {
    expect(
      rawValues(
        compose({ head: { listId: { id: 'weekly.example.com', name: 'Weekly' } } }),
        'List-ID',
      ),
    ).toEqual(['"Weekly" <weekly.example.com>']);
    const refused = (id: string) => () => compose({ head: { listId: { id, name: 'Weekly' } } });
    expect(refused('weekly')).toThrow('The List-ID "weekly" is not usable');
    expect(refused('a b.example.com')).toThrow('is not usable');
    expect(refused(`${'a.'.repeat(126)}example.com`)).toThrow('is not usable');
  });

  test('D-31: Auto-Submitted stands only where a program alone decided to send', () => {
    expect(rawValues(compose(), 'Auto-Submitted')).toEqual([]);
    expect(rawValues(compose({ head: { autoSubmitted: true } }), 'Auto-Submitted')).toEqual([
      'auto-generated',
    ]);
  });

  test('D-33: a Feedback-ID needs a sender of 5 to 15 characters and no value twice', () => {
    const refused = (feedbackId: string) => () => compose({ head: { feedbackId } });
    expect(rawValues(compose(), 'Feedback-ID')).toEqual(['2023-09-w3:weekly:news:example']);
    expect(refused('a:b:c:d:sender')).toThrow('Feedback-ID');
    expect(refused('abc')).toThrow('Feedback-ID');
    expect(refused('news:news:sender')).toThrow('Feedback-ID');
    expect(refused('a b:sender')).toThrow('Feedback-ID');
  });
});

describe('D-21: no value can add a header or a recipient', () => {
  test.each(['\r\nBcc: eve@example.com', '\nBcc: eve@example.com', '\r', '\0', 'a\u0085b'])(
    'a subject, a name or an address with %j is refused',
    (evil) => {
      const refused = [
        () => compose({ email: { subject: `Hello${evil}` } }),
        () => compose({ head: { from: { ...HEAD.from, name: `News${evil}` } } }),
        () => compose({ head: { from: { ...HEAD.from, address: `news@example.com${evil}` } } }),
        () => compose({ head: { listId: { ...HEAD.listId, name: evil + 'x' } } }),
        () => compose({ reader: { address: `a@example.net${evil}` } }),
      ];
      for (const attempt of refused) expect(attempt).toThrow(BroadsheetError);
    },
  );

  const hostile = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 10 }),
        fc.constantFrom(
          '\r\n',
          '\n',
          '\r',
          '\0',
          'Bcc: eve@example.com',
          ' ',
          ':',
          ',',
          ';',
          '<',
          '>',
          '"',
          '\\',
          '@',
          '.',
          '{token}',
          'a@example.net',
          'https://example.com/',
          '=?UTF-8?B?DQo=?=',
          'xslot-name-1-tolsx',
          '大',
        ),
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join(''));

  /** Each takes one hostile value to one place. */
  const places: ((evil: string) => Parameters<typeof compose>[0])[] = [
    (evil) => ({ email: { subject: evil } }),
    (evil) => ({ email: { text: evil, html: evil } }),
    ...(
      [
        (evil) => ({ from: { name: evil, address: HEAD.from.address } }),
        (evil) => ({ from: { name: 'News', address: evil } }),
        (evil) => ({ replyTo: evil }),
        (evil) => ({ listId: { id: evil, name: 'Weekly' } }),
        (evil) => ({ listId: { id: HEAD.listId.id, name: evil } }),
        (evil) => ({ helpUrl: evil }),
        (evil) => ({ archivedAt: `https://example.com/${evil}` }),
        (evil) => ({ feedbackId: evil }),
        (evil) => ({ links: { ...HEAD.links, unsubscribe: `https://example.com/${evil}{token}` } }),
        (evil) => ({ mailtoUnsubscribe: `u+{token}@${evil}` }),
        (evil) => ({ mailtoUnsubscribe: evil }),
        (evil) => ({ identity: { ...HEAD.identity, issue: evil } }),
        (evil) => ({ identity: { ...HEAD.identity, domain: evil } }),
      ] satisfies ((evil: string) => Partial<Head>)[]
    ).map((change) => (evil: string) => ({ head: change(evil) })),
    (evil) => ({ reader: { address: evil } }),
    (evil) => ({ reader: { address: `a@example.net${evil}` } }),
    (evil) => ({ reader: { name: evil } }),
    (evil) => ({ reader: { token: evil } }),
    (evil) => ({ reader: { delivery: evil } }),
  ];

  test('any value in any place: refused, or the same fields and one recipient', async () => {
    const usual = rawFields(compose()).map(([name]) => name);
    let composed = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), hostile, async (place, evil) => {
        const message = attempt(() => compose(place(evil)));
        if (!message) return;
        composed += 1;
        expect(rawFields(message).map(([name]) => name)).toEqual(usual);
        expect(rawLines(message).filter((line) => /[\r\n]/.test(line))).toEqual([]);
        expect(message.includes('\0')).toBe(false);
        const { to, from, cc, bcc } = await simpleParser(message);
        expect([to, from, cc, bcc].flat().map((found) => found?.value.length)).toEqual([
          1,
          1,
          undefined,
          undefined,
        ]);
      }),
      { numRuns: 2000 },
    );
    expect(composed).toBeGreaterThan(100);
  });

  /** Only an error for people counts as a refusal. */
  function attempt(work: () => Buffer): Buffer | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof BroadsheetError) return undefined;
      throw error;
    }
  }
});
