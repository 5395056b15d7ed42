/** Sources → draft: stories found, repaired, named, classified, headlined, ranked. */
import type { Settings } from '../config/settings.ts';
import type { Draft, DraftItem, DraftSegment, DraftSource, Repair } from '../issue/draft.ts';
import type { Sentence, SourceText, Span } from '../issue/source.ts';
import { groupDuplicates } from './duplicates.ts';
import { entitiesOf } from './entities.ts';
import { findFlags } from './flags.ts';
import { type GlossaryIndex, indexGlossary } from './glossary.ts';
import { headlineOf } from './headline.ts';
import { idsOf } from './ids.ts';
import { type Lexicon, lexiconFor } from './lexicon/lexicon.ts';
import { findNames } from './names.ts';
import { rank } from './rank.ts';
import { indexRepairs, type RepairIndex, repairer, withFewSuggestions } from './repair/repair.ts';
import { classify, indexSections, type SectionIndex } from './section.ts';
import { type Segment, segment } from './segment.ts';
import { splitSentences } from './sentences.ts';
import type { Story, StorySentence } from './story.ts';
import { summaryOf } from './summary.ts';
import { buildVocabulary, termsOf, type Vocabulary } from './terms.ts';

/** One source, read: what draft.json says of it, and its stories. */
interface ReadSource {
  draft: DraftSource;
  stories: Story[];
}

/** Below these a person should look. */
const FIRM_BOUNDARY = 0.5;
const CLEAR_SECTION = 0.1;

/**
 * Drafts an issue from its sources. Same sources and settings, same draft.
 * @returns sources in the given order, items in rank order; offsets in UTF-16 code units
 */
export function draftSources(sources: SourceText[], settings: Settings): Draft {
  const index = indexRepairs(indexGlossary(settings.glossary));
  const read = sources.map((source) => readSource(source, settings, index));
  return {
    sources: read.map(({ draft }) => draft),
    items: itemsOf(read, settings, index.glossary),
  };
}

function readSource(source: SourceText, settings: Settings, index: RepairIndex): ReadSource {
  const { name, language, text } = source;
  const lexicon = lexiconFor(language);
  const sentences = splitSentences(text, language);
  const { views, vocabulary, repairs } = viewsOf(source, sentences, index, lexicon);
  const segments = segment(views, vocabulary, language, settings.show);
  const stories = segments
    .filter(({ kind, from }) => kind === 'item' && views[from]!.text.trim() !== '')
    .map(({ from, to, confidence }) => {
      const [start, end] = bounds(views, from, to);
      return { source: name, lexicon, confidence, sentences: views.slice(from, to), start, end };
    });
  const flags = findFlags(text, sentences, language);
  const spans = segments.map((found) => toDraftSegment(found, views));
  return { draft: { name, language, segments: spans, repairs, flags }, stories };
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

function toDraftSegment(found: Segment, views: readonly Span[]): DraftSegment {
  const [start, end] = bounds(views, found.from, found.to);
  const { kind, confidence, signals } = found;
  return { kind, start, end, confidence: Math.round(confidence * 100) / 100, signals };
}

/** One item for each story, however many sources tell it; in rank order. */
function itemsOf(read: ReadSource[], settings: Settings, glossary: GlossaryIndex): DraftItem[] {
  const told = read.flatMap(({ stories }) =>
    stories.map((story, index) => ({ story, index, count: stories.length })),
  );
  const sections = indexSections(settings.sections);
  const leaders = groupDuplicates(told.map(({ story }) => story));
  const followers = Map.groupBy(told.keys(), (i) => leaders[i]!);
  const items = [...followers].map(([leader, group]) => {
    const { story, ...place } = told[leader]!;
    const also = group.slice(1).map((i) => told[i]!.story);
    return {
      story,
      item: itemOf(story, also, { ...place, sources: read.length }, sections, glossary),
    };
  });
  const ranked = items.sort((a, b) => b.item.score - a.item.score);
  const ids = idsOf(
    ranked.map(({ story }) => story),
    ranked.map(({ item }) => item.headline),
  );
  return ranked.map(({ item }, i) => ({ ...item, id: ids[i]! }));
}

function itemOf(
  story: Story,
  also: Story[],
  place: { index: number; count: number; sources: number },
  sections: readonly SectionIndex[],
  glossary: GlossaryIndex,
): DraftItem {
  const headline = headlineOf(story);
  const { section, margin } = classify(story, headline.text, sections);
  const tellers = new Set([story, ...also].map(({ source }) => source)).size;
  const needsReview = [...headline.doubts];
  if (margin < CLEAR_SECTION) needsReview.push('section-uncertain');
  if (story.confidence < FIRM_BOUNDARY) needsReview.push('boundary-soft');
  return {
    id: '',
    headline: headline.text,
    summary: summaryOf(story),
    section: section?.id ?? 'news',
    ...rank(story, { ...place, tellers, sectionWeight: section?.weight ?? 1 }),
    entities: entitiesOf(story, glossary),
    needsReview,
    source: spanIn(story),
    also: also.map(spanIn),
  };
}

function spanIn({ source, start, end }: Story) {
  return { name: source, start, end };
}
