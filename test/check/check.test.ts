import { describe, expect, test } from 'vitest';
import { checkEmail, checkFile, type Finding } from '../../src/check/check.ts';
import { parseIssue } from '../../src/issue/parse.ts';

const FILE = 'issues/x/issue.md';

function findings(body: string): Finding[] {
  const text = `---\ntitle: T\ndate: 2026-11-22\n---\n\n${body}`;
  const context = { id: 'x', file: FILE, language: 'en', sections: [] };
  return checkFile(text, parseIssue(text, context), FILE);
}

const ITEM =
  '## Models {#models}\n\n### Falcon 180B arrives {#falcon}\n\nWords.\n\n[Source](https://example.com)\n';
const EMAIL = { subject: 'Weekly', preheader: '', language: 'en', html: '', text: '' };

test('a good issue has no findings', () => {
  expect(findings(ITEM)).toEqual([]);
  expect(checkEmail(EMAIL, FILE)).toEqual([]);
});

describe('each finding has id, severity, place and what to do', () => {
  test.each<[string, string, Partial<Finding>]>([
    [
      'a mark left to check',
      ITEM.replace('Words.', '<!-- check: 180B? -->\n\nWords.'),
      { id: 'unfinished-check', severity: 'error', line: 10 },
    ],
    [
      'nothing to send',
      '## Models {#models .held}\n\n### Falcon {#falcon}\n\nWords.\n',
      { id: 'issue-empty', severity: 'error' },
    ],
    [
      'a picture without description',
      ITEM.replace('Words.', '![](https://example.com/a.png)'),
      { id: 'image-without-alt', severity: 'error', line: 10, source: 'H-13' },
    ],
    [
      'an item without a link',
      ITEM.replace('[Source](https://example.com)', ''),
      { id: 'item-without-link', severity: 'warning', line: 8 },
    ],
  ])('%s', (_, body, expected) => {
    const found = findings(body);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ file: FILE, ...expected });
  });

  test('an item that is held or an advertisement needs no link', () => {
    const bare = ITEM.replace('[Source](https://example.com)', '');
    expect(
      findings(
        `${ITEM}\n${bare.replace('#falcon', '#other .held').split('\n').slice(2).join('\n')}`,
      ),
    ).toEqual([]);
    expect(findings(bare.replace('#falcon', '#falcon .ad'))).toEqual([]);
  });

  test.each(['Re: Weekly', 'FW: Weekly', '回复：周报'])(
    'D-29: the subject %j pretends',
    (subject) => {
      expect(checkEmail({ ...EMAIL, subject }, FILE)).toMatchObject([
        { id: 'subject-pretends', severity: 'error' },
      ]);
    },
  );

  test.each([
    [79_999, undefined],
    [80_000, 'warning'],
    [99_999, 'warning'],
    [100_000, 'error'],
  ])('H-01: a mail of %i bytes: %s', (bytes, severity) => {
    const [found] = checkEmail({ ...EMAIL, html: 'x'.repeat(bytes) }, FILE);
    expect(found?.severity).toBe(severity);
  });
});
