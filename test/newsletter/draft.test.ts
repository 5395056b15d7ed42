import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { parseIssue } from '../../src/issue/parse.ts';
import { type Desk, type DraftInput, draft, draftOnly } from '../../src/newsletter/draft.ts';
import { newsletterDirectory } from '../support/newsletter.ts';

const TRANSCRIPT =
  '大家好,这里是AI大模型周报。微软研究人员推出代码生成模型Phi-1.5,参数仅13亿。腾讯健康公布医疗大模型。这期节目就到这里。';

let desk: Desk;
let source: string;

beforeEach(() => {
  const dir = newsletterDirectory();
  desk = { dir, settings: loadSettings(dir), clock: () => Date.parse('2026-11-20T08:00:00Z') };
  source = join(dir, 'talk.txt');
  writeFileSync(source, TRANSCRIPT);
});

const issues = () => readdirSync(join(desk.dir, 'issues'));
const file = (id: string, name: string) => join(desk.dir, 'issues', id, name);

describe('draft', () => {
  test('copies the source in and writes draft.json and an issue.md that can be read', async () => {
    const done = await draft(desk, { sources: [source], issue: '2026-11-w4' });
    expect(readdirSync(join(desk.dir, 'issues', '2026-11-w4')).sort()).toEqual([
      'draft.json',
      'issue.md',
      'talk.txt',
    ]);
    expect(readFileSync(file('2026-11-w4', 'talk.txt'), 'utf8')).toBe(TRANSCRIPT);
    const text = readFileSync(done.issueFile, 'utf8');
    const issue = parseIssue(text, {
      id: '2026-11-w4',
      file: 'issue.md',
      language: 'zh-CN',
      sections: desk.settings.sections,
    });
    expect(issue.date).toBe('2026-11-22');
    expect(issue.title).toBe('AI大模型周报 2026年11月第4期');
    expect(issue.sections.flatMap(({ items }) => items).length).toBe(done.draft.items.length);
  });

  test('takes the id from the folder in which the source lies', async () => {
    mkdirSync(join(desk.dir, 'issues', '2026-11-w4'), { recursive: true });
    writeFileSync(file('2026-11-w4', 'talk.txt'), TRANSCRIPT);
    const done = await draft(desk, { sources: [file('2026-11-w4', 'talk.txt')] });
    expect(done.issue).toBe('2026-11-w4');
  });

  test('may be repeated as long as nobody has edited the file', async () => {
    const input = { sources: [source], issue: 'a' };
    await draft(desk, input);
    await expect(draft(desk, { ...input, title: 'Another' })).resolves.toBeDefined();
    expect(readFileSync(file('a', 'issue.md'), 'utf8')).toContain('title: Another');
  });

  test('never overwrites an edited file, and says how to', async () => {
    const input = { sources: [source], issue: 'a' };
    await draft(desk, input);
    writeFileSync(file('a', 'issue.md'), 'mine');
    await expect(draft(desk, input)).rejects.toMatchObject({
      kind: 'blocked',
      code: 'issue-edited',
      message: expect.stringContaining('--force'),
    });
    expect(readFileSync(file('a', 'issue.md'), 'utf8')).toBe('mine');
    await draft(desk, { ...input, force: true });
    expect(readFileSync(file('a', 'issue.md'), 'utf8')).not.toBe('mine');
  });

  test('never overwrites a file that was written by hand', async () => {
    mkdirSync(join(desk.dir, 'issues', 'a'));
    writeFileSync(file('a', 'issue.md'), 'mine');
    await expect(draft(desk, { sources: [source], issue: 'a' })).rejects.toMatchObject({
      code: 'issue-edited',
    });
    expect(readFileSync(file('a', 'issue.md'), 'utf8')).toBe('mine');
  });

  test('gives the same bytes for the same source and settings', async () => {
    await draft(desk, { sources: [source], issue: 'a', title: 't' });
    await draft(desk, { sources: [source], issue: 'b', title: 't', date: '2026-11-22' });
    expect(readFileSync(file('a', 'draft.json'))).toEqual(readFileSync(file('b', 'draft.json')));
  });

  test('with --json only computes, and needs no id', async () => {
    const computed = await draftOnly(desk, { sources: [source] });
    expect(computed.sources[0]?.segments.at(-1)?.end).toBe(TRANSCRIPT.length);
    expect(issues()).toEqual([]);
  });
});

describe('bad input is named, and nothing is written', () => {
  const nul = Buffer.alloc(3000, 0);
  test.each<[string, string | Buffer, Partial<DraftInput>, string]>([
    ['an empty file', '', {}, 'source-empty'],
    ['a file of blanks', ' \n\n\t', {}, 'source-empty'],
    ['a binary file', nul, {}, 'source-binary'],
    ['a wrong encoding', Buffer.from([0xc4, 0xe3, 0xba, 0xc3]), { encoding: 'utf-8' }, 'encoding'],
    ['an encoding that is none', TRANSCRIPT, { encoding: 'klingon' }, 'encoding'],
    ['a wrong folder name', TRANSCRIPT, { issue: 'Bad Name' }, 'issue-id'],
    ['a way out of the folder', TRANSCRIPT, { issue: '../../etc' }, 'issue-id'],
    ['an impossible date', TRANSCRIPT, { date: '2023-02-30' }, 'date-invalid'],
    ['an impossible date in the id', TRANSCRIPT, { issue: '2023-02-30' }, 'date-invalid'],
    ['the thirteenth month', TRANSCRIPT, { issue: '2023-13-w1' }, 'date-invalid'],
    ['no id', TRANSCRIPT, { issue: undefined }, 'issue-unnamed'],
  ])('%s', async (_, content, change, code) => {
    writeFileSync(source, content);
    const input = { sources: [source], issue: 'a', ...change };
    await expect(draft(desk, input)).rejects.toMatchObject({
      kind: 'input',
      code: expect.stringContaining(code),
    });
    expect(issues()).toEqual([]);
    expect(existsSync(source)).toBe(true);
  });

  test('two sources of one name', async () => {
    mkdirSync(join(desk.dir, 'other'));
    const twin = join(desk.dir, 'other', 'talk.txt');
    writeFileSync(twin, TRANSCRIPT);
    await expect(draft(desk, { sources: [source, twin], issue: 'a' })).rejects.toMatchObject({
      kind: 'input',
      code: 'source-twice',
    });
    expect(issues()).toEqual([]);
  });

  test('a source that is missing, and a folder', async () => {
    for (const [path, code] of [
      [join(desk.dir, 'none.txt'), 'source-missing'],
      [desk.dir, 'source-not-a-file'],
    ]) {
      await expect(draft(desk, { sources: [path as string], issue: 'a' })).rejects.toMatchObject({
        kind: 'input',
        code,
        message: expect.stringContaining(path as string),
      });
    }
    expect(issues()).toEqual([]);
  });
});

test.each([
  ['GBK', 'detected', undefined],
  ['GBK', 'declared', 'gbk'],
])('a %s file, %s, is decoded', async (_, __, encoding) => {
  const gbk = Buffer.from(
    'b4f3bcd2bac32cd5e2c0efcac74149b4f3c4a3d0cdd6dcb1a8a1a3cea2c8edcdc6b3f6d0c2c4a3d0cda1a3',
    'hex',
  );
  writeFileSync(source, gbk);
  const computed = await draftOnly(desk, { sources: [source], encoding });
  expect(computed.sources[0]?.segments.at(-1)?.end).toBe(
    '大家好,这里是AI大模型周报。微软推出新模型。'.length,
  );
});
