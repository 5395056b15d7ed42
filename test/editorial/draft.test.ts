import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { composeIssue } from '../../src/editorial/compose.ts';
import { draftSources } from '../../src/editorial/draft.ts';
import { applyRepairs } from '../../src/editorial/repair/repair.ts';
import { splitSentences } from '../../src/editorial/sentences.ts';
import { formatDraft } from '../../src/issue/draft-json.ts';
import { formatIssue } from '../../src/issue/format.ts';
import { parseIssue } from '../../src/issue/parse.ts';
import { settings } from './settings.ts';

const draftOf = (text: string, language = 'zh-CN') =>
  draftSources([{ name: 's.txt', language, text }], settings);

const ENGLISH = `Hello and welcome to the Harbour Weekly, your news from the waterfront. The port of Rotterdam opened a new terminal for electric ferries on Tuesday. It can charge twelve boats at once, and the city paid 40 million euros for it. Officials said the first ferries sail in March. In Hamburg, dock workers ended a strike after nine days. Their union accepted a raise of four percent. Next up, whales. Researchers in Tromsø counted 312 humpback whales in the fjord this winter, the most since 1987. The scientists credit quieter ships. That's all for this week. Thanks for listening!`;

const CHINESE =
  '各位听众好，欢迎收听社区一周。市图书馆周一宣布，将在东城区新建一座分馆。新馆藏书二十万册，预计明年六月开放。它还设有儿童阅览室。接下来是交通消息。地铁三号线周三起延长运营时间，末班车推迟到零点三十分。公司表示，这是为了方便夜班工人。最后一条，本市马拉松将于十月十二日举行，报名人数超过三万。组委会提醒选手提前领取号码布。感谢收听，我们下周再见。';

describe('texts that the engine has never seen', () => {
  test('English: the greeting is no story, and about three stories follow', () => {
    const { sources, items } = draftOf(ENGLISH, 'en');
    expect(sources[0]?.segments[0]?.kind).toBe('intro');
    expect(items.length).toBeGreaterThanOrEqual(2);
    expect(items.length).toBeLessThanOrEqual(4);
    expect(sources[0]?.repairs.filter(({ applied }) => applied)).toEqual([]);
  });

  test('Chinese that is not about AI: three stories, and no name is bent into one of the glossary', () => {
    const { sources, items } = draftOf(CHINESE);
    expect(items.length).toBeGreaterThanOrEqual(2);
    expect(items.length).toBeLessThanOrEqual(4);
    expect(sources[0]?.repairs.filter(({ applied }) => applied)).toEqual([]);
  });

  test('English without capitals falls into the same stories', () => {
    const starts = (text: string) =>
      draftOf(text, 'en').sources[0]?.segments.map(({ start }) => start);
    expect(starts(ENGLISH.toLowerCase())).toEqual(starts(ENGLISH));
  });

  test('Chinese with nothing but commas falls into about as many stories', () => {
    const text = readFileSync('issues/2023-09-w3/transcript.txt', 'utf8').replace(/[。！？]/g, ',');
    const { items } = draftOf(text);
    expect(items.length).toBeGreaterThanOrEqual(12);
    expect(items.length).toBeLessThanOrEqual(22);
  });

  test('speech without any mark is cut between words, and every unit stays readable', () => {
    const long = ENGLISH.toLowerCase()
      .replace(/[^a-z0-9 ]/g, '')
      .repeat(20);
    const units = splitSentences(long, 'en').map(({ start, end }) => long.slice(start, end));
    expect(units.join('')).toBe(long);
    expect(Math.max(...units.map(({ length }) => length))).toBeLessThan(500);
    expect(units.every((unit) => !/^\S*$/.test(unit))).toBe(true);
  });

  test('one sentence is one item', () => {
    const { items } = draftOf('英伟达发布了新的芯片。');
    expect(items).toHaveLength(1);
    expect(items[0]?.headline).toContain('英伟达');
  });
});

const fragments = fc.constantFrom(
  '英伟达',
  'OpenAI',
  '发布',
  '大模型',
  '。',
  '，',
  '！',
  '\n\n',
  ' ',
  'Lama2',
  'GPT4',
  '*',
  '<b>',
  '# ',
  '- ',
  '1. ',
  '`',
  '[x](y)',
  '😀',
  'Hello. ',
  '1801参数',
  '{{x}}',
  '-->',
  '<!-- ',
);
const texts = fc
  .array(fc.oneof(fragments, fc.string({ maxLength: 6 })), { maxLength: 40 })
  .map((parts) => parts.join(''));

