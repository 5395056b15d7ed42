/**
 * Sentences → stories. Every gap gets a score from readable features; an exact optimisation weighs
 * the gaps against the cohesion and the length of the segments between them.
 */
import { cohesionGains } from './cohesion.ts';
import { type Edges, edgesOf, type RuleScore, ruleScores, type ShowPhrases } from './edges.ts';
import { FEATURES, type Feature, type Gap, gapReader, type SentenceView } from './features.ts';
import { type Lexicon, lexiconFor } from './lexicon/lexicon.ts';
import { FITTED, HAND, type WeightSet } from './lexicon/weights.ts';
import { bestSegmentation, bestSegmentationOf, type Problem } from './optimise.ts';
import type { Vocabulary } from './terms.ts';

export interface ShowProfile extends ShowPhrases {
  granularity: 'short' | 'normal' | 'long';
  /** How many items there are, where that is known. */
  items?: number | undefined;
}

/** Sentences `from` to `to` (exclusive). */
export interface Segment {
  kind: 'intro' | 'item' | 'outro';
  from: number;
  to: number;
  /** Share of perturbed runs that keep the boundary at its start, 0 to 1. */
  confidence: number;
  /** What each feature adds to the score of that boundary. */
  signals: Record<string, number>;
}

/** Sentences before which an editor wants a boundary, and before which none. */
export interface Said {
  split: ReadonlySet<number>;
  join: ReadonlySet<number>;
}

interface Balance {
  hand: number;
  fitted: number;
  cohesion: number;
  penalty: number;
}

