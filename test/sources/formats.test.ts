import { describe, expect, test } from 'vitest';
import { layOut } from '../../src/sources/entries.ts';
import { plainText, readFeed } from '../../src/sources/feed.ts';
import { readMarkdownNotes, readYamlNotes } from '../../src/sources/notes.ts';
import { readSubtitles } from '../../src/sources/subtitles.ts';
import { readSpeech } from '../../src/sources/whisper.ts';

const input = (code: string, line?: number) =>
  expect.objectContaining({
    kind: 'input',
    code,
    problems: [expect.objectContaining(line === undefined ? { file: 'x' } : { file: 'x', line })],
  });

describe('subtitles', () => {
  const SRT =
    '1\n00:00:01,000 --> 00:00:02,500\n大家好\n欢迎收听\n\n2\n00:00:03,000 --> 00:00:04,000\n第一条\n';
  const VTT =
    'WEBVTT\nKind: captions\n\nNOTE made by hand\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:02.500 align:start\n<v Anna>大家好</v>\n欢迎&nbsp;<00:00:02.000><c>收听</c>\n\n00:03.000 --> 00:04.000\n第一条\n';

  test('SubRip: lines of a cue are joined by a space, cues by a line break; offsets lead to times', () => {
    expect(readSubtitles(SRT, 'x')).toEqual({
      text: '大家好 欢迎收听\n第一条',
      cues: [
        { start: 0, end: 8, startMs: 1000, endMs: 2500 },
        { start: 9, end: 12, startMs: 3000, endMs: 4000 },
      ],
    });
  });

  test('WebVTT: without header, notes, styles, names, tags and settings', () => {
    expect(readSubtitles(VTT, 'x')).toMatchObject({
      text: '大家好 欢迎 收听\n第一条',
      cues: [{ startMs: 1000 }, { startMs: 3000 }],
    });
  });

  test.each([
    ['CRLF', SRT.replaceAll('\n', '\r\n')],
    ['no counters', SRT.replace(/^\d\n/gm, '')],
    ['full stops in its times', SRT.replaceAll(',', '.')],
    ['no line break at its end', SRT.trim()],
    ['an empty cue', `${SRT}\n3\n00:00:05,000 --> 00:00:06,000\n`],
  ])('with %s are the same', (_, text) => {
    expect(readSubtitles(text, 'x').text).toBe('大家好 欢迎收听\n第一条');
  });

  test.each<[string, string, number]>([
    ['cut off in a time', '1\n00:00:01,000 --> 00:0', 2],
    ['going back', '00:00:05,000 --> 00:00:06,000\na\n\n00:00:01,000 --> 00:00:02,000\nb\n', 4],
    ['overlapping', '00:00:01,000 --> 00:00:03,000\na\n\n00:00:02,000 --> 00:00:04,000\nb\n', 4],
    ['ending before they begin', '00:00:05,000 --> 00:00:04,000\na\n', 1],
    ['words without a time', '00:00:01,000 --> 00:00:02,000\na\n\nlost words\n', 4],
    ['no subtitles', 'WEBVTT\n', 1],
  ])('%s are refused with the line', (_, text, line) => {
    expect(() => readSubtitles(text, 'x')).toThrow(input('subtitles-broken', line));
  });
});

describe('recognised speech', () => {
  test('of Whisper, in seconds', () => {
    const value = {
      language: 'zh',
      segments: [
        { start: 0, end: 1.5, text: ' 大家好 ' },
        { start: 2, end: 3, text: '第一条' },
      ],
    };
    expect(readSpeech(value, 'x')).toEqual({
      text: '大家好\n第一条',
      language: 'zh',
      cues: [
        { start: 0, end: 3, startMs: 0, endMs: 1500 },
        { start: 4, end: 7, startMs: 2000, endMs: 3000 },
      ],
    });
  });

  test('of whisper.cpp, in milliseconds', () => {
    const value = { transcription: [{ offsets: { from: 0, to: 1500 }, text: 'Hello.' }] };
    expect(readSpeech(value, 'x')).toMatchObject({ text: 'Hello.', cues: [{ endMs: 1500 }] });
  });

  test.each([
    [[{ text: 'a' }]],
    [[{ start: 0, end: 1 }]],
    [[{ start: 2, end: 1, text: 'a' }]],
    [[null]],
  ])('with the segment %j is refused', (segments) => {
    expect(() => readSpeech({ segments }, 'x')).toThrow(input('speech-broken'));
  });
});

