/**
 * Reports of our own making, true to the RFCs and to the documented shapes of the servers that they are named for;
 * `expected.json` says what each is.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findingsOf, KINDS, type Kind } from '../../src/bounces/classify.ts';
import { parseReport } from '../../src/bounces/parse.ts';

const dir = join(import.meta.dirname, 'fixtures');
const expected: Record<string, Kind> = JSON.parse(readFileSync(join(dir, 'expected.json'), 'utf8'));
const names = readdirSync(dir).filter((name) => name.endsWith('.eml'));

async function findings(name: string) {
  return findingsOf(await parseReport(readFileSync(join(dir, name))));
}

test('D-58: there are at least 100, each with its class, and every class has some', () => {
  expect(names.length).toBeGreaterThanOrEqual(100);
  expect(names.map((name) => name.replace('.eml', '')).sort()).toEqual(
    Object.keys(expected).sort(),
  );
  expect(new Set(Object.values(expected))).toEqual(new Set(KINDS));
});

describe('D-52, D-55 to D-57, 1.9 row 18: the class of', () => {
  test.each(Object.entries(expected))('%s is %s', async (name, kind) => {
    const found = await findings(`${name}.eml`);
    expect(found.length).toBeGreaterThan(0);
    expect(new Set(found.map((finding) => finding.kind))).toEqual(new Set([kind]));
  });
});

test('only what is certain gives an address up: no other class does', async () => {
  for (const name of names)
    for (const { kind, consequence } of await findings(name))
      if (consequence === 'suppress') expect([name, kind]).toEqual([name, 'hard']);
      else if (consequence === 'complaint')
        expect([name, /complaint|unsubscribe/.test(kind)]).toEqual([name, true]);
});
