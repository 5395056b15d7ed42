/** What the studio says about a mail, and what it makes for 公众号. */
import { parseFragment, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { expect, test } from 'vitest';
import { parseIssue } from '../../src/issue/parse.ts';
import { measure, reading } from '../../src/render/size.ts';
import { renderForWechat } from '../../src/render/wechat.ts';

test('H-04: the bytes by part add up to all of the HTML', () => {
  const html =
    '<!doctype html><html><head><style>p{color:red}</style></head><body><!-- 注释 --><p style="color:blue">文字 &amp; <a href="https://example.com/x">more</a><img src="https://example.com/p.png" alt=""></p></body></html>';
  const { bytes, links, images } = measure(html);
  expect(Object.values(bytes).reduce((sum, each) => sum + each, 0)).toBe(Buffer.byteLength(html));
  expect(bytes).toMatchObject({
    styles: Buffer.byteLength('p{color:red}'),
    comments: Buffer.byteLength('<!-- 注释 -->'),
    inline: Buffer.byteLength('style="color:blue"'),
  });
  expect([links, images]).toEqual([1, 1]);
});

test('a Chinese character is read as a word; addresses are not read', () => {
  expect(reading('英伟达发布 TensorRT-LLM 软件 https://example.com/long/address').words).toBe(8);
});

const ISSUE = `---
title: 周报
date: 2026-11-22
---

## 模型 {#models}

### 头条 {#one .lead}

见[论文](https://example.com/paper)和[公众号文章](https://mp.weixin.qq.com/s/abc)，再见[论文](https://example.com/paper)。

[来源](https://example.com/source)

### 不发 {#two .held}

藏着。
`;

test('for 公众号: inline styles alone, links as numbered footnotes, held items left out', () => {
  const issue = parseIssue(ISSUE, { id: 'x', file: 'x', language: 'zh-CN', sections: [] });
  const sender = { name: '周报', address: 'a@example.com' };
  const html = renderForWechat(issue, { name: '周报', sender } as never);
  const links: string[] = [];
  const visit = (node: Tree.Node) => {
    if ('attrs' in node)
      for (const { name, value } of node.attrs) {
        expect(['style', 'href', 'src', 'alt']).toContain(name);
        if (name === 'href') links.push(value);
      }
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  visit(parseFragment(html));
  expect(links).toEqual(['https://mp.weixin.qq.com/s/abc']);
  expect(html).toContain('[1] 论文: https://example.com/paper');
  expect(html).toContain('[2] 来源: https://example.com/source');
  expect(html.match(/>\[1\]</g)).toHaveLength(2);
  expect(html).not.toContain('藏着');
});
