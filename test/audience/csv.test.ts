import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  exportSubscribers,
  type ImportInput,
  type ImportReport,
  importSubscribers,
  type RefusedRow,
} from '../../src/audience/csv.ts';
import { addSubscriber, eachSubscriber } from '../../src/audience/subscribers.ts';
import { suppress } from '../../src/audience/suppression.ts';
import { removeSubscriber } from '../../src/audience/unsubscribe.ts';
import type { Store } from '../../src/store/open.ts';
import { openStore } from '../../src/store/open.ts';
import { seededRandom, temporaryDirectory, temporaryStore } from '../support/newsletter.ts';

const NOW = Date.parse('2026-11-20T08:00:00Z');
const world = { now: NOW, random: seededRandom() };

let db: Store['db'];
beforeEach(async () => {
  ({ db } = await temporaryStore());
});

interface Imported {
  report: ImportReport;
  refused: RefusedRow[];
}

async function load(
  csv: string | Buffer,
  options: Partial<ImportInput> = {},
  into = db,
): Promise<Imported> {
  const refused: RefusedRow[] = [];
  const bytes = typeof csv === 'string' ? Buffer.from(csv) : csv;
  const report = await importSubscribers(
    into,
    {
      newsletter: 'weekly',
      name: 'list.csv',
      // In small pieces: no character and no line may fall between them.
      input: (async function* () {
        for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
      })(),
      onRefused: (row) => refused.push(row),
      ...options,
    },
    world,
  );
  return { report, refused };
}

async function readers(of = db) {
  const rows = [];
  for await (const { address, name, language, tags, state } of eachSubscriber(of, {
    newsletter: 'weekly',
  }))
    rows.push({ address, name, language, tags: JSON.parse(tags) as string[], state });
  return rows;
}

async function exported(of = db): Promise<string> {
  let text = '';
  for await (const line of exportSubscribers(of, 'weekly')) text += line;
  return text;
}

describe('an import reads', () => {
  test.each<[string, string | Buffer, Partial<ImportInput>]>([
    ['commas', 'email,name\nana@example.com,"Ana, B."\n', {}],
    ['semicolons, found out', 'name;email\n"Ana, B.";ana@example.com\n', {}],
    ['tabs, found out', 'email\tname\nana@example.com\tAna, B.\n', {}],
    ['a sign that is declared', 'email|name\nana@example.com|Ana, B.\n', { delimiter: '|' }],
    ['CRLF', 'email,name\r\nana@example.com,"Ana, B."\r\n', {}],
    ['a mark of UTF-8', '\uFEFFemail,name\nana@example.com,"Ana, B."\n', {}],
    ['Chinese headers', '姓名,邮箱\n"Ana, B.",ana@example.com\n', {}],
    ['no header', 'ana@example.com,"Ana, B."\n', {}],
    ['empty lines between', '\n\nemail,name\n\nana@example.com,"Ana, B."\n\n', {}],
    ['no line break at the end', 'email,name\nana@example.com,"Ana, B."', {}],
  ])('%s', async (_, csv, options) => {
    expect((await load(csv, options)).report).toMatchObject({ added: 1, refused: 0 });
    expect(await readers()).toMatchObject([{ address: 'ana@example.com', name: 'Ana, B.' }]);
  });

  const GBK = Buffer.concat([
    Buffer.from('email,'),
    Buffer.from('d0d5c3fb', 'hex'),
    Buffer.from('\nlin@example.com,'),
    Buffer.from('c1d6cffe', 'hex'),
    Buffer.from('\n'),
  ]);

  test('GBK when it is declared, and refuses it otherwise, saying so', async () => {
    await expect(load(GBK)).rejects.toMatchObject({
      kind: 'input',
      code: 'csv-encoding',
      message: expect.stringContaining('--encoding gbk'),
    });
    expect(await readers()).toEqual([]);
    await load(GBK, { encoding: 'gbk' });
    expect(await readers()).toMatchObject([{ address: 'lin@example.com', name: '林晓' }]);
  });

  test('names and headers that mean something to JavaScript as what they are', async () => {
    await load('__proto__,email,constructor\n__proto__,ana@example.com,toString\n');
    expect(await readers()).toMatchObject([{ address: 'ana@example.com' }]);
  });
});

describe('a row is refused with line and reason, and the others are taken', () => {
  test.each([
    ['an address that is none', 'bad@@x,B', /is no email address/],
    ['a line break in a name', '"c@example.com","Evil\r\nBcc: x@y.z"', /line break/],
    ['a NUL byte', 'd@example.com,"a\0b"', /NUL/],
    ['no address', ',Nobody', /no address/],
    ['a state that is none', 'e@example.com,E,,,sleeping', /is no state/],
    ['a language that is none', 'f@example.com,F,"1; drop"', /is no language tag/],
    ['a name that goes on for ever', `g@example.com,${'x'.repeat(201)}`, /longer than 200/],
  ])('%s', async (_, row, reason) => {
    const filler = Array.from({ length: 40 }, (_, n) => `r${n}@example.com,R,,,`).join('\n');
    const csv = `email,name,language,tags,state\nana@example.com,Ana,,,\n${row}\nben@example.com,Ben,,,\n${filler}\n`;
    const { report, refused } = await load(csv);
    expect(report).toMatchObject({ added: 42, refused: 1 });
    expect(refused).toEqual([
      {
        line: expect.any(Number),
        value: expect.any(String),
        reason: expect.stringMatching(reason),
      },
    ]);
    expect(refused[0]?.line).toBeGreaterThanOrEqual(3);
    expect(refused[0]?.value).not.toMatch(/[\r\n\0]/);
  });

  test('the same address in another case counts once', async () => {
    const { report } = await load('email\nana@example.com\nANA@EXAMPLE.COM\nAna@Example.com\n');
    expect(report).toMatchObject({ added: 1, repeated: 2, refused: 0 });
  });
});

