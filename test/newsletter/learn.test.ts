/** An editor's answers, read off the edited file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { type Desk, draft } from '../../src/newsletter/draft.ts';
import { learnFromIssue } from '../../src/newsletter/learn.ts';
import { newsletterDirectory } from '../support/newsletter.ts';

let desk: Desk;
let issueFile: string;

beforeEach(async () => {
  const dir = newsletterDirectory();
  writeFileSync(
    join(dir, 'config/glossary.yaml'),
    'entries:\n  - { id: FurChat, type: product }\n  - { id: Cohere, type: org }\n',
  );
  desk = { dir, settings: loadSettings(dir), clock: () => Date.parse('2026-11-20T08:00:00Z') };
  const talk = join(dir, 'talk.txt');
  writeFileSync(talk, '具身对话代理FirstChat基于大模型打造，能够聊天。Cohear发布了新的模型。');
  const { draft: found, issueFile: written } = await draft(desk, { sources: [talk], issue: 'w4' });
  issueFile = written;
  // The test stands on one suggestion and one repair.
  const repairs = found.sources[0]?.repairs.map(({ from, to, applied }) => [from, to, applied]);
  expect(repairs).toEqual([
    ['FirstChat', 'FurChat', false],
    ['Cohear', 'Cohere', true],
  ]);
});

const edit = (change: (text: string) => string) =>
  writeFileSync(issueFile, change(readFileSync(issueFile, 'utf8')));
const settled = (text: string) => text.replace(/\s*<!--[\s\S]*?-->/g, '');
const glossary = () => loadSettings(desk.dir).glossary;

test('an accepted suggestion becomes an alias, and is repaired by itself from then on', async () => {
  edit((text) => settled(text).replaceAll('FirstChat', 'FurChat'));
  expect(learnFromIssue(desk, 'w4')).toEqual({
    aliases: [{ id: 'FurChat', alias: 'FirstChat' }],
    protect: [],
  });
  expect(glossary().entries[0]?.aliases).toEqual(['FirstChat']);
  const taught = { ...desk, settings: loadSettings(desk.dir) };
  const { draft: again } = await draft(taught, {
    sources: [join(desk.dir, 'talk.txt')],
    issue: 'w5',
  });
  expect(again.sources[0]?.repairs[0]).toMatchObject({ from: 'FirstChat', applied: true });
});

test('a refused suggestion, and a repair that was taken back, are protected', async () => {
  edit((text) => settled(text).replaceAll('Cohere', 'Cohear'));
  expect(learnFromIssue(desk, 'w4')).toEqual({ aliases: [], protect: ['FirstChat', 'Cohear'] });
  const taught = { ...desk, settings: loadSettings(desk.dir) };
  const { draft: again } = await draft(taught, {
    sources: [join(desk.dir, 'talk.txt')],
    issue: 'w5',
  });
  expect(again.sources[0]?.repairs).toEqual([]);
});

test('a mark that still stands is no answer', () => {
  expect(learnFromIssue(desk, 'w4')).toEqual({ aliases: [], protect: [] });
});

test('nor is a story that the editor took out', () => {
  edit((text) => `${text.slice(0, text.indexOf('## '))}## News {#news}\n\nOther words.\n`);
  expect(learnFromIssue(desk, 'w4')).toEqual({ aliases: [], protect: [] });
});

test('learning twice changes nothing the second time; a dry run never does', () => {
  edit((text) => settled(text).replaceAll('FirstChat', 'FurChat'));
  const file = join(desk.dir, 'config/glossary.yaml');
  const before = readFileSync(file, 'utf8');
  expect(learnFromIssue(desk, 'w4', true).aliases).toHaveLength(1);
  expect(readFileSync(file, 'utf8')).toBe(before);
  learnFromIssue(desk, 'w4');
  const after = readFileSync(file, 'utf8');
  const taught = { ...desk, settings: loadSettings(desk.dir) };
  expect(learnFromIssue(taught, 'w4')).toEqual({ aliases: [], protect: [] });
  expect(readFileSync(file, 'utf8')).toBe(after);
});
