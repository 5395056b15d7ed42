import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { markdownToHtml } from '../../src/issue/markdown.ts';
import { safeHtml, safeUrl } from '../../src/render/safe-html.ts';
import { elementsOf } from './mail.ts';

const where = { file: 'issues/x/issue.md', line: 7 };

describe('H-32: HTML that may stand in a mail', () => {
  test('what Markdown makes passes', () => {
    const html = safeHtml(
      markdownToHtml('**a** [b](https://b.example/) `c`\n\n1. x\n2. y\n\n> q\n\n---'),
      where,
    );
    expect(html).toBe(
      '<p><strong>a</strong> <a href="https://b.example/">b</a> <code>c</code></p>\n<ol>\n<li>x</li>\n<li>y</li>\n</ol>\n<blockquote>\n<p>q</p>\n</blockquote>\n<hr>',
    );
  });

  test('H-07: tables are marked as data, heads get a scope, columns keep their alignment', () => {
    const html = safeHtml(markdownToHtml('| a | b |\n|---|--:|\n| 1 | 2 |'), where);
    expect(html).toContain('<table class="data">');
    expect(html).toContain('<th style="text-align:right" scope="col">b</th>');
    expect(html).toContain('<td style="text-align:right">2</td>');
  });

  test.each([
    'script',
    'style',
    'iframe',
    'form',
    'object',
    'svg',
    'input',
    'mj-raw',
    'button',
    'link',
  ])('<%s> is refused, with its place', (tag) => {
    expect(() => safeHtml(`<p>x</p><${tag}>y</${tag}>`, where)).toThrow(
      /^issues\/x\/issue\.md:7: </,
    );
  });

  test('handlers, ids, classes and styles are taken off', () => {
    const html =
      '<p onclick="x()" id="a" class="b" style="position:fixed">t</p><td style="text-align:left;color:red">';
    expect(safeHtml(`${html}<img src="https://a.example/x" onerror="x()" alt="y">`, where)).toBe(
      '<p>t</p><img src="https://a.example/x" alt="y">',
    );
  });

  test.each([
    'javascript:x',
    'JaVaScRiPt:x',
    'data:image/png;base64,x',
    '//a.example/',
    'vbscript:x',
    ' ',
    '#a',
  ])('an address such as "%s" is refused in links and pictures', (url) => {
    expect(() => safeHtml(`<a href="${url}">x</a>`, where)).toThrow(
      /no address that works in a mail/,
    );
    expect(() => safeHtml(`<img src="${url}">`, where)).toThrow(/no address/);
    expect(() => safeUrl(url, where)).toThrow(/no address/);
  });

  test('tags that are left open are closed', () => {
    expect(safeHtml('<p><strong>a', where)).toBe('<p><strong>a</strong></p>');
    expect(safeHtml('a</mj-text></td></p>', where)).not.toMatch(/mj-text|<\/td>/);
  });

  test('whatever comes in, only what is allowed comes out', () => {
    const part = fc.constantFrom(
      '<p>',
      '</p>',
      '<script>',
      '<img src=x onerror=y>',
      '<b',
      '>',
      '"',
      "'",
      '<!--',
      '-->',
      '<a href="javascript:x">',
      'text',
      '</mj-text>',
      '<style>',
      '&lt;script&gt;',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        let html: string;
        try {
          html = safeHtml(parts.join(''), where);
        } catch {
          return;
        }
        const elements = elementsOf(`<body>${html}`);
        expect(
          elements.filter(({ tagName }) => /^(script|style|iframe|mj-)/.test(tagName)),
        ).toEqual([]);
        expect(
          elements.flatMap(({ attrs }) => attrs).filter(({ name }) => name.startsWith('on')),
        ).toEqual([]);
      }),
    );
  });
});