describe('what an editor says of a boundary', () => {
  const starts = (overrides?: { split: number[]; join: number[] }) =>
    draftSources(
      [{ name: 's.txt', language: 'zh-CN', text: CHINESE, ...(overrides ? { overrides } : {}) }],
      settings,
    ).sources[0]?.segments.map(({ start }) => start) ?? [];
  const [, , second = 0] = starts();
  const inside = CHINESE.indexOf('公司表示');

  test('outweighs everything that the engine sees', () => {
    expect(starts({ split: [], join: [second + 2] })).not.toContain(second);
    expect(starts()).not.toContain(inside);
    expect(starts({ split: [inside + 1], join: [] })).toContain(inside);
  });
});

describe('whatever the text', () => {
  test('sentences tile it', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const sentences = splitSentences(text, 'zh-CN');
        expect(sentences.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
      }),
    );
  });

  test('segments tile it, and every repair names what stands there', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const [read] = draftOf(text).sources;
        let at = 0;
        for (const { start, end } of read?.segments ?? []) {
          expect(start).toBe(at);
          at = end;
        }
        if (text.length > 0) expect(at).toBe(text.length);
        for (const { start, end, from } of read?.repairs ?? [])
          expect(text.slice(start, end)).toBe(from);
      }),
      { numRuns: 60 },
    );
  });

  test('applying the repairs from the right gives the repaired text', () => {
    const text = readFileSync('issues/2023-09-w3/transcript.txt', 'utf8');
    const repairs = draftOf(text).sources[0]?.repairs ?? [];
    const byHand = repairs
      .filter(({ applied }) => applied)
      .reduceRight((done, { start, end, to }) => done.slice(0, start) + to + done.slice(end), text);
    expect(applyRepairs(text, repairs)).toBe(byHand);
  });

  test('the issue made of it can be read again', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const sources = [{ name: 's.txt', language: 'zh-CN', text }];
        const head = { id: 'x', title: 'x', date: '2023-09-17', language: 'zh-CN' };
        const file = formatIssue(
          composeIssue(draftSources(sources, settings), sources, settings, head),
        );
        parseIssue(file, { id: 'x', file: 'x', language: 'zh-CN', sections: settings.sections });
      }),
      { numRuns: 60 },
    );
  });
});

test('10 MB of text become an issue, in time that grows with the text and not with its square', {
  timeout: 60_000,
}, () => {
  const text = readFileSync('issues/2023-09-w3/transcript.txt', 'utf8');
  const head = { id: 'x', title: 'x', date: '2023-09-17', language: 'zh-CN' };
  const timeOf = (bytes: number) => {
    const long = text.repeat(Math.ceil(bytes / Buffer.byteLength(text)));
    const sources = [{ name: 's.txt', language: 'zh-CN', text: long }];
    const begun = performance.now();
    const draft = draftSources(sources, settings);
    const file = formatIssue(composeIssue(draft, sources, settings, head));
    expect(Buffer.byteLength(file)).toBeGreaterThan(bytes * 0.9);
    return { items: draft.items.length, ms: performance.now() - begun };
  };
  const small = timeOf(1_000_000);
  const large = timeOf(10_000_000);
  expect(large.items).toBeGreaterThan(1000);
  expect(large.ms).toBeLessThan(small.ms * 25);
});

test('draft.json holds the draft, a row on each line', () => {
  fc.assert(
    fc.property(fc.constantFrom('', ENGLISH, CHINESE, ENGLISH + CHINESE), (text) => {
      const draft = JSON.parse(JSON.stringify(draftOf(text)));
      const json = [...formatDraft(draft, 'sha256:0')].join('');
      expect(JSON.parse(json)).toEqual({ ...draft, hash: 'sha256:0' });
      expect(JSON.parse([...formatDraft(draft)].join(''))).toEqual(draft);
      for (const { headline } of draft.items)
        expect(
          json
            .split('\n')
            .filter((line) => line.includes(`"headline":${JSON.stringify(headline)}`)),
        ).not.toEqual([]);
    }),
  );
});
