import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { addressHash } from '../../src/audience/address.ts';
import { exportSubscribers, type ImportInput, importSubscribers } from '../../src/audience/csv.ts';
import { csvRows } from '../../src/audience/csv-rows.ts';
import type { FieldValues } from '../../src/audience/fields.ts';
import type { ImportReport, RefusedRow } from '../../src/audience/merge.ts';
import { addSubscriber, eachSubscriber } from '../../src/audience/subscribers.ts';
import { suppress } from '../../src/audience/suppression.ts';
import { removeSubscriber } from '../../src/audience/unsubscribe.ts';
import type { Fields } from '../../src/config/settings.ts';
import type { Store } from '../../src/store/open.ts';
import { openStore } from '../../src/store/open.ts';
import { seededRandom, temporaryDirectory, temporaryStore } from '../support/newsletter.ts';

const NOW = Date.parse('2026-11-20T08:00:00Z');
const world = { now: NOW, random: seededRandom() };

const FIELDS: Fields = {
  company: 'text',
  born: 'date',
  employees: 'number',
  member: 'boolean',
  plan: ['free', 'paid'],
};

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
      fields: FIELDS,
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
  for await (const {
    address,
    name,
    language,
    tags,
    fields,
    state,
    source,
    created_at,
  } of eachSubscriber(of, { newsletter: 'weekly' }))
    rows.push({
      address,
      name,
      language,
      tags: JSON.parse(tags) as string[],
      fields: JSON.parse(fields) as FieldValues,
      state,
      source,
      since: created_at,
    });
  // An import adds its readers in the order of their addresses.
  return rows.sort((a, b) => (a.address < b.address ? -1 : 1));
}

