/** Stories → scores: a sum of what each signal contributes, so that every score can be told. */
import type { Name } from './names.ts';
import { namesOf, type Story, textOf } from './story.ts';

export interface Ranked {
  /** 0 to 1. */
  score: number;
  /** Contribution of each signal to the score. */
  signals: Record<string, number>;
}

/** What a score needs to know beyond the story itself. */
export interface Placing {
  /** Place in its source, from 0, and how many stories that has. */
  index: number;
  count: number;
  /** Sources that tell the story, and sources there are. */
  tellers: number;
  sources: number;
  /** Pull of its section; 1 is neutral. */
  sectionWeight: number;
}

/** What each signal can add at most, before the sum is brought to 0 to 1. */
const WEIGHTS = {
  prominence: 0.8,
  length: 1.2,
  numbers: 0.8,
  impact: 0.3,
  position: 1,
  coverage: 1.5,
  section: 0.5,
};
/** Lengths, as shares of a typical item, that count nothing and all; numbers that count all. */
const SHORT = 0.4;
const LONG = 4;
const MANY_NUMBERS = 12;
const MANY_IMPACT_WORDS = 5;

/** Scores a story. The host's order counts for one source; for several, who else tells it. */
export function rank(story: Story, placing: Placing): Ranked {
  const text = textOf(story);
  const several = placing.sources > 1;
  const typical = story.lexicon.typical.item;
  const superlative = new RegExp(story.lexicon.superlative.source, 'giu');
  const values = {
    prominence: prominence(story),
    length: share(Math.log(text.length / (SHORT * typical)), Math.log(LONG / SHORT)),
    numbers: share(Math.log1p(countOf(/\d[\d.,]*/g, text)), Math.log1p(MANY_NUMBERS)),
    impact: share(countOf(superlative, text), MANY_IMPACT_WORDS),
    position: several ? 0 : 1 - placing.index / Math.max(1, placing.count),
    coverage: several ? (placing.tellers - 1) / (placing.sources - 1) : 0,
    section: placing.sectionWeight - 1,
  };
  const { position, coverage, section: _, ...rest } = WEIGHTS;
  const total = Object.values(rest).reduce((a, b) => a + b, several ? coverage : position);
  const signals = Object.fromEntries(
    Object.entries(values)
      .map(
        ([name, value]) =>
          [name, round((WEIGHTS[name as keyof typeof WEIGHTS] * value) / total)] as const,
      )
      .filter(([, value]) => value !== 0),
  );
  const sum = Object.values(signals).reduce((a, b) => a + b, 0);
  return { score: round(Math.max(0, Math.min(1, sum))), signals };
}

/** Names in the first sentence tell what the story is about; others count a third. */
function prominence(story: Story): number {
  const most = (names: Name[]) => Math.max(0, ...names.map(({ weight }) => weight));
  return (2 * most(story.sentences[0]?.names ?? []) + most(namesOf(story))) / 3;
}

function countOf(pattern: RegExp, text: string): number {
  return text.match(pattern)?.length ?? 0;
}

function share(value: number, whole: number): number {
  return Math.max(0, Math.min(1, value / whole));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
