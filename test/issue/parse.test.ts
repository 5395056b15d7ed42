import { describe, expect, test } from 'vitest';
import { BroadsheetError } from '../../src/errors.ts';
import { findChecks, parseIssue } from '../../src/issue/parse.ts';

const SECTIONS = [{ id: 'infrastructure', name: { zh: '基础设施', en: 'Infrastructure' } }];
const HEAD = '---\ntitle: 周报\ndate: 2023-09-17\n---\n';

function parse(body: string, head = HEAD) {
  return parseIssue(head + body, {
    id: '2023-09-w3',
    file: 'issue.md',
    language: 'zh-CN',
    sections: SECTIONS,
  });
}

/** `line: message` of every mistake. */
function mistakes(body: string, head = HEAD): string[] {
  try {
    parse(body, head);
  } catch (error) {
    expect(error).toBeInstanceOf(BroadsheetError);
    return (error as BroadsheetError).problems.map(({ line, message }) => `${line}: ${message}`);
  }
  return [];
}

describe('an issue file', () => {
  test('written by hand without one attribute is a valid issue', () => {
    const issue = parse(
      '\nHello.\n\n## 基础设施\n\n### GPT-4 上线 API\n\nText.\n\n### 纯中文标题\n\nMore.\n',
    );
    expect(issue.opening).toBe('Hello.');
    expect(issue.sections[0]).toMatchObject({ id: 'infrastructure', name: '基础设施', prose: '' });
    expect(issue.sections[0]?.items.map(({ id }) => id)).toEqual(['gpt-4-api', 'item-2']);
  });

  test('gives repeated derived ids a suffix, and makes way for written ones', () => {
    const issue = parse('## A\n\n### RAIN\n\nx\n\n### RAIN\n\ny\n\n### Other {#rain-2}\n\nz\n');
    expect(issue.sections[0]?.items.map(({ id }) => id)).toEqual(['rain', 'rain-3', 'rain-2']);
  });

  test('reads id and classes of sections and items', () => {
    const issue = parse('## S {#s .held}\n\n### I {#i .lead .ad}\n\nBody\n');
    expect(issue.sections[0]).toMatchObject({ id: 's', held: true, ad: false });
    expect(issue.sections[0]?.items[0]).toMatchObject({
      id: 'i',
      lead: true,
      ad: true,
      held: false,
    });
  });

  test('takes a last paragraph of links as the source line', () => {
    const [item] =
      parse(
        '### I\n\nBody [in](https://a.cn).\n\n[论文](https://arxiv.org/abs/1) · <https://b.cn>\n',
      ).sections[0]?.items ?? [];
    expect(item?.body).toBe('Body [in](https://a.cn).');
    expect(item?.links).toEqual([
      { text: '论文', url: 'https://arxiv.org/abs/1' },
      { text: 'https://b.cn', url: 'https://b.cn' },
    ]);
  });

  test('keeps a paragraph that holds more than links in the body', () => {
    const [item] =
      parse('### I\n\n来源 [论文](https://arxiv.org/abs/1)\n').sections[0]?.items ?? [];
    expect(item?.links).toEqual([]);
  });

  test('may have a section of prose only, and items before the first section', () => {
    const issue = parse('### First\n\nx\n\n## Notes\n\nOnly words.\n');
    expect(issue.sections.map(({ name, prose, items }) => [name, prose, items.length])).toEqual([
      ['', '', 1],
      ['Notes', 'Only words.', 0],
    ]);
  });

  test('does not take headings in code for headings', () => {
    const issue = parse('## S\n\n### I\n\n```\n## not a section\n```\n');
    expect(issue.sections).toHaveLength(1);
    expect(issue.sections[0]?.items[0]?.body).toContain('## not a section');
  });

  test('with Windows line endings and a byte order mark is read the same', () => {
    const text = `${HEAD}\n## S\n\n### I\n\nBody\n`;
    const windows = `\uFEFF${text.replaceAll('\n', '\r\n')}`;
    expect(parse(windows, '')).toEqual(parse(text, ''));
  });

  test('takes {{name}} for literal text', () => {
    expect(parse('### 用 {{name}} 写模板\n\n{{name}}\n').sections[0]?.items[0]?.headline).toBe(
      '用 {{name}} 写模板',
    );
  });
});

describe('a mistake in an issue file is named with its line', () => {
  test.each([
    ['##基础设施\n', '5: A heading needs a space after its signs'],
    ['＃＃ 基础设施\n', '5: Headings are written with half-width #'],
    ['# Title\n', '5: A heading with # has no place in an issue'],
    ['\n#### Deep\n', '6: A heading with #### has no place in an issue'],
    ['## S ｛#s｝\n', '5: Attributes are written with half-width signs'],
    ['## S {#s .lead}\n', '5: There is no class .lead here'],
    ['### I {#a b}\n', '5: "b" is neither #id nor .class'],
    ['### I {#a/b}\n', '5: "a/b" cannot be an id'],
    ['## S {#s}\n\n## T {#s}\n', '7: The id "s" is used twice; first on line 5'],
    ['<div>x</div>\n', '5: HTML is not rendered in an issue'],
    [
      '### I\n\n[x](javascript:alert)\n',
      '7: "javascript:alert" is no address that works in a mail',
    ],
    ['### I\n\n[x](/local)\n', '7: "/local" is no address that works in a mail'],
    ['### I\n\n![x](http://a.cn/b.png)\n', '7: The picture "http://a.cn/b.png" is not on https:'],
  ])('%j', (body, message) => {
    expect(mistakes(body)).toContain(message);
  });

  test.each([
    ['', '1: The file does not begin with its head'],
    ['---\ndate: 2023-09-17\n---\n', '1: There is no title'],
    ['---\ntitle: x\n---\n', '1: There is no date'],
    ['---\ntitle: x\ndate: 2023-02-30\n---\n', '3: "2023-02-30" is no date of the calendar'],
    ['---\ntitle: x\ndate: tomorrow\n---\n', '3: "tomorrow" is no date of the calendar'],
    ['---\ntitle：x\ndate: 2023-09-17\n---\n', '2: A full-width colon after "title"'],
    ['---\ntitle: x\ndate: 2023-09-17\ntilte: y\n---\n', '4: Unknown key "tilte"'],
    ['---\ntitle: [x]\ndate: 2023-09-17\n---\n', '2: "title" has to be text'],
    ['---\ntitle: x\ndate: 2023-09-17\nlanguage: "?"\n---\n', '4: "?" is no language tag'],
    ['---\ntitle: x\ndate: 2023-09-17\napproved: me\n---\n', '4: The approval cannot be read'],
  ])('head %j', (head, message) => {
    expect(mistakes('\nText\n', head)).toContain(message);
  });

  test('and all of them at once', () => {
    expect(mistakes('##A\n\n#### B\n\n[x](y)\n')).toHaveLength(3);
  });
});

test('unsettled check marks are found with line and column', () => {
  expect(findChecks('a\n\nb <!-- check: 减半？ --> c\n<!-- check -->')).toEqual([
    { text: '减半？', line: 3, column: 3 },
    { text: 'this place', line: 4, column: 1 },
  ]);
});
