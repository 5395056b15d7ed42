/** `draft --add`, and stories that go on. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { addSources } from '../../src/newsletter/add.ts';
import { type Desk, draft } from '../../src/newsletter/draft.ts';
import { readIssue } from '../../src/newsletter/issues.ts';
import { newsletterDirectory, writeIssue } from '../support/newsletter.ts';

let desk: Desk;
let notes: string;

beforeEach(() => {
  const dir = newsletterDirectory();
  desk = { dir, settings: loadSettings(dir), clock: () => Date.parse('2026-11-20T08:00:00Z') };
  notes = join(dir, 'notes.yaml');
});

const file = (id: string, name = 'issue.md') => join(desk.dir, 'issues', id, name);
const note = (...items: { title: string; text: string; link: string }[]) =>
  writeFileSync(notes, JSON.stringify(items));

const FALCON = {
  title: 'Falcon 180B 发布在 Hugging Face',
  text: 'Falcon 180B 有 1800 亿参数，用 3.5 万亿 token 训练，由 TII 发布。',
  link: 'https://falcon.example',
};
const OTHER = {
  title: '某公司开源数据库 FooDB',
  text: 'FooDB 的写入速度提升 37 倍。',
  link: 'https://foo.example',
};

/** An issue as an editor left it: own spacing, a mark of their own, an item without source line. */
const EDITED = `---
title: T
date: 2026-11-22   # Sunday
language: zh-CN
---

Opening,   with odd   spaces.

## 模型 {#models}

### 1800 亿参数开源大模型 Falcon 180B 上线 Hugging Face {#falcon .lead}

阿联酋 TII 的 Falcon 180B 用 3.5 万亿 token 训练。

## 研究 {#research}

### Something else {#else}

Words.

[Else](https://else.example)
`;

function edit(text = EDITED): void {
  writeIssue(desk.dir, 'w4');
  writeFileSync(file('w4'), text);
}

describe('draft --add', () => {
  test('gives an item that stands the link of a source that tells the same', async () => {
    edit();
    note(FALCON);
    const done = await addSources(desk, 'w4', { sources: [notes] });
    expect(done).toMatchObject({ added: 0, linked: 1 });
    expect(readFileSync(file('w4'), 'utf8')).toBe(
      EDITED.replace('token 训练。\n', `token 训练。\n\n[${FALCON.title}](${FALCON.link})\n`),
    );
  });

  test('puts what is new at the end of its section, and touches no word that stands', async () => {
    edit();
    note(OTHER);
    const done = await addSources(desk, 'w4', { sources: [notes] });
    expect(done).toMatchObject({ added: 1, linked: 0 });
    const text = readFileSync(file('w4'), 'utf8');
    const lines = text.split('\n');
    expect(EDITED.split('\n').filter((line) => !lines.includes(line))).toEqual([]);
    let at = -1;
    for (const line of EDITED.split('\n').filter(Boolean)) {
      expect(lines.indexOf(line, at + 1)).toBeGreaterThan(at);
      at = lines.indexOf(line, at + 1);
    }
    const { issue } = readIssue(desk, 'w4');
    const added = issue.sections
      .flatMap(({ items }) => items)
      .find(({ links }) => links[0]?.url === OTHER.link);
    expect(added).toMatchObject({ headline: OTHER.title, lead: false });
  });

  test('keeps the line endings of the file', async () => {
    edit(EDITED.replaceAll('\n', '\r\n'));
    note(FALCON, OTHER);
    await addSources(desk, 'w4', { sources: [notes] });
    expect(readFileSync(file('w4'), 'utf8').replaceAll('\r\n', '')).not.toContain('\n');
  });

  test('keeps source and draft beside the issue; the same source a second time is refused', async () => {
    edit();
    note(FALCON, OTHER);
    await addSources(desk, 'w4', { sources: [notes] });
    expect(existsSync(file('w4', 'notes.yaml'))).toBe(true);
    const kept = JSON.parse(readFileSync(file('w4', 'draft.json'), 'utf8'));
    expect(kept.sources.map(({ name }: { name: string }) => name)).toEqual(['notes.yaml']);
    const before = readFileSync(file('w4'), 'utf8');
    await expect(addSources(desk, 'w4', { sources: [notes] })).rejects.toMatchObject({
      kind: 'input',
      code: 'source-known',
    });
    expect(readFileSync(file('w4'), 'utf8')).toBe(before);
  });

  test('to an issue that nobody has edited leaves it unedited: it may be drafted anew', async () => {
    const talk = join(desk.dir, 'talk.txt');
    writeFileSync(talk, '微软推出新模型phi-1.5。腾讯健康公布医疗大模型。');
    await draft(desk, { sources: [talk], issue: 'w4' });
    note(OTHER);
    await addSources(desk, 'w4', { sources: [notes] });
    await expect(draft(desk, { sources: [talk], issue: 'w4' })).resolves.toBeDefined();
  });

  test('to an issue that is not there, or of a source that is broken, writes nothing', async () => {
    note(OTHER);
    await expect(addSources(desk, 'none', { sources: [notes] })).rejects.toMatchObject({
      code: 'issue-missing',
    });
    edit();
    writeFileSync(notes, '- {');
    await expect(addSources(desk, 'w4', { sources: [notes] })).rejects.toMatchObject({
      code: 'notes-yaml',
    });
    expect(readFileSync(file('w4'), 'utf8')).toBe(EDITED);
    expect(existsSync(file('w4', 'notes.yaml'))).toBe(false);
  });
});

describe('a story that an earlier issue has told', () => {
  const draftNotes = () => draft(desk, { sources: [notes], issue: 'w5', date: '2026-11-29' });

  test('says so, to the editor and in draft.json', async () => {
    edit();
    note(FALCON, OTHER);
    const { draft: found } = await draftNotes();
    const earlier = found.items.find(({ headline }) => headline === FALCON.title)?.earlier;
    expect(earlier).toMatchObject({
      issue: 'w4',
      headline: expect.stringContaining('Falcon 180B'),
    });
    const text = readFileSync(file('w5'), 'utf8');
    expect(text.match(/<!-- check: 先前报道: w4 .*Falcon 180B.*-->/g)).toHaveLength(1);
  });

  test('is not looked for in issues of long ago, nor in later ones', async () => {
    edit(EDITED.replace('2026-11-22', '2026-10-01'));
    note(FALCON);
    expect((await draftNotes()).draft.items[0]?.earlier).toBeUndefined();
    edit(EDITED.replace('2026-11-22', '2026-12-06'));
    expect((await draftNotes()).draft.items[0]?.earlier).toBeUndefined();
  });

  test('is not seen in other news of the same company', async () => {
    edit();
    note({
      title: 'Hugging Face 融资',
      text: 'Hugging Face 完成 2.35 亿美元融资，估值 45 亿美元。',
      link: 'https://hf.example',
    });
    expect((await draftNotes()).draft.items[0]?.earlier).toBeUndefined();
  });
});
