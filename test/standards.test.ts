/** Every rule that docs/standards.md says a test names has one; the others have a reason there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHECKS } from '../src/check/run.ts';

const [named = '', others = ''] = readFileSync('docs/standards.md', 'utf8').split('## Not named');
const RULE = /\b[WAD]-\d+\b/g;
const rules = named.slice(named.indexOf('## Named')).match(RULE) ?? [];

function sources(dir: string): string[] {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.test.ts') && file !== 'standards.test.ts')
    .map((file) => readFileSync(join(dir, file), 'utf8'));
}

/** `D-55 to D-57` names those between as well. */
function spelledOut(text: string): string {
  return text.replace(/\b([WAD])-(\d+) to \1-(\d+)/g, (_, kind, first, last) =>
    Array.from({ length: last - first + 1 }, (_, at) => `${kind}-${Number(first) + at}`).join(' '),
  );
}

test('there are rules, each once, with a test or a reason', () => {
  expect(rules.length).toBeGreaterThan(70);
  const all = [
    ...rules,
    ...(others.match(/^\| ([WAD]-\d+) \|/gm) ?? []).map((row) => row.slice(2, -2)),
  ];
  expect(new Set(all).size).toBe(all.length);
});

test('what is said to be tested stands in the name of a test, or of a check', () => {
  const tests = spelledOut(sources('test').join('\n')).match(RULE) ?? [];
  const checks = CHECKS.flatMap(({ source }) => source.match(RULE) ?? []);
  const known = new Set([...tests, ...checks]);
  expect(rules.filter((rule) => !known.has(rule))).toEqual([]);
});