const LONGEST = 60;
const END_MARK = /[。！？!?….]["'”’」』）)\]】》]*\s*$/u;
/** Units of a sentence at most. */
const MOST_UNITS = 4;
/** How much rarer a boundary is for it, as log-odds per unit of the logarithm. */
const RARER = 1;
/** More than all features of a text can say. */
const WORD_OF_EDITOR = 10_000;
const LENGTH = 0.4;
const LENGTH_SIGMA = 0.8;
const BALANCE: Balance = { hand: 0.4, fitted: 0.6, cohesion: 0.15, penalty: 0.6 };
/** Settings under which a firm boundary must survive. */
const PERTURBED: Balance[] = [
  { ...BALANCE, penalty: 0.1 },
  { ...BALANCE, penalty: 1.1 },
  { ...BALANCE, cohesion: 0.1 },
  { ...BALANCE, cohesion: 0.4 },
  { ...BALANCE, hand: 1, fitted: 0 },
  { ...BALANCE, hand: 0, fitted: 1 },
];
/** Factors on the typical length of an item and on cohesion, and what a boundary costs more. */
const GRANULARITY = {
  short: { length: 0.6, cohesion: 1, penalty: -0.4 },
  normal: { length: 1, cohesion: 1, penalty: 0 },
  long: { length: 3, cohesion: 1.6, penalty: 1 },
};
/** Cells of the table that a known number of items may take. */
const TABLE_LIMIT = 20_000_000;

/** Cuts a document into segments that cover all its sentences; none for no sentences. */
export function segment(
  sentences: SentenceView[],
  vocabulary: Vocabulary,
  language: string,
  show: ShowProfile,
  said: Said = { split: new Set(), join: new Set() },
): Segment[] {
  if (sentences.length === 0) return [];
  const lexicon = lexiconFor(language);
  const { gapAt, edges, rules, boundaryValues } = weighGaps(sentences, vocabulary, lexicon, show);
  const segmentValue = segmentValuer(sentences, vocabulary, edges, lexicon, show);
  const solve = (balance: Balance) => {
    const boundary = boundaryValues(balance).map((value, i) => saidOr(said, i, value));
    const value = segmentValue(balance.cohesion * GRANULARITY[show.granularity].cohesion);
    const problem = { size: sentences.length, longest: LONGEST, boundary, segment: value };
    return solveFor(segmentCount(show, edges, sentences.length), problem);
  };
  const starts = solve(BALANCE);
  const runs = PERTURBED.map((balance) => new Set(solve(balance)));
  return starts.map((from, i) => {
    const to = starts[i + 1] ?? sentences.length;
    const kept = runs.filter((run) => run.has(from)).length;
    const signals = from === 0 ? {} : signalsOf(gapAt(from), rules[from]!, lexicon);
    return { kind: kindOf(from, to, edges), from, to, confidence: kept / runs.length, signals };
  });
}

/**
 * What a boundary before each sentence is worth by itself, before cohesion and length are weighed: above
 * 0 it speaks for one. The first value, before sentence 0, means nothing.
 */
export function gapValues(
  sentences: SentenceView[],
  vocabulary: Vocabulary,
  language: string,
  show: ShowProfile,
): number[] {
  const { boundaryValues } = weighGaps(sentences, vocabulary, lexiconFor(language), show);
  return [...boundaryValues(BALANCE)];
}

function weighGaps(
  sentences: SentenceView[],
  vocabulary: Vocabulary,
  lexicon: Lexicon,
  show: ShowProfile,
) {
  const scale = scaleOf(sentences, lexicon);
  const gapAt = gapReader(sentences, vocabulary, lexicon, scale);
  const scores = scoresOf(sentences.length, gapAt, lexicon);
  const edges = edgesOf(sentences, lexicon, show);
  const rules = ruleScores(sentences, edges, lexicon, show);
  const boundaryValues = (balance: Balance) => {
    // Where every sentence falls into several units, a boundary is that much rarer among their gaps.
    const rarer = RARER * Math.log(scale);
    const penalty = balance.penalty + GRANULARITY[show.granularity].penalty + rarer;
    return Float64Array.from(rules, (rule, i) => {
      const score = balance.hand * scores.hand[i]! + balance.fitted * scores.fitted[i]!;
      return applyRules(score, rule) - penalty;
    });
  };
  return { gapAt, edges, rules, boundaryValues };
}

/** How many of the units make a usual sentence: unpunctuated speech falls into clauses or lines. */
function scaleOf(sentences: readonly SentenceView[], lexicon: Lexicon): number {
  const ended = sentences.filter(({ text }) => END_MARK.test(text)).length;
  if (ended * 2 > sentences.length) return 1;
  const usual = sentences.reduce((sum, { text }) => sum + text.length, 0) / sentences.length;
  return Math.max(1, Math.min(MOST_UNITS, Math.round(lexicon.typical.sentence / usual)));
}

function saidOr({ split, join }: Said, at: number, score: number): number {
  if (split.has(at)) return WORD_OF_EDITOR;
  return join.has(at) ? -WORD_OF_EDITOR : score;
}

/** Items, and one segment more for each end at which the programme speaks. */
function segmentCount(show: ShowProfile, edges: Edges, size: number): number | undefined {
  if (show.items === undefined) return undefined;
  return show.items + Number(edges.intro > 0) + Number(edges.outro < size);
}

function solveFor(count: number | undefined, problem: Problem): number[] {
  const fits = count !== undefined && count * problem.size <= TABLE_LIMIT;
  return (fits && bestSegmentationOf(count, problem)) || bestSegmentation(problem);
}

function kindOf(from: number, to: number, { intro, outro }: Edges): Segment['kind'] {
  if (to <= intro) return 'intro';
  return from >= outro ? 'outro' : 'item';
}

/** Value of a segment: cohesion of its terms, and how usual its length is. */
function segmentValuer(
  sentences: SentenceView[],
  vocabulary: Vocabulary,
  edges: Edges,
  lexicon: Lexicon,
  show: ShowProfile,
) {
  const gains = cohesionGains(vocabulary, LONGEST);
  const usual = Math.log(lexicon.typical.item * GRANULARITY[show.granularity].length);
  const offsets = new Float64Array(sentences.length + 1);
  for (const [i, { text }] of sentences.entries()) offsets[i + 1] = offsets[i]! + text.length;
  const lengths = new Float32Array(gains.length);
  for (let from = 0; from < sentences.length; from++) {
    for (let to = from + 1; to <= Math.min(sentences.length, from + LONGEST); to++) {
      const z = (Math.log(offsets[to]! - offsets[from]! + 1) - usual) / LENGTH_SIGMA;
      // A greeting or a farewell is as short as it is.
      const counts = kindOf(from, to, edges) === 'item';
      lengths[from * LONGEST + to - from - 1] = counts ? (-LENGTH * z * z) / 2 : 0;
    }
  }
  return (cohesion: number) => (from: number, to: number) => {
    const cell = from * LONGEST + to - from - 1;
    return cohesion * gains[cell]! + lengths[cell]!;
  };
}

/** What the two sets of weights make of each gap; every run mixes them in its own way. */
function scoresOf(size: number, gapAt: (index: number) => Gap, { language }: Lexicon) {
  const scores = { hand: new Float64Array(size), fitted: new Float64Array(size) };
  for (let i = 0; i < size; i++) {
    const gap = gapAt(i);
    scores.hand[i] = weigh(gap, HAND);
    scores.fitted[i] = weigh(gap, FITTED[language]);
  }
  return scores;
}

function weigh(gap: Gap, weights: WeightSet): number {
  let sum = weights.constant;
  for (const feature of FEATURES) sum += (weights[feature] ?? 0) * gap[feature];
  return sum;
}

/** A cue outweighs whatever spoke against a boundary. */
function applyRules(score: number, { cue, paragraph, edge, pause }: RuleScore): number {
  return (cue > 0 ? Math.max(0, score) : score) + cue + paragraph + edge + pause;
}

/** What each feature and rule adds to the score of a boundary. */
function signalsOf(gap: Gap, rules: RuleScore, { language }: Lexicon): Record<string, number> {
  const fitted = FITTED[language];
  const weight = (feature: Feature) =>
    BALANCE.hand * (HAND[feature] ?? 0) + BALANCE.fitted * (fitted[feature] ?? 0);
  const entries = FEATURES.map((feature) => [feature, weight(feature) * gap[feature]] as const);
  return Object.fromEntries(
    [...entries, ...Object.entries(rules)]
      .filter(([, value]) => value !== 0)
      .map(([name, value]) => [name, Math.round(value * 1000) / 1000]),
  );
}
