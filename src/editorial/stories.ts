/** One source → its stories: sentences, repairs, segments. */
import type { Settings } from '../config/settings.ts';
import type { DraftSegment, DraftSource, Repair } from '../issue/draft.ts';
import type { Cue, Entry, Sentence, SourceText, Span } from '../issue/source.ts';
import { findFlags } from './flags.ts';
import { indexGlossary } from './glossary.ts';
import { type Lexicon, lexiconFor } from './lexicon/lexicon.ts';
import { findNames } from './names.ts';
import { indexRepairs, type RepairIndex, repairer, withFewSuggestions } from './repair/repair.ts';
import { gapValues, type Said, type Segment, segment } from './segment.ts';
import { splitSentences } from './sentences.ts';
import type { Story, StorySentence } from './story.ts';
import { buildVocabulary, termsOf, type Vocabulary } from './terms.ts';
import { timesOf, withPauses } from './timing.ts';

/** What draft.json says of a source, and its stories. */
export interface ReadSource {
  draft: DraftSource;
  stories: Story[];
}

/** Reads one source: where a feed or a note gives its items, none are looked for. */
export function readSource(source: SourceText, settings: Settings, index: RepairIndex): ReadSource {
  const { name, language, text } = source;
  const lexicon = lexiconFor(language);
  const { cues = [], entries } = source;
  const split = splitSentences(text, language);
  const sentences = cues.length > 0 ? withPauses(split, cues) : split;
  const { views, vocabulary, repairs } = viewsOf(source, sentences, index, lexicon);
  const segments = entries
    ? givenSegments(views, entries)
    : segment(views, vocabulary, language, settings.show, saidOf(source, sentences));
  const stories = segments
    .filter(({ kind, from }) => kind === 'item' && views[from]!.text.trim() !== '')
    .map(({ from, to, confidence }, i): Story => {
      const [start, end] = bounds(views, from, to);
      const own = { lexicon, confidence, cues: source.cues, entry: entries?.[i] };
      return { source: name, sentences: views.slice(from, to), start, end, ...own };
    });
  const flags = findFlags(text, sentences, language);
  const spans = segments.map((found) => toDraftSegment(found, views, cues));
  return { draft: { name, language, segments: spans, repairs, flags }, stories };
}

/** Offsets → the sentences that hold them. */
function saidOf({ overrides }: SourceText, sentences: readonly Sentence[]): Said {
  const holding = (offsets: readonly number[] = []) =>
    new Set(offsets.map((offset) => sentences.findIndex(({ end }) => offset < end)));
  return { split: holding(overrides?.split), join: holding(overrides?.join) };
}

/** The value of a boundary before each sentence of a source, as the engine weighs it. */
export function gapValuesOf(
  source: SourceText,
  settings: Settings,
): { start: number; value: number }[] {
  const { text, language } = source;
  const sentences = splitSentences(text, language);
  const index = indexRepairs(indexGlossary(settings.glossary));
  const { views, vocabulary } = viewsOf(source, sentences, index, lexiconFor(language));
  const values = gapValues(views, vocabulary, language, settings.show);
  return sentences.map(({ start }, i) => ({ start, value: values[i]! }));
}

/** The items that the source gives itself: nothing is to be found. */
function givenSegments(views: readonly Span[], entries: readonly Entry[]): Segment[] {
  const starts = entries.map(({ start }) => views.findIndex((view) => view.start >= start));
  return starts.map((from, i) => {
    const to = starts[i + 1] ?? views.length;
    return { kind: 'item', from, to, confidence: 1, signals: {} };
  });
}

/** The sentences as they read after repair, and their terms. */
function viewsOf(
  { text, language }: SourceText,
  sentences: readonly Sentence[],
  index: RepairIndex,
  lexicon: Lexicon,
): { views: StorySentence[]; vocabulary: Vocabulary; repairs: Repair[] } {
  const repair = repairer(text, language, index);
  const repairs: Repair[] = [];
  const views: StorySentence[] = [];
  function* terms() {
    for (const sentence of sentences) {
      const repaired = repair(sentence);
      repairs.push(...repaired.repairs);
      const names = findNames(repaired.text, repaired.tokens, repaired.mentions, lexicon);
      views.push({ ...sentence, text: repaired.text, names });
      yield termsOf(repaired.tokens, lexicon);
    }
  }
  const vocabulary = buildVocabulary(terms(), lexicon);
  return { views, vocabulary, repairs: withFewSuggestions(repairs, text.length) };
}

function bounds(views: readonly Span[], from: number, to: number): [number, number] {
  return [views[from]!.start, views[to - 1]!.end];
}

function toDraftSegment(
  found: Segment,
  views: readonly Span[],
  cues: readonly Cue[],
): DraftSegment {
  const [start, end] = bounds(views, found.from, found.to);
  const times = cues.length > 0 ? timesOf({ start, end }, cues) : {};
  const { kind, confidence, signals } = found;
  return { kind, start, end, confidence: Math.round(confidence * 100) / 100, signals, ...times };
}