describe('feeds', () => {
  const item =
    '<item><title>Falcon 180B &amp; friends</title><link>https://example.com/a</link><description><![CDATA[<p>One <b>bold</b> word.</p><p>Two.</p><script>x()</script>]]></description></item>';
  const RSS = `<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><link>https://example.com</link><description>d</description>${item}</channel></rss>`;
  const ATOM =
    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><id>urn:x</id><updated>2026-01-01T00:00:00Z</updated><entry><title>Falcon 180B &amp; friends</title><id>urn:y</id><updated>2026-01-01T00:00:00Z</updated><link rel="self" href="https://example.com/self"/><link href="https://example.com/a"/><content type="html">&lt;p&gt;One &lt;b&gt;bold&lt;/b&gt; word.&lt;/p&gt;&lt;p&gt;Two.&lt;/p&gt;</content></entry></feed>';
  const JSON_FEED = JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    title: 'F',
    items: [
      {
        id: '1',
        url: 'https://example.com/a',
        title: 'Falcon 180B & friends',
        content_html: '<p>One <b>bold</b> word.</p><p>Two.</p>',
      },
    ],
  });

  test.each([
    ['RSS', RSS],
    ['Atom', ATOM],
    ['JSON Feed', JSON_FEED],
  ])('%s gives title, words and link', (_, text) => {
    expect(readFeed(text, 'x')).toEqual([
      {
        title: 'Falcon 180B & friends',
        body: 'One bold word.\nTwo.',
        links: [{ text: 'Falcon 180B & friends', url: 'https://example.com/a' }],
      },
    ]);
  });

  test('that is a web page is refused, and told where its feed is', () => {
    const page =
      '<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>';
    expect(() => readFeed(page, 'x')).toThrow(input('feed-is-a-page'));
    expect(() => readFeed(page, 'x')).toThrow(/\/feed\.xml/);
  });

  test.each([
    [
      'entities that grow without end',
      `<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>${RSS.replace('One', '&b;')}`,
    ],
    [
      'a file of ours',
      `<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>${RSS.replace('One', '&x;')}`,
    ],
  ])('with %s is not read', (_, text) => {
    expect(() => readFeed(text, 'x')).toThrow(input('feed-with-entities'));
  });

  test.each(['', 'words', '{}', '<rss', '<a><b></a>'])('%j is none', (text) => {
    expect(() => readFeed(text, 'x')).toThrow(expect.objectContaining({ kind: 'input' }));
  });

  test('links that are no web addresses are left out', () => {
    const [found] = readFeed(RSS.replace('https://example.com/a', 'javascript:alert(1)'), 'x');
    expect(found?.links).toEqual([]);
  });

  test('HTML of whatever depth becomes words', () => {
    expect(plainText('<ul><li>a</li><li>b<br>c</li></ul><style>p{}</style>d&nbsp;e')).toBe(
      'a\nb\nc\nd e',
    );
    expect(plainText(`${'<b>'.repeat(400)}deep`)).toBe('deep');
  });
});

describe('notes', () => {
  test('in Markdown: each heading is an item, its links are kept', () => {
    const text =
      '---\ntitle: x\n---\n# Week\n\n## Falcon **180B** {#falcon}\n\n- It has [180 billion](https://example.com/a) parameters.\n![chart](c.png)\nSee <https://example.com/b>.\n\n### Second\n';
    expect(readMarkdownNotes(text)).toEqual([
      {
        title: 'Falcon 180B',
        body: 'It has 180 billion parameters.\nSee .',
        links: [
          { text: '180 billion', url: 'https://example.com/a' },
          { text: 'https://example.com/b', url: 'https://example.com/b' },
        ],
      },
      { title: 'Second', body: '', links: [] },
    ]);
  });

  test('in Markdown without headings: each bullet; without bullets: each paragraph', () => {
    const titles = (text: string) => readMarkdownNotes(text).map(({ title }) => title);
    expect(titles('- one\n  more of one\n- two\n')).toEqual(['one', 'two']);
    expect(titles('one\nmore of one\n\ntwo\n')).toEqual(['one', 'two']);
  });

  test('in YAML: a list of texts or of items', () => {
    expect(
      readYamlNotes(
        '- plain words\n- title: T\n  text: Words.\n  link: https://example.com\n',
        'x',
      ),
    ).toEqual([
      { title: 'plain words', body: '', links: [] },
      { title: 'T', body: 'Words.', links: [{ text: 'T', url: 'https://example.com' }] },
    ]);
  });

  test.each([
    ['a mistake in it', 'a: [', 'notes-yaml'],
    ['no list', 'a: 1', 'notes-shape'],
    ['an item without title', '- { text: x }', 'notes-shape'],
    [
      'a bomb',
      `a: &a [x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((k, i) => `${k}: &${k} [${`*${'abcdefg'[i]},`.repeat(9)}]`).join('\n')}`,
      'notes-shape',
    ],
  ])('in YAML with %s are refused', (_, text, code) => {
    expect(() => readYamlNotes(text, 'x')).toThrow(input(code));
  });
});

test('given items are laid out one after the other, and cover the text', () => {
  const { text, entries } = layOut([
    { title: '标题', body: '正文。', links: [] },
    {
      title: 'Title',
      body: '',
      links: [
        { text: 'a', url: 'https://a.example' },
        { text: 'b', url: 'https://a.example' },
      ],
    },
  ]);
  expect(text).toBe('标题。\n正文。\n\nTitle.\n\n');
  expect(entries.map(({ start, end }) => text.slice(start, end))).toEqual([
    '标题。\n正文。\n\n',
    'Title.\n\n',
  ]);
  expect(entries[1]?.links).toHaveLength(1);
});