describe('a file is refused whole, and nothing is written', () => {
  test.each<[string, string | Buffer, string]>([
    ['empty', '', 'csv-empty'],
    ['without a column of addresses', 'foo,bar\n1,2\n', 'csv-without-address'],
    ['a spreadsheet', Buffer.from('504b0304140006000800', 'hex'), 'csv-binary'],
    ['UTF-16', Buffer.from('\uFEFFemail\nana@example.com\n', 'utf16le'), 'csv-encoding'],
    ['one open quote to its end', `email\n"${'a'.repeat(70_000)}`, 'csv-unreadable'],
  ])('that is %s', async (_, csv, code) => {
    await expect(load(csv, { dryRun: true })).rejects.toMatchObject({ kind: 'input', code });
    await expect(load(csv)).rejects.toMatchObject({ kind: 'input', code });
    expect(await readers()).toEqual([]);
  });
});

describe('an import never makes mailable', () => {
  const csv = 'email,state\nana@example.com,active\n';

  test('who left', async () => {
    await addSubscriber(
      db,
      { newsletter: 'weekly', address: 'ana@example.com', name: null, source: 'test' },
      world,
    );
    await removeSubscriber(
      db,
      { newsletter: 'weekly', address: 'ana@example.com', via: 'test' },
      NOW,
    );
    expect((await load(csv)).report).toMatchObject({ added: 0, unsubscribed: 1 });
    expect(await readers()).toMatchObject([{ state: 'unsubscribed' }]);
  });

  test('who is suppressed, in whatever case the file has the address', async () => {
    await suppress(
      db,
      { newsletter: 'other', address: 'Ana@Example.com', reason: 'complaint' },
      NOW,
    );
    expect((await load(csv)).report).toMatchObject({ added: 0, suppressed: 1 });
    expect(await readers()).toEqual([]);
  });

  test('who stands in the file as unsubscribed or suppressed', async () => {
    const left = 'email,state\nana@example.com,unsubscribed\nben@example.com,suppressed\n';
    expect((await load(left)).report).toMatchObject({ added: 0, unsubscribed: 1, suppressed: 1 });
    expect((await load('email\nana@example.com\n')).report).toMatchObject({ unsubscribed: 1 });
    expect((await readers()).filter(({ state }) => state === 'active')).toEqual([]);
  });
});

test('an import writes down where each consent comes from, and adds nothing when it is run again', async () => {
  const csv = 'email\nana@example.com\nben@example.com\n';
  await load(csv);
  expect((await load(csv)).report).toMatchObject({ added: 0, existing: 2 });
  const consents = await db.selectFrom('consents').select(['event', 'via', 'at']).execute();
  const once = { event: 'imported', via: 'import:list.csv', at: NOW };
  expect(consents).toEqual([once, once]);
});

test('a dry run counts the same and writes nothing', async () => {
  const csv = 'email\nana@example.com\nbad\nANA@example.com\n';
  const dry = await load(csv, { dryRun: true });
  expect(await readers()).toEqual([]);
  expect((await load(csv)).report).toEqual(dry.report);
});

describe('an export', () => {
  test.each(['=1+1', '+1', '-1', '@x', '＝1', "'=1", '\t=1'])(
    'lets no spreadsheet run %j',
    async (name) => {
      await addSubscriber(
        db,
        { newsletter: 'weekly', address: 'ana@example.com', name, source: 'test' },
        world,
      );
      const [, line = ''] = (await exported()).split('\n');
      const [, cell = ''] = line.split(',');
      expect(cell.replace(/^"/, '')).not.toMatch(/^[=+\-@＝]/);
    },
  );

  test('that is imported makes the same list, and exports the same again', async () => {
    const name = fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) && text.trim() === text);
    const reader = fc.record({
      local: fc.stringMatching(/^[a-z][a-z0-9.+-]{0,10}[a-z0-9]$/),
      name: fc.oneof(name, fc.constantFrom('=1+1', '"', ',', "'", "'=x", '姓名', 'a;b')),
      language: fc.constantFrom(null, 'zh-CN', 'en'),
      tags: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 3 }),
      left: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(reader, { maxLength: 8 }), async (list) => {
        const [from, to] = await Promise.all(
          [0, 1].map(() => openStore({ stateDir: temporaryDirectory() })),
        );
        if (!from || !to) return;
        for (const { local, name, language, tags, left } of list) {
          const address = `${local}@example.com`;
          if (local.includes('..')) continue;
          const added = { newsletter: 'weekly', address, name, language, tags, source: 'test' };
          await addSubscriber(from.db, added, world);
          if (left)
            await removeSubscriber(from.db, { newsletter: 'weekly', address, via: 'test' }, NOW);
        }
        const text = await exported(from.db);
        const { refused } = await load(text, {}, to.db);
        expect(refused).toEqual([]);
        expect(await readers(to.db)).toEqual(await readers(from.db));
        await Promise.all([from.close(), to.close()]);
      }),
      { numRuns: 40 },
    );
  });
});
