import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Pages, renderPage } from '../../src/render/page.ts';
import { languageOf } from '../../src/render/words.ts';
import { root, weekly } from './issues.ts';
import { attribute, contrast, elementsOf, tagsOf, textOf } from './mail.ts';

const common = { name: 'AI大模型周报', base: '/weekly' };
const data: { [Name in keyof Pages]: Pages[Name] } = {
  subscribe: {
    open: true,
    issued: 'x.y',
    again: true,
    suggestion: '',
    consent: 'AI大模型周报',
    privacy: '',
    address: 'anna',
    invalid: true,
  },
  asked: {},
  'too-many': {},
  confirm: { address: 'a•••@example.net', moves: false },
  confirmed: { address: 'a•••@example.net', moves: false },
  used: { address: 'a•••@example.net' },
  expired: {},
  unsubscribe: { address: 'a•••@example.net', preferencesToken: '' },
  unsubscribed: { address: 'a•••@example.net', undoToken: '1.k.u.m' },
  undone: { address: 'a•••@example.net' },
  link: { address: '', invalid: false },
  preferences: {
    address: 'a•••@example.net',
    token: '1.k.u.m',
    subscribed: true,
    saved: true,
    chinese: true,
    invalid: false,
    unsubscribeToken: '1.k.u.m',
  },
  'invalid-link': { contact: 'editor@news.example.com' },
  home: {
    issues: [{ title: 'AI大模型周报 2023-09-3', path: '/issues/w3', day: '2023-09-17' }],
    open: true,
  },
  'not-found': {},
};
const names = Object.keys(data) as (keyof Pages)[];
const render = (page: keyof Pages, language: 'zh' | 'en', changes: object = {}) =>
  renderPage(weekly, page, { ...common, ...data[page], ...changes } as never, language);

const every = names.flatMap((name) => [[name, 'zh'] as const, [name, 'en'] as const]);

describe.each(every)('the page %s in %s', (name, language) => {
  const html = render(name, language);

  test('W-16: says its language and has a title, one heading and a viewport', () => {
    expect(html).toMatch(/^<!doctype html>\n<html lang="(zh-CN|en)">/);
    expect(html).toContain(`lang="${language === 'zh' ? 'zh-CN' : 'en'}"`);
    expect(tagsOf(html, 'h1')).toHaveLength(1);
    expect(tagsOf(html, 'title')[0]?.childNodes.map(textOf).join('')).toContain(common.name);
    expect(html).toContain('name="viewport"');
  });

  test('W-16: speaks the language', () => {
    const words = textOf(tagsOf(html, 'main')[0] as never)
      .replaceAll(common.name, '')
      .replace('中文', '');
    expect(/[\u4e00-\u9fff]/.test(words)).toBe(language === 'zh');
  });

  test('W-07: needs no script, no inline style, nothing from elsewhere; is not indexed and sends no referrer', () => {
    const attributes = elementsOf(html).flatMap(({ attrs }) => attrs.map(({ name }) => name));
    expect(attributes.filter((attr) => /^(style|on.*)$/.test(attr))).toEqual([]);
    expect(tagsOf(html, 'script', 'style', 'img', 'iframe')).toEqual([]);
    const feeds = name === 'home' ? ['/weekly/feed.xml', '/weekly/feed.json'] : [];
    expect(tagsOf(html, 'link').map((link) => attribute(link, 'href'))).toEqual([
      ...feeds,
      '/weekly/page.css',
    ]);
    expect(html).not.toContain('http');
    expect(html.includes('<meta name="robots" content="noindex">')).toBe(name !== 'home');
    expect(html).toContain('<meta name="referrer" content="no-referrer">');
  });
});

test('W-05, W-06: unsubscribing asks once, by a form that posts a field of its own to the same address', () => {
  const html = render('unsubscribe', 'zh');
  const [form] = tagsOf(html, 'form');
  expect(form?.attrs).toEqual([{ name: 'method', value: 'post' }]);
  const [button] = tagsOf(html, 'button');
  expect(button?.attrs).toEqual([
    { name: 'name', value: 'confirm' },
    { name: 'value', value: 'unsubscribe' },
  ]);
  expect(textOf(button as never)).toBe('确认退订');
  expect(tagsOf(html, 'input', 'a')).toEqual([]);
});

test.each(['unsubscribe', 'unsubscribed'] as const)(
  'W-13: %s shows the address as it is given, masked',
  (page) => {
    expect(render(page, 'zh')).toContain('a•••@example.net');
  },
);

test('a broken link leaves readers an address to write to', () => {
  expect(render('invalid-link', 'en')).toContain('<a href="mailto:editor@news.example.com">');
});

test('names are text, not markup', () => {
  const html = render('unsubscribe', 'en', {
    name: '<b>{{x}}</b> {address}',
    address: '"><script>',
  });
  expect(tagsOf(html, 'b', 'script')).toEqual([]);
  expect(textOf(tagsOf(html, 'h1')[0] as never)).toBe('Unsubscribe from <b>{{x}}</b> {address}');
});

test('a page whose template is missing or wrong is named', () => {
  expect(() => renderPage({ ...weekly, pages: {} }, 'not-found', common, 'en')).toThrow(
    /^templates\/pages\/not-found\.hbs: /,
  );
  const wrong = {
    file: 'templates/pages/not-found.hbs',
    source: 'fine\n{{weather}}',
  };
  const pages = { ...weekly.pages, 'not-found': wrong };
  expect(() => renderPage({ ...weekly, pages }, 'not-found', common, 'en')).toThrow(
    /^templates\/pages\/not-found\.hbs:2:.*"weather" not defined/,
  );
});

describe('page.css', () => {
  const css = readFileSync(join(root, 'templates/pages/page.css'), 'utf8');
  const palette = (source: string) =>
    Object.fromEntries(
      [...source.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [
        name,
        value as string,
      ]),
    );
  const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');

  test.each([
    ['light', palette(light)],
    ['dark', palette(dark)],
  ])('WCAG AA: every pair of colours has 4.5:1 in %s mode', (_, colours) => {
    const { paper = '', ink = '', grey = '', red = '', 'on-red': onRed = '' } = colours;
    const ratios = [
      contrast(ink, paper),
      contrast(grey, paper),
      contrast(red, paper),
      contrast(onRed, red),
    ];
    expect(Math.min(...ratios)).toBeGreaterThanOrEqual(4.5);
  });

  test('loads nothing', () => expect(css).not.toMatch(/url\(|@import/));
});

test.each([
  ['zh', 'zh'],
  ['zh-CN', 'zh'],
  ['zh-Hant-TW', 'zh'],
  ['en-GB', 'en'],
  ['fr', 'en'],
  ['zha', 'en'],
])('a reader of %s gets words in %s', (tag, language) => {
  expect(languageOf(tag)).toBe(language);
});
