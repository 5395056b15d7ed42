/** Stories → items: headlined, classified, ranked, those that tell the same made one. */
import type { Settings } from '../config/settings.ts';
import type { DraftItem, Place } from '../issue/draft.ts';
import type { Link } from '../issue/issue.ts';
import { groupDuplicates } from './duplicates.ts';
import { entitiesOf } from './entities.ts';
import { disagreements } from './evidence.ts';
import type { GlossaryIndex } from './glossary.ts';
import { headlineOf } from './headline.ts';
import { idsOf } from './ids.ts';
import { rank } from './rank.ts';
import { classify, indexSections, type SectionIndex } from './section.ts';
import type { ReadSource } from './stories.ts';
import type { Story } from './story.ts';
import { summaryOf } from './summary.ts';
import { timesOf } from './timing.ts';
import { printed } from './typography.ts';

/** Below these a person should look. */
const FIRM_BOUNDARY = 0.5;
const CLEAR_SECTION = 0.1;

/**
 * One item for each story, however many sources tell it; in rank order. Numbers on which the sources
 * disagree become flags of the spoken one.
 */
export function itemsOf(
  read: ReadSource[],
  settings: Settings,
  glossary: GlossaryIndex,
): DraftItem[] {
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
