import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { approvalHash } from '../../src/issue/approval.ts';
import { setApproval, withoutApproval } from '../../src/issue/edit.ts';
import { formatIssue } from '../../src/issue/format.ts';
import type { Issue, Item, Section } from '../../src/issue/issue.ts';
import { parseIssue } from '../../src/issue/parse.ts';

const CONTEXT = { id: 'x', file: 'issue.md', language: 'zh-CN', sections: [] };

const AWKWARD = [
  '大模型',
  'GPT-4',
  '“引号”',
  '# not a heading',
  '---',
  ': colon',
  '{{name}}',
  "it's",
  '😀',
  '👩‍👩‍👧',
  '*',
  '`code`',
  '\\',
  '[x]',
  '1.',
  '- a',
  '{#id}',
  '\u00a0',
  'é',
];
const words = fc
  .array(fc.oneof(fc.constantFrom(...AWKWARD), fc.string({ minLength: 1, maxLength: 8 })), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) =>
    parts
      .join(' ')
      .replace(/\p{Cc}|\p{Zl}|\p{Zp}/gu, '')
      .replace(/\s+/g, ' ')
      .trim(),
  )
  .filter((text) => text !== '');
/** A heading cannot end in what reads as a closing sign. */
const heading = words.filter((text) => !/#$/.test(text) && !/[｛｝＃]/.test(text));
/** A paragraph that is one: not a heading, tag, fence or link. */
const paragraph = words
  .filter((text) => !/^\s*([#＃<~`]|\{)|https?:|\]\(|<[a-z!/]/i.test(text))
  .map((text) => `段落 ${text}`);
const markdown = fc.array(paragraph, { maxLength: 3 }).map((parts) => parts.join('\n\n'));
const link = fc.record({
  text: words,
  url: fc.webUrl({ withQueryParameters: true }).filter((url) => !/[<>\s，。；、]/.test(url)),
});
const id = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);

const item = fc.record({
  id,
  headline: heading,
  lead: fc.boolean(),
  held: fc.boolean(),
  ad: fc.boolean(),
  body: markdown,
  links: fc.array(link, { maxLength: 3 }),
});
const section = fc.record({
  id,
  name: heading,
  held: fc.boolean(),
  ad: fc.boolean(),
  prose: markdown,
  items: fc.array(item, { maxLength: 3 }),
});

const issues: fc.Arbitrary<Issue> = fc
  .record({
    title: words,
    date: fc
      .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
    language: fc.constantFrom('zh-CN', 'en'),
    subject: fc.option(words, { nil: undefined }),
    preheader: fc.option(words, { nil: undefined }),
    opening: markdown,
    sections: fc.array(section, { maxLength: 3 }),
  })
  .map(({ subject, preheader, sections, ...rest }) => ({
    id: 'x',
    ...rest,
    ...(subject ? { subject } : {}),
    ...(preheader ? { preheader } : {}),
    sections: withUniqueIds(sections as Section[]),
  }));

function withUniqueIds(sections: Section[]): Section[] {
  let n = 0;
  return sections.map((section, at) => ({
    ...section,
    id: `${section.id.slice(0, 30)}-s${at}`,
    line: 0,
    items: section.items.map((item) => ({
      ...item,
      id: `${item.id.slice(0, 30)}-i${n++}`,
      line: 0,
    })),
  }));
}

function withoutLines(issue: Issue) {
  const bare = ({ line: _, ...rest }: Section | Item) => rest;
  return {
    ...issue,
    sections: issue.sections.map((s) => ({ ...bare(s), items: s.items.map(bare) })),
  };
}

describe('formatting and parsing', () => {
  test('parse(format(issue)) is the issue, whatever stands in it', () => {
    fc.assert(
      fc.property(issues, (issue) => {
        expect(withoutLines(parseIssue(formatIssue(issue), CONTEXT))).toEqual(withoutLines(issue));
      }),
      { numRuns: 300 },
    );
  });

  test('format is stable: formatting what was parsed gives the same file', () => {
    fc.assert(
      fc.property(issues, (issue) => {
        const text = formatIssue(issue);
        expect(formatIssue(parseIssue(text, CONTEXT))).toBe(text);
      }),
      { numRuns: 100 },
    );
  });

  test('the bundled issue is in the form that formatting gives it', () => {
    const text = readFileSync('issues/2023-09-w3/issue.md', 'utf8');
    expect(formatIssue(parseIssue(text, CONTEXT))).toBe(text);
  });
});

const APPROVAL = {
  by: 'editor@example.com',
  at: '2023-09-16T18:00+08:00',
  hash: `sha256:${'a'.repeat(64)}`,
};

describe('the approval', () => {
  test.each(['\n', '\r\n'])(
    'is put in and taken out without touching another byte (line ending %j)',
    (eol) => {
      const text = [
        '---',
        'title: x  # a comment',
        'date: 2023-09-17',
        '---',
        '',
        'Body  ',
        '---',
        '## S',
        '',
      ].join(eol);
      const approved = setApproval(text, APPROVAL);
      expect(approved).toContain(
        `approved: editor@example.com 2023-09-16T18:00+08:00 ${APPROVAL.hash}${eol}---`,
      );
      expect(withoutApproval(approved)).toBe(text);
      expect(setApproval(approved, APPROVAL)).toBe(approved);
      expect(parseIssue(approved, CONTEXT).approved).toEqual(APPROVAL);
    },
  );

  const parts = { text: '---\ntitle: x\n---\nBody\n', template: 't', audience: 'all', sender: 's' };
  const hash = approvalHash(parts);

  test('does not depend on its own line, nor on the kind of line endings', () => {
    expect(approvalHash({ ...parts, text: setApproval(parts.text, APPROVAL) })).toBe(hash);
    expect(approvalHash({ ...parts, text: parts.text.replaceAll('\n', '\r\n') })).toBe(hash);
  });

  test.each(['text', 'template', 'audience', 'sender'] as const)(
    'is withdrawn by a change of %s',
    (part) => {
      expect(approvalHash({ ...parts, [part]: `${parts[part]}.` })).not.toBe(hash);
    },
  );

  test('keeps its parts apart', () => {
    expect(approvalHash({ ...parts, template: 'ta', audience: 'll' })).not.toBe(
      approvalHash({ ...parts, template: 't', audience: 'all' }),
    );
  });
});
