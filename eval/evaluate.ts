/** One document, drafted and measured. */
import type { Settings } from '../src/config/settings.ts';
import { draftSources } from '../src/editorial/draft.ts';
import { lexiconFor } from '../src/editorial/lexicon/lexicon.ts';
import { splitSentences } from '../src/editorial/sentences.ts';
import { termsOf } from '../src/editorial/terms.ts';
import { tokenize } from '../src/editorial/tokens.ts';
import type { Draft, DraftItem } from '../src/issue/draft.ts';
import { c99, random, type Task, textTiling, uniform } from './baselines.ts';
import { boundariesOf, type GoldDocument, type GoldError, type GoldSegment } from './document.ts';
import {
  auc,
  f1,
  type Match,
  matchBoundaries,
  mean,
  pk,
  rouge1,
  windowDiff,
  withoutSpace,
} from './metrics.ts';

/** Means over documents; what a set has no truth for is absent. */
export interface Scores {
  documents: number;
  f1: number;
  near: number;
  pk: number;
  windowDiff: number;
  repairPrecision?: number | undefined;
  /** Of names and terms that a careful tool may repair. */
  repairRecall?: number | undefined;
  /** Of everything that may be repaired, suggestions counted. */
  helped?: number | undefined;
  section?: number | undefined;
  headline?: number | undefined;
  auc?: number | undefined;
}

type Segmentation = Pick<Scores, 'f1' | 'near' | 'pk' | 'windowDiff'>;

/** Our draft against the truth. */
export function evaluate(documents: readonly GoldDocument[], settings: Settings): Scores {
  const results = documents.map((document) => {
    const { name, language, text } = document;
    const draft = draftSources([{ name, language, text }], settings);
    return { document, draft };
  });
  const segmentation = results.map(({ document, draft }) =>
    compare(document, boundariesOf(draft.sources[0]?.segments ?? [])),
  );
  return {
    ...averageOf(segmentation),
    ...repairs(results),
    section: average(results.flatMap(sectionsRight)),
    headline: average(results.flatMap(headlineLikeness)),
    auc: average(results.flatMap(rankAuc)),
  };
}

/** The baselines on the same documents. */
export function evaluateBaselines(documents: readonly GoldDocument[]): Record<string, Scores> {
  const methods = {
    'random (K)': random,
    'uniform (K)': uniform,
    TextTiling: textTiling,
    'C99 (K)': c99,
  };
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]) => {
      const scores = documents.map((document, seed) => {
        const task = taskOf(document, seed);
        const starts = method(task).map((i) => task.sentences[i]?.start ?? 0);
        return compare(document, starts);
      });
      return [name, averageOf(scores)];
    }),
  );
}

function taskOf({ text, language, segments }: GoldDocument, seed: number): Task {
  const lexicon = lexiconFor(language);
  const sentences = splitSentences(text, language);
  let state = seed + 1;
  return {
    text,
    sentences,
    terms: sentences.map(({ start, end }) => termsOf(tokenize(text.slice(start, end)), lexicon)),
    count: segments.length,
    random: () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state / 2 ** 31;
    },
  };
}

function compare(
  { text, language, segments }: GoldDocument,
  starts: readonly number[],
): Segmentation {
  const sentences = splitSentences(text, language).map(({ start }) => start);
  const places = (offsets: readonly number[]) => withoutSpace(text, offsets);
  const [found, wanted] = [places(starts), places(boundariesOf(segments))];
  const all = [...new Set([...places(sentences), ...wanted])].sort((a, b) => a - b);
  const [size = 0] = places([text.length]);
  return {
    f1: f1(matchBoundaries(found, wanted, all, 0)),
    near: f1(matchBoundaries(found, wanted, all, 1)),
    pk: pk(found, wanted, size),
    windowDiff: windowDiff(found, wanted, size),
  };
}

interface Result {
  document: GoldDocument;
  draft: Draft;
}

/** Counted over all documents together: most have a few errors only. */
function repairs(results: readonly Result[]): Partial<Scores> {
  const judged = results.filter(({ document }) => document.errors.length > 0);
  if (judged.length === 0) return {};
  const precision = { found: 0, right: 0 };
  const recall: Match = { found: 0, wanted: 0, right: 0 };
  const helped: Match = { found: 0, wanted: 0, right: 0 };
  for (const { document, draft } of judged) {
    const made = draft.sources.flatMap((source) => source.repairs);
    const covering = ({ start, surface }: GoldError) =>
      made.filter((repair) => repair.start < start + surface.length && repair.end > start);
    for (const repair of made.filter(({ applied }) => applied)) {
      precision.found += 1;
      precision.right += Number(
        document.errors.some(
          ({ start, surface }) => repair.start < start + surface.length && repair.end > start,
        ),
      );
    }
    for (const error of document.errors.filter(({ action }) => action === 'auto')) {
      const found = covering(error);
      helped.wanted += 1;
      helped.right += Number(found.length > 0);
      if (!['name', 'term'].includes(error.class)) continue;
      recall.wanted += 1;
      recall.right += Number(found.some(({ applied }) => applied));
    }
  }
  return {
    repairPrecision: precision.found === 0 ? 1 : precision.right / precision.found,
    repairRecall: recall.right / recall.wanted,
    helped: helped.right / helped.wanted,
  };
}

/** Items that are about a gold segment: more than half of each lies in the other. */
function pairs({ document, draft }: Result): { gold: GoldSegment; item: DraftItem }[] {
  return document.segments.flatMap((gold) => {
    const item = draft.items.find(({ source }) => {
      const shared = Math.min(source.end, gold.end) - Math.max(source.start, gold.start);
      return shared * 2 > Math.max(source.end - source.start, gold.end - gold.start);
    });
    return item ? [{ gold, item }] : [];
  });
}

function sectionsRight(result: Result): number[] {
  return pairs(result)
    .filter(({ gold }) => gold.section !== undefined && gold.kind === 'item')
    .map(({ gold, item }) => Number(gold.section === item.section));
}

function headlineLikeness(result: Result): number[] {
  return pairs(result).flatMap(({ gold, item }) =>
    gold.headline ? [rouge1(item.headline, gold.headline)] : [],
  );
}

function rankAuc(result: Result): number[] {
  const known = pairs(result).filter(({ gold }) => gold.importance !== undefined);
  const most = Math.max(0, ...known.map(({ gold }) => gold.importance ?? 0));
  const items = known.map(({ gold, item }) => ({
    score: item.score,
    important: (gold.importance ?? 0) >= Math.min(most, 4) && most > 0,
  }));
  const value = auc(items);
  return value === undefined ? [] : [value];
}

function averageOf(scores: readonly Segmentation[]): Scores {
  const of = (name: keyof Segmentation) => mean(scores.map((score) => score[name]));
  return {
    documents: scores.length,
    f1: of('f1'),
    near: of('near'),
    pk: of('pk'),
    windowDiff: of('windowDiff'),
  };
}

function average(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : mean(values);
}
