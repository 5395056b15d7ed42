/** Sources → draft: stories found, repaired, named, classified, headlined, ranked. */
import type { Glossary, Settings } from '../config/settings.ts';
import type { Draft } from '../issue/draft.ts';
import type { SourceText } from '../issue/source.ts';
import { indexGlossary } from './glossary.ts';
import { itemsOf } from './items.ts';
import type { Name } from './names.ts';
import { indexRepairs, type RepairIndex } from './repair/repair.ts';
import { type ReadSource, readSource } from './stories.ts';
import { namesOf } from './story.ts';

/** Letters of a name that is taken from a feed for comparison. */
const SHORTEST_SPELLING = 5;

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