async function exported(of = db): Promise<string> {
  let text = '';
  for await (const line of exportSubscribers(of, 'weekly', FIELDS)) text += line;
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

describe('--update', () => {
  const first =
    'email,name,tags,company,state\nana@example.com,Ana,news,ACME,\nben@example.com,,,,unsubscribed\n';
  const second =
    'email,name,language,tags,company,employees,state\nANA@example.com,Anna,de,ai,,12,\nben@example.com,Ben,,,,,active\n';

  test('takes over names, languages and fields and adds tags; consent, source and date stay', async () => {
    await load(first);
    const before = await readers();
    const consents = await db.selectFrom('consents').selectAll().execute();
    const dry = await load(second, { update: true, dryRun: true });
    expect(await readers()).toEqual(before);
    const { report } = await load(second, { update: true });
    expect(report).toEqual(dry.report);
    expect(report).toMatchObject({ added: 0, existing: 1, unsubscribed: 1, updated: 2 });
    expect(await readers()).toEqual([
      {
        ...before[0],
        name: 'Anna',
        language: 'de',
        tags: ['news', 'ai'],
        fields: { company: 'ACME', employees: 12 },
      },
      { ...before[1], name: 'Ben' },
    ]);
    expect(await db.selectFrom('consents').selectAll().execute()).toEqual(consents);
    expect((await load(second, { update: true })).report).toMatchObject({ updated: 0 });
  });

  test('without it readers on the list stay as they are', async () => {
    await load(first);
    const before = await readers();
    expect((await load(second)).report).toMatchObject({ updated: 0 });
    expect(await readers()).toEqual(before);
  });

  test('a row that takes a reader off changes nothing else of the reader', async () => {
    await load(first);
    const left = 'email,name,state\nana@example.com,Other,unsubscribed\n';
    expect((await load(left, { update: true })).report).toMatchObject({ updated: 0 });
    expect((await readers())[0]).toMatchObject({ name: 'Ana', state: 'unsubscribed' });
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
      local: fc.stringMatching(/^[a-z][a-z0-9+-]{0,10}[a-z0-9]$/),
      name: fc.oneof(name, fc.constantFrom('=1+1', '"', ',', "'", "'=x", '姓名', 'a;b')),
      language: fc.constantFrom(null, 'zh-CN', 'en'),
      tags: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 3 }),
      fields: fc.record(
        {
          company: fc.oneof(name, fc.constant('=cmd()')).filter((text) => text !== ''),
          born: fc.constantFrom('1984-02-29', '2001-12-31'),
          employees: fc.oneof(fc.integer({ min: -9, max: 9_999 }), fc.constant(3.5)),
          member: fc.constantFrom('yes', 'no'),
          plan: fc.constantFrom('free', 'paid'),
        },
        { requiredKeys: [] },
      ),
      fate: fc.constantFrom('stays', 'leaves', 'complains'),
      since: fc.integer({ min: 0, max: NOW }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(reader, { maxLength: 8 }), async (list) => {
        const [from, to] = await Promise.all(
          [0, 1].map(() => openStore({ stateDir: temporaryDirectory() })),
        );
        if (!from || !to) return;
        for (const { local, fate, since, ...rest } of list) {
          const address = `${local}@example.com`;
          const at = { newsletter: 'weekly', address };
          await addSubscriber(
            from.db,
            { ...at, ...rest, source: 'form' },
            { ...world, now: since },
          );
          if (fate === 'leaves') await removeSubscriber(from.db, { ...at, via: 'test' }, NOW);
          if (fate === 'complains') await suppress(from.db, { ...at, reason: 'complaint' }, NOW);
        }
        const text = await exported(from.db);
        const { refused } = await load(text, {}, to.db);
        expect(refused).toEqual([]);
        const suppressed = await from.db
          .selectFrom('suppressions')
          .select('address_hash')
          .execute();
        const before = await readers(from.db);
        const gone = new Set(suppressed.map(({ address_hash }) => address_hash));
        // Who complained is kept as one who left, and suppressed for the same reason.
        const expected = before.map((row) =>
          gone.has(addressHash(row.address)) ? { ...row, state: 'unsubscribed' } : row,
        );
        expect(await readers(to.db)).toEqual(expected);
        const sorted = (csv: string) => csv.split('\n').sort();
        expect(sorted(await exported(to.db))).toEqual(sorted(text));
        await Promise.all([from.close(), to.close()]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('columns', () => {
  test('are told by flags, whatever the headers say', async () => {
    const csv = 'Mail;Kunde;Firma\nana@example.com;Ana;ACME\n';
    const columns = { email: 'Mail', name: 'kunde', company: 'Firma' };
    await load(csv, { columns });
    expect(await readers()).toMatchObject([
      { address: 'ana@example.com', name: 'Ana', fields: { company: 'ACME' } },
    ]);
  });

  test.each([
    [{ email: 'Post' }, 'csv-without-column'],
    [{ shoes: 'Mail' }, 'column-unknown'],
  ])('that are not there, or mean nothing, stop it: %j', async (columns, code) => {
    await expect(load('Mail\nana@example.com\n', { columns })).rejects.toMatchObject({ code });
    expect(await readers()).toEqual([]);
  });

  test('fields of the settings are read by their kind', async () => {
    const csv =
      'email,company,born,employees,member,plan\nana@example.com,ACME,1984/2/29,"3,5",TRUE,Paid\n';
    await load(csv);
    expect((await readers())[0]?.fields).toEqual({
      company: 'ACME',
      born: '1984-02-29',
      employees: 3.5,
      member: 'yes',
      plan: 'paid',
    });
  });

  test.each([
    ['born', '03/04/2024', /born .* is not a day with the year first/],
    ['born', '2023-02-29', /is not a day/],
    ['employees', 'many', /is not a number/],
    ['member', 'perhaps', /is not yes or no/],
    ['plan', 'gold', /is not one of free, paid/],
    ['created', 'yesterday', /is no date/],
    ['created', '2031-01-01', /lies in the future/],
  ])('a value of %s that is none refuses the row: %s', async (column, value, reason) => {
    const { refused } = await load(`email,${column}\nana@example.com,${value}\n`);
    expect(refused).toMatchObject([{ line: 2, reason: expect.stringMatching(reason) }]);
  });

  test('first and last name are one name; tags and language of the call are for those without', async () => {
    const csv =
      'email,first name,last name,language,tags\nana@example.com,Ana,Bo,,a\nben@example.com,,,de,\n';
    await load(csv, { tags: ['fair'], language: 'en' });
    expect(await readers()).toMatchObject([
      { name: 'Ana Bo', language: 'en', tags: ['a', 'fair'] },
      { name: null, language: 'de', tags: ['fair'] },
    ]);
  });
});

test('D-72: where and when a reader agreed is kept as the file says, and what was imported when', async () => {
  await load(
    'email,consent source,consent date,confirmed\nana@example.com,form https://example.com/join,2024-05-01T10:00:00+02:00,2024-05-01 08:05:00\n',
  );
  const source = 'form https://example.com/join';
  const since = Date.parse('2024-05-01T08:00:00Z');
  expect(await readers()).toMatchObject([{ source, since }]);
  const consents = await db
    .selectFrom('consents')
    .select(['event', 'via', 'at'])
    .orderBy('at')
    .execute();
  expect(consents).toEqual([
    { event: 'subscribed', via: source, at: since },
    { event: 'confirmed', via: source, at: Date.parse('2024-05-01T08:05:00Z') },
    { event: 'imported', via: 'import:list.csv', at: NOW },
  ]);
});

describe('an import takes consent away, whichever file comes first', () => {
  test.each([
    ['unsubscribed', 'unsubscribed', null],
    ['cleaned', 'unsubscribed', 'hard-bounce'],
    ['complained', 'unsubscribed', 'complaint'],
    ['blocklisted', 'unsubscribed', 'manual'],
  ])('of who is %s', async (word, state, reason) => {
    await load('email\nana@example.com\n');
    const { report } = await load(`email,status\nANA@example.com,${word}\n`);
    expect(report).toMatchObject({ added: 0, existing: 0 });
    expect(await readers()).toMatchObject([{ state }]);
    const rows = await db.selectFrom('suppressions').select('reason').execute();
    expect(rows).toEqual(reason === null ? [] : [{ reason }]);
    await load('email,status\nana@example.com,active\n');
    expect((await readers()).filter(({ state: now }) => now === 'active')).toEqual([]);
  });

  test('and of an address that one file calls both, in either order', async () => {
    await load(
      'email,state\nana@example.com,active\nana@example.com,unsubscribed\nben@example.com,unsubscribed\nBEN@example.com,active\n',
    );
    expect((await readers()).map(({ state }) => state)).toEqual(['unsubscribed', 'unsubscribed']);
  });

  test('who has not confirmed stays so', async () => {
    expect((await load('email,state\nana@example.com,unconfirmed\n')).report).toMatchObject({
      pending: 1,
      added: 0,
    });
    await load('email\nana@example.com\n');
    expect(await readers()).toMatchObject([{ state: 'pending' }]);
  });

  test('what the owner says of the whole file is not made better by a row', async () => {
    const standing = { state: 'pending' as const };
    await load('email,state\nana@example.com,active\nben@example.com,unsubscribed\n', { standing });
    expect((await readers()).map(({ state }) => state)).toEqual(['pending', 'unsubscribed']);
  });
});

describe('hostile files', () => {
  test('a row with a quote in the wrong place is refused, and the next one is taken', async () => {
    const { report, refused } = await load(
      'email,name\nana@example.com,"A" B\nben@example.com,Ben\n',
    );
    expect(report).toMatchObject({ added: 1, refused: 1 });
    expect(refused).toMatchObject([{ line: 2, reason: expect.stringContaining('quote') }]);
  });

  test('bytes that are not UTF-8 refuse their row, with its line', async () => {
    const csv = Buffer.concat([
      Buffer.from('email,name\nana@example.com,Ana\nben@example.com,'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('\ncem@example.com,Cem\n'),
    ]);
    const { report, refused } = await load(csv);
    expect(report).toMatchObject({ added: 2, refused: 1 });
    expect(refused).toMatchObject([{ line: 3, reason: 'the row is not utf-8' }]);
  });

  test('ten thousand columns, and one called __proto__, are nothing special', async () => {
    const many = Array.from({ length: 10_000 }, (_, at) => `c${at}`).join(',');
    await load(`__proto__,email,${many}\nx,ana@example.com\n`);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(await readers()).toMatchObject([{ address: 'ana@example.com' }]);
  });

  test('a line of 10 MB without an end is refused with its line, early', async () => {
    const csv = Buffer.concat([Buffer.from('email\nana@example.com\n'), Buffer.alloc(1e7, 'x')]);
    await expect(
      load(csv, {
        input: (async function* () {
          for (let at = 0; at < csv.length; at += 65_536) yield csv.subarray(at, at + 65_536);
        })(),
      }),
    ).rejects.toMatchObject({ code: 'csv-unreadable', problems: [{ line: 3 }] });
    expect(await readers()).toEqual([]);
  });

  test('lines that end as on an old Macintosh are lines', async () => {
    await load('email,name\rana@example.com,Ana\rben@example.com,Ben\r');
    expect((await readers()).map(({ name }) => name)).toEqual(['Ana', 'Ben']);
  });

  test('whatever the cells hold, the rows are those of RFC 4180, and lines are counted right', async () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.constantFrom('"', '""', ',', '\n', '\r\n', ';', 'a"b', ''),
    );
    const row = fc.array(cell, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 6 }), fc.nat(20), async (rows, step) => {
        const safe = rows
          .map((cells) => cells.map((text) => text.replace(/[\0\ufffd\ufeff]/g, '')))
          .filter((cells) => cells.some((text) => text.trim() !== ''));
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const lines = [['first', 'row'], ...safe].map((cells) => cells.map(quoted).join(','));
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const input = (async function* () {
          for (let at = 0; at < bytes.length; at += step + 1)
            yield bytes.subarray(at, at + step + 1);
        })();
        const found = [];
        for await (const part of csvRows({ input, name: 'x', delimiter: ',' })) found.push(...part);
        expect(found.map(({ cells }) => cells)).toEqual([['first', 'row'], ...safe]);
        let line = 1;
        for (const [at, { line: told }] of found.entries()) {
          expect(told).toBe(line);
          line += (lines[at] ?? '').split('\n').length;
        }
      }),
      { numRuns: 300 },
    );
  });
});
