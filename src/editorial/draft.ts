/** Sources → draft: stories found, repaired, named, classified, headlined, ranked. */
import type { Glossary, Settings } from '../config/settings.ts';
import type { Draft, DraftItem, DraftSegment, DraftSource, Place, Repair } from '../issue/draft.ts';
import type { Link } from '../issue/issue.ts';
import type { Cue, Entry, Sentence, SourceText, Span } from '../issue/source.ts';
import { groupDuplicates } from './duplicates.ts';
import { entitiesOf } from './entities.ts';
import { disagreements } from './evidence.ts';
import { findFlags } from './flags.ts';
import { type GlossaryIndex, indexGlossary } from './glossary.ts';
import { headlineOf } from './headline.ts';
import { idsOf } from './ids.ts';
import { type Lexicon, lexiconFor } from './lexicon/lexicon.ts';
import { findNames, type Name } from './names.ts';
import { rank } from './rank.ts';
import { indexRepairs, type RepairIndex, repairer, withFewSuggestions } from './repair/repair.ts';
import { classify, indexSections, type SectionIndex } from './section.ts';
import { gapValues, type Said, type Segment, segment } from './segment.ts';
import { splitSentences } from './sentences.ts';
import { namesOf, type Story, type StorySentence } from './story.ts';
import { summaryOf } from './summary.ts';
import { buildVocabulary, termsOf, type Vocabulary } from './terms.ts';
import { timesOf, withPauses } from './timing.ts';
import { printed } from './typography.ts';

/** One source, read: what draft.json says of it, and its stories. */
interface ReadSource {
  draft: DraftSource;
  stories: Story[];
}

/** Letters of a name that is taken from a feed for comparison. */
const SHORTEST_SPELLING = 5;
/** Below these a person should look. */
const FIRM_BOUNDARY = 0.5;
const CLEAR_SECTION = 0.1;

/**
 * Drafts an issue from its sources. Same sources and settings, same draft.
 * @returns sources in the given order, items in rank order; offsets in UTF-16 code units
 */
export function draftSources(sources: SourceText[], settings: Settings): Draft {
  const index = indexRepairs(indexGlossary(settings.glossary));
  const given = sources.filter(({ entries }) => entries);
  const spelt = given.map((source) => readSource(source, settings, index));
  const heard = withSpellings(index, settings.glossary, spelt);
  const read = sources.map((source) => readSource(source, settings, heard));
  const items = itemsOf(read, settings, heard.glossary);
  return { sources: read.map(({ draft }) => draft), items };
}

/** Whoever writes a feed or a note can spell its names: what was heard is compared with them as well. */
function withSpellings(index: RepairIndex, glossary: Glossary, given: ReadSource[]): RepairIndex {
  const names = given.flatMap(({ stories }) => stories.flatMap(namesOf));
  const spelt = new Set(names.filter(isProper).map(({ text }) => text));
  if (spelt.size === 0) return index;
  const entries = [...spelt].map((id) => ({
    id,
    // Terms are not looked for by their sound; what a feed names is a thing.
    type: 'product' as const,
    weight: 0.3,
    forms: [],
    aliases: [],
  }));
  return indexRepairs(indexGlossary({ ...glossary, entries: [...glossary.entries, ...entries] }));
}

/** A Latin name that the glossary lacks, long enough to be told from others by its sound. */
function isProper({ text, known }: Name): boolean {
  return (
    !known && text.length >= SHORTEST_SPELLING && /^\p{Lu}[\p{Script=Latin}\d .-]*$/u.test(text)
  );
}

function readSource(source: SourceText, settings: Settings, index: RepairIndex): ReadSource {
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

/** One item for each story, however many sources tell it; in rank order. */
function itemsOf(read: ReadSource[], settings: Settings, glossary: GlossaryIndex): DraftItem[] {
  // What was said gives the words of a story that a feed tells as well.
  const spokenFirst = read.toSorted((a, b) => Number(isGiven(a)) - Number(isGiven(b)));
  const told = spokenFirst.flatMap(({ stories }) =>
    stories.map((story, index) => ({ story, index, count: stories.length })),
  );
  const sections = indexSections(settings.sections);
  const { leaders, related } = groupDuplicates(told.map(({ story }) => story));
  const followers = Map.groupBy(told.keys(), (i) => leaders[i]!);
  const items = [...followers].map(([leader, group]) => {
    const { story, ...place } = told[leader]!;
    const also = group.slice(1).map((i) => told[i]!.story);
    noteDisagreements(read, story, also);
    return {
      story,
      leader,
      item: itemOf(story, also, { ...place, sources: read.length }, sections, glossary),
    };
  });
  const ranked = items.sort((a, b) => b.item.score - a.item.score);
  const ids = idsOf(
    ranked.map(({ story }) => story),
    ranked.map(({ item }) => item.headline),
  );
  const idOf = new Map(ranked.map(({ leader }, i) => [leader, ids[i]!]));
  const relatedTo = (leader: number) =>
    related.flatMap(([a, b]) => (a === leader ? [b] : b === leader ? [a] : []));
  return ranked.map(({ item, leader }, i) => {
    const others = relatedTo(leader).flatMap((other) => idOf.get(leaders[other]!) ?? []);
    return {
      ...item,
      id: ids[i]!,
      ...(others.length > 0 ? { related: [...new Set(others)] } : {}),
    };
  });
}

function isGiven({ stories }: ReadSource): boolean {
  return stories.some(({ entry }) => entry !== undefined);
}

/** The numbers of a spoken story against those of the feeds and notes that tell it: flags of its source. */
function noteDisagreements(read: ReadSource[], story: Story, also: readonly Story[]): void {
  if (story.entry) return;
  const found = also.filter(({ entry }) => entry).flatMap((other) => disagreements(story, other));
  const source = read.find(({ draft }) => draft.name === story.source);
  source?.draft.flags.push(...found);
  source?.draft.flags.sort((a, b) => a.start - b.start);
}

function itemOf(
  story: Story,
  also: Story[],
  place: { index: number; count: number; sources: number },
  sections: readonly SectionIndex[],
  glossary: GlossaryIndex,
): DraftItem {
  const headline = story.entry?.title
    ? { text: printed(story.entry.title, story.lexicon.language), doubts: [] }
    : headlineOf(story);
  const links = linksOf([story, ...also]);
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
    source: placeOf(story),
    also: also.map(placeOf),
    ...(links.length > 0 ? { links } : {}),
  };
}

function placeOf({ source, start, end, cues = [] }: Story): Place {
  const times = cues.length > 0 ? timesOf({ start, end }, cues) : {};
  return { name: source, start, end, ...times };
}

/** The links of all who tell a story, each once. */
function linksOf(stories: readonly Story[]): Link[] {
  const links = stories.flatMap(({ entry }) => entry?.links ?? []);
  return [...new Map(links.map((link) => [link.url, link])).values()];
}
