/** The seed against its hand-made truth. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { composeIssue } from '../../src/editorial/compose.ts';
import { draftSources } from '../../src/editorial/draft.ts';
import { formatIssue } from '../../src/issue/format.ts';
import { parseIssue } from '../../src/issue/parse.ts';
import { settings } from './settings.ts';

interface Gold {
  boundaries: number[];
  segments: {
    kind: string;
    start: number;
    end: number;
    section: string;
    section_alt: string[];
    sentences: { start: number }[];
    asr_errors: {
      offset: number;
      surface: string;
      correct: string;
      class: string;
      action: string;
    }[];
  }[];
}

const gold: Gold = JSON.parse(readFileSync('test/editorial/fixtures/2023-09-w3.gold.json', 'utf8'));
const text = readFileSync('issues/2023-09-w3/transcript.txt', 'utf8');
const sources = [{ name: 'transcript.txt', language: 'zh-CN', text }];
const draft = draftSources(sources, settings);
const [read] = draft.sources;
const goldItems = gold.segments.filter(({ kind }) => kind === 'item');
const errors = gold.segments.flatMap(({ asr_errors }) => asr_errors);

const covering = (offset: number, length: number) =>
  read?.repairs.find(({ start, end }) => start < offset + length && end > offset);

describe('the seed', () => {
  test('falls into its 16 stories, at most one boundary off by one sentence', () => {
    const found = read?.segments.slice(1).map(({ start }) => start) ?? [];
    const starts = gold.segments.flatMap(({ sentences }) => sentences.map(({ start }) => start));
    const wrong = gold.boundaries.filter((boundary) => !found.includes(boundary));
    expect(found).toHaveLength(gold.boundaries.length);
    expect(draft.items).toHaveLength(16);
    expect(wrong.length).toBeLessThanOrEqual(1);
    for (const boundary of wrong) {
      const at = starts.indexOf(boundary);
      expect([starts[at - 1], starts[at + 1]].some((near) => found.includes(near ?? -1))).toBe(
        true,
      );
    }
  });

  test('has its intro and outro exactly', () => {
    expect(read?.segments[0]).toMatchObject({ kind: 'intro', start: 0, end: 26 });
    expect(read?.segments.at(-1)).toMatchObject({ kind: 'outro', start: 3087, end: 3117 });
  });

  test('is repaired with precision 1: every automatic change is one that the truth lists', () => {
    for (const { start, end, from } of read?.repairs.filter(({ applied }) => applied) ?? []) {
      const listed = errors.some(
        ({ offset, surface }) => offset < end && offset + surface.length > start,
      );
      expect(listed, `${start} ${from}`).toBe(true);
    }
  });

  test('has at least 87 % of its names and terms repaired, 95 % of what is repairable with suggestions', () => {
    const names = errors.filter(
      (error) => ['name', 'term'].includes(error.class) && error.action === 'auto',
    );
    const done = names.filter(({ offset, surface }) => covering(offset, surface.length)?.applied);
    expect(done.length / names.length).toBeGreaterThanOrEqual(0.87);
    const automatic = errors.filter(({ action }) => action === 'auto');
    const helped = automatic.filter(({ offset, surface }) => covering(offset, surface.length));
    expect(helped.length / automatic.length).toBeGreaterThanOrEqual(0.95);
  });

  test('keeps its facts: they are flagged, never changed', () => {
    const facts = errors.filter((error) => error.class === 'fact');
    expect(facts.length).toBeGreaterThan(0);
    for (const { offset, surface } of facts)
      expect(covering(offset, surface.length)?.applied ?? false).toBe(false);
    expect(read?.flags.map(({ start, end }) => text.slice(start, end))).toContain('减半');
  });

  test('is sorted into sections that an editor would accept, at least 15 of 16', () => {
    const right = draft.items.filter(({ section, source }) => {
      const truth = goldItems.find(({ start }) => start === source.start);
      return truth && [truth.section, ...truth.section_alt].includes(section);
    });
    expect(right.length).toBeGreaterThanOrEqual(15);
  });

  test('gets headlines that are whole and name something, or are marked for the editor', () => {
    for (const { headline, needsReview } of draft.items) {
      if (needsReview.some((reason) => reason.startsWith('headline'))) continue;
      expect(headline, headline).toMatch(/[\p{Lu}\p{N}]|\p{Script=Han}{4}/u);
      expect(headline).not.toMatch(/^[它其该但并且要把将]|[，。、：,]$|(表示|宣布|称|把|将)$/u);
    }
  });

  test('is ranked by a sum whose parts are shown', () => {
    for (const { score, signals } of draft.items) {
      expect(Object.keys(signals).length).toBeGreaterThan(1);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
    const scores = draft.items.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  test('gives the same bytes again', () => {
    expect(JSON.stringify(draftSources(sources, settings))).toBe(JSON.stringify(draft));
  });

  test('becomes a valid issue file that holds every sentence of its items', () => {
    const head = { id: 'x', title: 'x', date: '2023-09-17', language: 'zh-CN' };
    const issue = composeIssue(draft, sources, settings, head);
    const file = formatIssue(issue);
    const parsed = parseIssue(file, {
      id: 'x',
      file: 'x',
      language: 'zh-CN',
      sections: settings.sections,
    });
    expect(parsed.sections.flatMap(({ items }) => items)).toHaveLength(16);
    expect(file).toContain('<!-- check: 核对“减半”');
    for (const word of ['张量并行', '动态批处理', 'RETFound', 'NExT-GPT', 'LINGO-1', '1800 亿'])
      expect(file).toContain(word);
  });
});
