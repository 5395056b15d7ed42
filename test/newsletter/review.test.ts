/** The draft beside its source: each decision changes its own span of issue.md, and no other byte. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { draft } from '../../src/newsletter/draft.ts';
import { decide, type Review, review } from '../../src/newsletter/review.ts';
import { openTestNewsletter } from '../support/newsletter.ts';

const SEED = resolve(import.meta.dirname, '../../issues/2023-09-w3/transcript.txt');

/** The bundled transcript, drafted afresh. */
async function drafted() {
  const newsletter = await openTestNewsletter();
  const id = '2023-09-w3';
  mkdirSync(join(newsletter.dir, 'issues', id));
  await draft(newsletter, { sources: [SEED], issue: id });
  const path = join(newsletter.dir, 'issues', id, 'issue.md');
  const read = () => readFileSync(path, 'utf8');
  return { newsletter, id, path, read, first: await review(newsletter, id) };
}

const repairs = ({ items }: Review) => items.flatMap((item) => item.repairs);
const marks = ({ items }: Review) => items.flatMap((item) => item.marks);

test('as it was drafted, every applied repair stands, and every mark is there to be settled', async () => {
  const { first, read } = await drafted();
  const applied = repairs(first).filter((repair) => repair.applied);
  expect(applied.length).toBeGreaterThan(20);
  const standing = applied.filter(({ state }) => state === 'accepted');
  expect(standing.length / applied.length).toBeGreaterThan(0.9);
  expect(marks(first)).toHaveLength(read().split('<!-- check:').length - 1);
  for (const item of first.items)
    for (const { at, state, from, to } of item.repairs) {
      if (!at) continue;
      const word = item.text.slice(at.start, at.end).replace(/\s/g, '');
      expect(word).toBe((state === 'accepted' ? to : from).replace(/\s/g, ''));
    }
});

test('rejecting a repair puts the old word back, and accepting it again the new one', async () => {
  const { newsletter, id, read, first } = await drafted();
  const before = read();
  const repair = repairs(first).find(({ state }) => state === 'accepted');
  const { key = '', from = '', to = '' } = repair ?? {};
  const rejected = await decide(newsletter, id, { hash: first.hash, key, verdict: 'reject' });
  const after = read();
  expect(after).not.toBe(before);
  const start = [...before].findIndex((sign, at) => sign !== after[at]);
  expect(before.length - after.length).toBe(to.length - from.length);
  expect(after.slice(0, start)).toBe(before.slice(0, start));
  expect(repairs(rejected).find((each) => each.key === key)?.state).toBe('rejected');
  await decide(newsletter, id, { hash: rejected.hash, key, verdict: 'accept' });
  expect(read()).toBe(before);
});

test('a mark that is settled goes, with its space, and no other byte', async () => {
  const { newsletter, id, read, first } = await drafted();
  const before = read();
  const [mark] = marks(first).filter(({ repair }) => repair === null);
  await decide(newsletter, id, { hash: first.hash, key: mark?.key ?? '', verdict: 'accept' });
  const comment = `<!-- check: ${mark?.words} -->`;
  const [head = '', tail = ''] = before.split(comment);
  const after = read();
  expect(after.replace(/\s/g, '')).toBe((head + tail).replace(/\s/g, ''));
  expect(after).not.toMatch(/\n{4}/);
});

test('a file that changed meanwhile is left alone', async () => {
  const { newsletter, id, path, read, first } = await drafted();
  const edited = read().replace('title:', 'subject: Mine\ntitle:');
  writeFileSync(path, edited);
  const [{ key = '' } = {}] = repairs(first);
  const decision = { hash: first.hash, key, verdict: 'reject' as const };
  await expect(decide(newsletter, id, decision)).rejects.toMatchObject({ code: 'issue-changed' });
  expect(read()).toBe(edited);
});

test('an edited issue: only what is surely there can be decided on, the rest was rewritten', async () => {
  const { newsletter, id, path, read } = await drafted();
  writeFileSync(path, read().replaceAll('Cohere', 'an old partner'));
  const found = repairs(await review(newsletter, id)).filter(({ to }) => to === 'Cohere');
  expect(found.map(({ state, at }) => [state, at])).toEqual([['edited', null]]);
});

test('what nobody knows of is refused', async () => {
  const { newsletter, id, first, read } = await drafted();
  const before = read();
  const decision = { hash: first.hash, key: 'repair:none:1', verdict: 'accept' as const };
  await expect(decide(newsletter, id, decision)).rejects.toMatchObject({
    code: 'decision-unknown',
  });
  expect(read()).toBe(before);
});
