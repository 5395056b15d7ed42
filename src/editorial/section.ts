/** Story → section, by weighted words; with what came second and by how much. */
import type { SectionSettings } from '../config/settings.ts';
import { namesOf, type Story, textOf } from './story.ts';

/** The sections, their words ready to be counted. */
export interface SectionIndex {
  id: string;
  weight: number;
  types: readonly string[];
  words: Record<'zh' | 'en', Keyword[]>;
}

export interface Classified {
  section: SectionIndex | undefined;
  /** Distance to the runner-up as a share of the winner's points, 0 to 1. */
  margin: number;
}

interface Keyword {
  /** In lower case. */
  text: string;
  /** For Latin words, which match whole. */
  whole: RegExp | undefined;
  points: number;
}

/** A word counts twice at most, and more where it stands early. */
const COUNT_LIMIT = 2;
const EARLY = 1.8;
const EARLY_CHARACTERS = { zh: 70, en: 200 };
/** Points for a name of the section's types: the first one, each further one, all together. */
const LEAD_PRIOR = 1.2;
const PRIOR = 0.5;
const PRIOR_LIMIT = 2.5;
/** Longer words are more specific. */
const SPECIFIC = 0.25;

/** Prepares the sections once for any number of stories. */
export function indexSections(sections: readonly SectionSettings[]): SectionIndex[] {
  return sections.map(({ id, weight, types, keywords }) => ({
    id,
    weight,
    types,
    words: { zh: keywords.zh.map(keyword), en: keywords.en.map(keyword) },
  }));
}

/** Finds the section; the first one when no word speaks for any. */
export function classify(
  story: Story,
  headline: string,
  sections: readonly SectionIndex[],
): Classified {
  const { language } = story.lexicon;
  const text = textOf(story).toLowerCase();
  const places = [text.slice(0, EARLY_CHARACTERS[language]), headline.toLowerCase()];
  const names = namesOf(story).filter(({ type }) => type !== undefined && type !== 'media');
  const points = sections
    .map((section) => {
      const words = section.words[language];
      const spoken = words.reduce((sum, word) => sum + pointsOf(word, text, places), 0);
      const typed = names.filter(({ type }) => type && section.types.includes(type));
      const prior = typed.reduce((sum, name) => sum + (name === names[0] ? LEAD_PRIOR : PRIOR), 0);
      return { section, value: spoken + Math.min(PRIOR_LIMIT, prior) };
    })
    .sort((a, b) => b.value - a.value);
  const [best, second] = points;
  const margin = best?.value ? 1 - (second?.value ?? 0) / best.value : 0;
  return { section: best?.section, margin };
}

/** Each of the places counts for itself. */
function pointsOf(word: Keyword, text: string, places: string[]): number {
  const count = Math.min(COUNT_LIMIT, occurrences(word, text));
  if (count === 0) return 0;
  const early = places.filter((place) => occurrences(word, place) > 0).length;
  return count * EARLY ** early * word.points;
}

function occurrences({ text, whole }: Keyword, within: string): number {
  if (!within.includes(text)) return 0;
  return whole ? (within.match(whole)?.length ?? 0) : within.split(text).length - 1;
}

function keyword(word: string): Keyword {
  const text = word.toLowerCase();
  const han = /\p{Script=Han}/u.test(word);
  const parts = han ? word.length - 1 : word.split(' ').length;
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return {
    text,
    whole: han ? undefined : new RegExp(`(?<![\\p{L}\\d])${escaped}(?![\\p{L}\\d])`, 'gu'),
    points: 1 + SPECIFIC * Math.max(0, parts - 1),
  };
}
