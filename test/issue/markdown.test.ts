import { describe, expect, test } from 'vitest';
import {
  imagesOf,
  linksOf,
  markdownToHtml,
  markdownToText,
  plainText,
} from '../../src/issue/markdown.ts';

describe('Markdown to HTML', () => {
  test('H-20: **重要：**后文 is bold', () => {
    expect(markdownToHtml('**重要：**后文')).toBe('<p><strong>重要：</strong>后文</p>\n');
  });

  test('H-20: a line break between Chinese characters makes no space, between English words it does', () => {
    expect(markdownToHtml('第一行\n第二行')).toBe('<p>第一行第二行</p>\n');
    expect(markdownToHtml('one\ntwo')).toBe('<p>one\ntwo</p>\n');
  });

  test('bold beside a line break between Chinese characters is bold and makes no space', () => {
    expect(markdownToHtml('**重点**\n后文')).toBe('<p><strong>重点</strong>后文</p>\n');
    expect(markdownToHtml('前文\n**重点**')).toBe('<p>前文<strong>重点</strong></p>\n');
  });

  test('H-32: HTML in the text is shown as text, scripts and javascript: addresses never work', () => {
    const html = markdownToHtml(
      '<script>alert(1)</script> [x](javascript:alert(1)) ![x](data:image/png;base64,AA)',
    );
    expect(html).not.toMatch(/<script|href|src=/);
  });

  test('puts inline styles on elements, also on code', () => {
    const html = markdownToHtml('p\n\n- l\n\n```\nc\n```\n', {
      p: 'margin:0',
      li: 'a:b',
      pre: 'c:d',
    });
    expect(html).toContain('<p style="margin:0">p</p>');
    expect(html).toContain('<li style="a:b">l</li>');
    expect(html).toContain('<pre style="c:d"><code>c\n</code></pre>');
  });

  test('drops comments, which are for the editor', () => {
    expect(markdownToHtml('a <!-- check: b --> c')).toBe('<p>a  c</p>\n');
  });

  test('renders tables, quotes and lists', () => {
    const html = markdownToHtml('|a|b|\n|-|-|\n|1|2|\n\n> q\n\n1. x\n');
    expect(html).toMatch(/<table>[\s\S]*<blockquote>[\s\S]*<ol>/);
  });
});

describe('Markdown to text', () => {
  test.each([
    ['**粗** and `code`', '粗 and code'],
    ['[文档](https://x.cn/a)', '文档: https://x.cn/a'],
    ['https://x.cn/a', 'https://x.cn/a'],
    ['<mailto:a@b.cn>', 'mailto:a@b.cn'],
    ['![图](https://x.cn/p.png)', '[图] https://x.cn/p.png'],
    ['第一行\n第二行', '第一行第二行'],
    ['- a\n- b\n  1. c\n  2. d', '- a\n- b\n  1. c\n  2. d'],
    ['3. a\n4. b', '3. a\n4. b'],
    ['> a\n>\n> b', '> a\n>\n> b'],
    ['|a|b|\n|-|-|\n|1|2|', 'a | b\n1 | 2'],
    ['a\n\nb', 'a\n\nb'],
  ])('%j', (markdown, text) => {
    expect(markdownToText(markdown)).toBe(text);
  });

  test('H-21: wraps no line', () => {
    expect(markdownToText('长'.repeat(500))).toBe('长'.repeat(500));
  });
});

test('links, pictures and words of a text are listed in order', () => {
  const markdown =
    '见 [一](https://a.cn)。\n\n![图](https://a.cn/p.png)\n\n<https://b.cn> [no](javascript:x)';
  expect(linksOf(markdown).map(({ url }) => url)).toEqual(['https://a.cn', 'https://b.cn']);
  expect(imagesOf(markdown)).toEqual([{ src: 'https://a.cn/p.png', alt: '图', line: 3 }]);
  expect(plainText('**一** [二](https://a.cn)\n\n- 三')).toBe('一 二\n三');
});
