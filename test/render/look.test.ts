/** The rules for HTML mail, held on mails that the bundled template makes. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Email } from '../../src/issue/email.ts';
import type { Issue } from '../../src/issue/issue.ts';
import { renderEmail } from '../../src/render/email.ts';
import {
  chineseIssue,
  englishImprint,
  englishIssue,
  imprint,
  item,
  longIssue,
  section,
  weekly,
} from './issues.ts';
import {
  attribute,
  cascaded,
  chainOf,
  classesOf,
  contrast,
  darkRules,
  type Element,
  elementsOf,
  rulesOf,
  speakingElements,
  styleOf,
  styleSheets,
  tagsOf,
  textOf,
} from './mail.ts';

async function render(issue: Issue): Promise<Email> {
  const whose = issue.language.startsWith('zh') ? imprint : englishImprint;
  return (await renderEmail(issue, whose, weekly)).email;
}

const pixels = (value = '') => Number(/^([\d.]+)px$/.exec(value)?.[1]);
const inside = (element: Element, name: string) =>
  chainOf(element).some((link) => classesOf(link).includes(name));

describe.each([
  ['Chinese', chineseIssue()],
  ['English', englishIssue()],
])('a mail in %s', (_, issue) => {
  let email: Email;
  let html: string;
  let visible: Element[];
  beforeAll(async () => {
    email = await render(issue);
    html = email.html;
    visible = speakingElements(html);
  });

  test('H-05: style sheets stay below 8,192 bytes, and no @ rule stands within another', () => {
    const sheets = styleSheets(html);
    expect(Buffer.byteLength(sheets.join(''))).toBeLessThanOrEqual(8192);
    const withoutRules = sheets.map((css) => css.replace(/\{[^{}]*\}/g, ''));
    expect(withoutRules.filter((css) => /\{[^}]*@/.test(css))).toEqual([]);
  });

  test('H-05: dark rules have a style element of their own', () => {
    const sheets = [...html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map(
      (match) => match[1] ?? '',
    );
    const dark = sheets.filter((css) => css.includes('prefers-color-scheme'));
    expect(dark).toHaveLength(1);
    expect(dark[0]?.match(/@media/g)).toHaveLength(1);
  });

  test('H-06: doctype, language, direction, title, charset and viewport are there', () => {
    expect(html).toMatch(/^<!doctype html>\n/);
    const [root] = tagsOf(html, 'html');
    expect(attribute(root as Element, 'lang')).toBe(issue.language);
    expect(attribute(root as Element, 'dir')).toBe('ltr');
    expect(tagsOf(html, 'title').map((title) => title.childNodes.map(textOf).join(''))).toEqual([
      email.subject,
    ]);
    expect(html).toContain('<meta charset="utf-8"');
    expect(html).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
  });

  test('H-06: language, direction and font stand again on the first element of the body', () => {
    const [body] = tagsOf(html, 'body');
    const first = body?.childNodes.find((node) => 'tagName' in node) as Element;
    expect([attribute(first, 'lang'), attribute(first, 'dir')]).toEqual([issue.language, 'ltr']);
    expect(styleOf(first)['font-family']).toBeTruthy();
  });

  test('H-07: every layout table says that it is one, data tables have heads with a scope', () => {
    const layout = tagsOf(html, 'table').filter((table) => !classesOf(table).includes('data'));
    expect(layout.every((table) => attribute(table, 'role') === 'presentation')).toBe(true);
    const data = tagsOf(html, 'table').filter((table) => classesOf(table).includes('data'));
    expect(data.every((table) => attribute(table, 'role') === undefined)).toBe(true);
    expect(tagsOf(html, 'th').every((head) => attribute(head, 'scope') === 'col')).toBe(true);
  });

  test('H-07: one h1, and no heading level is skipped', () => {
    const levels = tagsOf(html, 'h1', 'h2', 'h3', 'h4').map((heading) =>
      Number(heading.tagName[1]),
    );
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    expect(levels[0]).toBe(1);
    expect(levels.filter((level, n) => level - (levels[n - 1] ?? 0) > 1)).toEqual([]);
    expect(levels).toContain(3);
  });

  test('H-07: words of a text stand in paragraphs, list items, cells, headings or quotes', () => {
    const words = new Set([
      'p',
      'li',
      'td',
      'th',
      'h1',
      'h2',
      'h3',
      'pre',
      'code',
      'a',
      'strong',
      'em',
    ]);
    expect(
      visible.filter((element) => !words.has(element.tagName)).map((element) => element.tagName),
    ).toEqual([]);
    expect(tagsOf(html, 'header', 'main', 'nav', 'section', 'article', 'footer')).toEqual([]);
  });

  test('H-09: one column of 600 px, by a table in Outlook and by max-width elsewhere', () => {
    expect(html).toContain('max-width:600px');
    expect(html).toMatch(/<!--\[if mso \| IE\]><table[^>]*width="600"/);
    const rows = tagsOf(html, 'tr').filter((row) => !inside(row, 'data'));
    const cells = rows.map((row) => row.childNodes.filter((node) => node.nodeName === 'td').length);
    expect(new Set(cells)).toEqual(new Set([1]));
  });

  test('H-10: padding is on cells alone; no flex, grid, position, variables, negative margins, SVG or data:', () => {
    const padded = elementsOf(html).filter((element) => {
      const paddings = Object.entries(styleOf(element)).filter(([name]) =>
        name.startsWith('padding'),
      );
      return paddings.some(([, value]) => /[1-9]/.test(value));
    });
    expect(padded.filter((element) => !/^t[dh]$/.test(element.tagName))).toEqual([]);
    const styles = elementsOf(html).map((element) => attribute(element, 'style') ?? '');
    expect(
      styles.filter((style) => /flex|grid|position\s*:|var\(|margin[^;]*-\d|url\(/.test(style)),
    ).toEqual([]);
    expect(html).not.toMatch(/<svg|data:image/);
  });

  test('H-11: whoever sets a line height tells Outlook to keep it', () => {
    const set = visible.filter(
      (element) => styleOf(element)['line-height'] && element.tagName !== 'a',
    );
    expect(set.length).toBeGreaterThan(10);
    expect(set.filter((element) => styleOf(element)['mso-line-height-rule'] !== 'exactly')).toEqual(
      [],
    );
  });

  test('H-12: links are absolute, underlined, and say where they lead', () => {
    const links = tagsOf(html, 'a');
    const slots = /^xslot-(unsubscribe|preferences|web)-\d+-tolsx(#|$)/;
    expect(links.length).toBeGreaterThan(8);
    expect(
      links
        .filter((link) => !/^(https:\/\/|mailto:)/.test(attribute(link, 'href') ?? ''))
        .filter((link) => !slots.test(attribute(link, 'href') ?? '')),
    ).toEqual([]);
    expect(links.filter((link) => styleOf(link)['text-decoration'] !== 'underline')).toEqual([]);
    expect(
      links.filter((link) => /^(|点击这里|here|click here)$/i.test(textOf(link).trim())),
    ).toEqual([]);
    expect(tagsOf(html, 'script', 'form', 'iframe', 'object')).toEqual([]);
  });

  test('H-13: pictures have a description in a font and colour of its own, and do not outgrow the column', () => {
    for (const image of tagsOf(html, 'img')) {
      expect(attribute(image, 'alt')).toBeTruthy();
      expect(attribute(image, 'src')).toMatch(/^https:/);
      expect(styleOf(image)).toMatchObject({
        display: 'block',
        'max-width': '100%',
        height: 'auto',
      });
      expect(styleOf(image).color).toMatch(/^#/);
    }
  });

  test('H-15: the preheader is the first text of the body, in sight, and not the subject again', () => {
    const [body] = tagsOf(html, 'body');
    expect(
      textOf(body as Element)
        .trim()
        .startsWith(email.preheader),
    ).toBe(true);
    expect(email.preheader).not.toBe(email.subject);
    expect(html).not.toMatch(/display:\s*none|max-height:\s*0|visibility:\s*hidden/);
  });

  test('H-16: texts have at least 16 px, notes and footer at least 13 px', () => {
    const sizes = visible.map((element) => ({
      element,
      size: pixels(cascaded(element, ['font-size'])),
    }));
    expect(sizes.filter(({ size }) => !(size >= 13))).toEqual([]);
    const marginal = ['small', 'note', 'group', 'folio', 'label', 'exits'];
    const texts = sizes.filter(({ element }) => {
      const tag = chainOf(element).some((link) => /^(img|code)$/.test(link.tagName));
      return !tag && !marginal.some((name) => inside(element, name));
    });
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.filter(({ size }) => size < 16)).toEqual([]);
  });

  test.each([
    ['light', () => []],
    ['dark', () => darkRules(html)],
  ])('H-16: contrast is at least 4.5:1 in %s mode', (_mode, rules) => {
    const faint = visible.flatMap((element) => {
      const colour = cascaded(element, ['color'], rules()) ?? '';
      const ground = cascaded(element, ['background', 'background-color'], rules()) ?? '';
      const ratio = contrast(colour, ground);
      return ratio < 4.5 ? [`${textOf(element).trim()}: ${colour} on ${ground}, ${ratio}`] : [];
    });
    expect(faint).toEqual([]);
  });

  test('H-16: the dark rules change what is seen', () => {
    const [paragraph] = tagsOf(html, 'p') as [Element];
    const light = cascaded(paragraph, ['background', 'background-color']);
    expect(cascaded(paragraph, ['background', 'background-color'], darkRules(html))).not.toBe(
      light,
    );
    expect(cascaded(paragraph, ['color'], darkRules(html))).not.toBe(
      cascaded(paragraph, ['color']),
    );
  });

  test('H-22: what sets a colour has a ground behind it, and no colour is pure black or white', () => {
    const coloured = elementsOf(html).filter((element) => styleOf(element).color);
    expect(coloured.length).toBeGreaterThan(10);
    const groundless = coloured.filter(
      (element) => !cascaded(element, ['background', 'background-color']),
    );
    expect(groundless).toEqual([]);
    expect(html).not.toMatch(/#fff(fff)?\b|#000(000)?\b/i);
  });

  test('H-22: Outlook’s recolouring gets the same dark rules', () => {
    const outlook = styleSheets(html).find((css) => css.includes('[data-ogsc]')) ?? '';
    const plain = rulesOf(outlook.replace(/\[data-ogs[cb]\] /g, ''));
    expect(plain).toEqual(darkRules(html));
    expect(html).toContain('<meta name="color-scheme" content="light dark"');
    expect(html).toContain('<meta name="supported-color-schemes" content="light dark"');
  });

  test('H-08: nothing that readers need hangs on a style sheet', () => {
    const screen = rulesOf(
      styleSheets(html)
        .join('\n')
        .replace(/@media[^{]*\{/g, ''),
    );
    const layout = screen.filter((rule) =>
      /display|float|width/.test(Object.keys(rule.declarations).join(' ')),
    );
    expect(
      layout.every((rule) => rule.selectors.every((selector) => /mj-|^p$|#outlook/.test(selector))),
    ).toBe(true);
  });

  test('H-30: no web fonts, nothing from elsewhere but pictures of the issue', () => {
    expect(html).not.toMatch(/fonts\.g|@import|<link/);
    const own = tagsOf(html, 'img').map((image) => attribute(image, 'src'));
    expect(html.match(/src="[^"]*"/g) ?? []).toHaveLength(own.length);
  });

  test('ids are unique', () => {
    const ids = elementsOf(html).flatMap((element) => attribute(element, 'id') ?? []);
    expect(ids.length).toBeGreaterThan(3);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('D-74: the footer has name, reason, sender, postal address, contact, unsubscribe, preferences and web version', () => {
    const whose = issue.language === 'en' ? englishImprint : imprint;
    const [body] = tagsOf(html, 'body');
    const footer = textOf(body as Element).slice(-400);
    const { name, address, replyTo, postalAddress } = whose.sender;
    for (const words of [whose.name, name, address, replyTo, postalAddress])
      expect(footer).toContain(words);
    const said =
      issue.language === 'en'
        ? ['because you subscribed', 'Unsubscribe', 'Read on the web']
        : ['因为您订阅了', '退订', '网页版'];
    for (const words of said) expect(footer).toContain(words);
    expect(html.match(/xslot-unsubscribe/g)).toHaveLength(1);
  });
});

test('H-01: the whole transcript in 16 items stays below 80,000 bytes', async () => {
  const { html } = await render(longIssue());
  expect(html).toContain('story-16');
  expect(Buffer.byteLength(html)).toBeLessThan(80_000);
});

test('H-07: items before the first section stand one level higher', async () => {
  const { html } = await render(
    chineseIssue({ sections: [section('', [item('a'), item('b')], { name: '' })] }),
  );
  expect(tagsOf(html, 'h1', 'h2', 'h3').map((heading) => heading.tagName)).toEqual([
    'h1',
    'h2',
    'h2',
  ]);
});

test('H-17: Chinese is set in the fonts of the reader’s system, also in Outlook for Windows', async () => {
  const { html } = await render(chineseIssue());
  const stack =
    /-apple-system, ["']PingFang SC["'], ["']Hiragino Sans GB["'], ["']Microsoft YaHei["'], ["']Noto Sans CJK SC["'], ["']Noto Sans SC["'], ["']Source Han Sans SC["'], sans-serif/;
  const fonts = speakingElements(html)
    .filter((element) => !chainOf(element).some((link) => link.tagName === 'code'))
    .map((element) => cascaded(element, ['font-family']) ?? '');
  expect(fonts.filter((font) => !stack.test(font))).toEqual([]);
  expect(html).toMatch(
    /<!--\[if mso\]><style>[^<]*font-family: "Microsoft YaHei", Arial !important/,
  );
});

test('H-17: traditional Chinese has its own fonts', async () => {
  const { html } = await render(chineseIssue({ language: 'zh-TW' }));
  expect(html).toContain('PingFang TC');
  expect(html).not.toContain('PingFang SC');
  expect(html).toContain('lang="zh-TW"');
});

test.each([
  ['zh-CN', '1.75'],
  ['en', '1.55'],
])('H-18: paragraphs in %s have a line height of %s', async (language, height) => {
  const { html } = await render(language === 'en' ? englishIssue() : chineseIssue());
  const paragraphs = tagsOf(html, 'p').filter((paragraph) => classesOf(paragraph).length === 0);
  expect(paragraphs.length).toBeGreaterThan(3);
  expect(new Set(paragraphs.map((paragraph) => styleOf(paragraph)['line-height']))).toEqual(
    new Set([height]),
  );
});

test('H-19: Chinese is not justified, not slanted and not spaced out', async () => {
  const { html } = await render(chineseIssue());
  expect(html).not.toMatch(/text-align:\s*justify|font-style:\s*italic|letter-spacing/);
  expect(tagsOf(html, 'em').map((emphasis) => styleOf(emphasis)['font-style'])).toEqual(['normal']);
});
