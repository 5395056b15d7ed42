import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { withLearnt } from '../../src/config/glossary-edit.ts';

const nothing = { aliases: [], protect: [] };
const alias = (id: string, word: string) => ({ ...nothing, aliases: [{ id, alias: word }] });

test('an alias goes into its entry, however that is written; nothing else changes', () => {
  const text = `# names
entries:
  - { id: A, type: org } # short
  - { id: B, type: org, aliases: [x] }
  - id: C
    type: org   # long
  - id: D
    type: org
    aliases:
      - y

protected:
  - z
`;
  expect(withLearnt(text, alias('A', 'aa'))).toBe(
    text.replace('type: org } # short', 'type: org, aliases: [aa] } # short'),
  );
  expect(withLearnt(text, alias('B', 'bb'))).toBe(text.replace('[x]', '[x, bb]'));
  expect(withLearnt(text, alias('C', 'cc'))).toBe(
    text.replace('type: org   # long', 'type: org\n    aliases: [cc]   # long'),
  );
  expect(withLearnt(text, alias('D', 'dd'))).toBe(text.replace('- y', '- y\n      - dd'));
  expect(withLearnt(text, { ...nothing, protect: ['w'] })).toBe(text.replace('- z', '- z\n  - w'));
  expect(withLearnt(text, alias('None', 'n'))).toBe(text);
  expect(withLearnt(text, alias('B', 'x'))).toBe(text);
});

test('words that YAML would read as something else are quoted', () => {
  const text = 'entries:\n  - { id: A, type: org }\n';
  for (const word of ['1', 'yes', 'a, b', '[x]', 'a: b', "'", '#x', 'null']) {
    const learnt = parse(withLearnt(text, { ...alias('A', word), protect: [word] }));
    expect(learnt.entries[0].aliases).toEqual([word]);
    expect(learnt.protected).toEqual([word]);
  }
});

test('the bundled glossary keeps every other line', () => {
  const text = readFileSync('config/glossary.yaml', 'utf8');
  const after = withLearnt(text, {
    aliases: [{ id: 'Cohere', alias: 'Co here' }],
    protect: ['可能'],
  });
  const changed = after.split('\n').filter((line) => !text.split('\n').includes(line));
  expect(changed).toHaveLength(2);
  expect(parse(after).entries.find(({ id }: { id: string }) => id === 'Cohere').aliases).toContain(
    'Co here',
  );
});
