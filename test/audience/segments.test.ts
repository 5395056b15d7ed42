import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FieldValues } from '../../src/audience/fields.ts';
import { matches, segmentNamed } from '../../src/audience/segments.ts';
import { addSubscriber } from '../../src/audience/subscribers.ts';
import type { Condition, Fields } from '../../src/config/settings.ts';
import type { Store } from '../../src/store/open.ts';
import { seededRandom, temporaryStore } from '../support/newsletter.ts';

const NOW = Date.parse('2026-11-20T08:00:00Z');
const DAY = 86_400_000;
const random = seededRandom();
const FIELDS: Fields = {
  company: 'text',
  born: 'date',
  employees: 'number',
  member: 'boolean',
  plan: ['free', 'paid'],
};

interface Reader {
  language: string | null;
  tags: string[];
  fields: FieldValues;
  since: number;
}

let db: Store['db'];
beforeEach(async () => {
  ({ db } = await temporaryStore());
});

async function add(address: string, reader: Partial<Reader>): Promise<void> {
  const { since = NOW, ...rest } = reader;
  await addSubscriber(
    db,
    { newsletter: 'weekly', address, name: null, source: 'test', ...rest },
    { now: since, random },
  );
}

async function among(condition: Condition): Promise<string[]> {
  const rows = await db
    .selectFrom('subscribers')
    .select('address')
    .where(matches(condition, { db, fields: FIELDS, now: NOW }))
    .orderBy('address')
    .execute();
  return rows.map(({ address }) => address.replace('@example.com', ''));
}

async function addThree(): Promise<void> {
  await add('ana@example.com', {
    language: 'zh-CN',
    tags: ['ai', 'press'],
    fields: { company: 'ACME', born: '1984-02-29', employees: 12, member: 'yes', plan: 'paid' },
    since: NOW - 400 * DAY,
  });
  await add('ben@example.com', {
    language: 'de',
    tags: ['AI', 'a'],
    fields: { company: 'O"Neill\\', born: '2001-12-31', employees: 3.5, member: 'no' },
    since: NOW - 10 * DAY,
  });
  await add('cem@example.com', {});
}

const CASES: [Condition, string[]][] = [
  [{ tag: 'ai' }, ['ana']],
  [{ tag: 'AI' }, ['ben']],
  [{ tag: 'a' }, ['ben']],
  [{ tag: '%' }, []],
  [{ not: { tag: 'press' } }, ['ben', 'cem']],
  [{ language: 'zh' }, ['ana']],
  [{ language: 'zh-cn' }, ['ana']],
  [{ language: 'd' }, []],
  [{ field: 'company', is: 'ACME' }, ['ana']],
  [{ field: 'company', is: 'O"Neill\\' }, ['ben']],
  [{ field: 'company', is: "' or 1=1 --" }, []],
  [{ field: 'company', in: ['ACME', 'O"Neill\\'] }, ['ana', 'ben']],
  [{ field: 'company', known: false }, ['cem']],
  [{ not: { field: 'company', is: 'ACME' } }, ['ben', 'cem']],
  [{ field: 'employees', above: 3.5 }, ['ana']],
  [{ field: 'employees', below: 5 }, ['ben']],
  [{ field: 'employees', is: 12 }, ['ana']],
  [{ field: 'employees', in: [12, 3.5] }, ['ana', 'ben']],
  [{ field: 'employees', above: 1, below: 10 }, ['ben']],
  [{ field: 'born', before: '2000-01-01' }, ['ana']],
  [{ field: 'born', after: '1984-02-29' }, ['ben']],
  [{ field: 'member', is: true }, ['ana']],
  [{ field: 'member', is: false }, ['ben']],
  [{ field: 'plan', known: true }, ['ana']],
  [{ joined: { within: 30 * DAY } }, ['ben', 'cem']],
  [{ joined: { before: '2026-01-01' } }, ['ana']],
  [{ joined: { after: '2026-11-10' } }, ['cem']],
  [{ joined: { after: '2026-11-09', before: '2026-11-11' } }, ['ben']],
  [{ all: [{ tag: 'ai' }, { language: 'zh' }] }, ['ana']],
  [{ any: [{ tag: 'ai' }, { language: 'de' }] }, ['ana', 'ben']],
  [{ all: [{ not: { any: [{ tag: 'ai' }, { tag: 'AI' }] } }] }, ['cem']],
];

describe('a condition', () => {
  beforeEach(addThree);

  test.each(CASES)('%j', async (condition, expected) => {
    expect(await among(condition)).toEqual(expected);
  });
});

test('a segment that is not in the settings is named, with those that are', () => {
  expect(() => segmentNamed({ paying: { tag: 'a' } }, 'payng')).toThrow(
    expect.objectContaining({ code: 'segment-unknown', kind: 'input' }),
  );
  expect(() => segmentNamed({}, 'toString')).toThrow(/no segment/);
});

/** The same, said in JavaScript. */
function truth(condition: Condition, reader: Reader): boolean {
  const { all, any, not, tag, language, field = '', is, above } = condition;
  if (all) return all.every((each) => truth(each, reader));
  if (any) return any.some((each) => truth(each, reader));
  if (not) return !truth(not, reader);
  if (tag !== undefined) return reader.tags.includes(tag);
  if (language !== undefined) return `${reader.language}-`.startsWith(`${language}-`);
  const value = reader.fields[field];
  if (is !== undefined) return value === is;
  return typeof value === 'number' && value > (above ?? 0);
}

test('whatever is nested in whatever, the database and the condition agree', async () => {
  const leaf: fc.Arbitrary<Condition> = fc.oneof(
    fc.record({ tag: fc.constantFrom('a', 'b', 'ab') }),
    fc.record({ language: fc.constantFrom('en', 'zh') }),
    fc.record({ field: fc.constant('company'), is: fc.constantFrom('x', '"', 'é', "'") }),
    fc.record({ field: fc.constant('employees'), above: fc.integer({ min: 0, max: 4 }) }),
  );
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ not: tie('condition') }),
    ),
  }));
  const readers: Reader[] = [];
  for (const language of ['en', 'zh-CN', null])
    for (const tags of [[], ['a'], ['ab', 'b']])
      for (const fields of [{}, { company: '"' }, { company: 'x', employees: 3 }, { employees: 0 }])
        readers.push({ language, tags, fields: fields as FieldValues, since: NOW });
  for (const [at, reader] of readers.entries()) await add(`r${100 + at}@example.com`, reader);
  await fc.assert(
    fc.asyncProperty(condition, async (one) => {
      const expected = readers.flatMap((reader, at) =>
        truth(one, reader) ? [`r${100 + at}`] : [],
      );
      expect(await among(one)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});
