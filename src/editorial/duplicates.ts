/** The same story told by several sources, found by its names and numbers. */
import type { Name } from './names.ts';
import { namesOf, type Story, textOf } from './story.ts';
import { termsOf } from './terms.ts';
import { tokenize } from './tokens.ts';

interface Profile {
  source: string;
  terms: Map<string, number>;
  names: Map<string, number>;
  numbers: Set<string>;
}

const THRESHOLD = 0.23;
const WEIGHTS = { terms: 0.35, names: 0.4, numbers: 0.25 };
/** Names this prominent are in every other story. */
const COMMON = 0.6;

export interface Duplicates {
  /** For each story the index of the first one that tells it. */
  leaders: number[];
  /** Pairs that are much alike, but not surely the same; the later one first. */
  related: [number, number][];
}

/**
 * Groups stories of different sources that tell the same. Merged only where they share a number or
 * two uncommon names; stories of one source are never merged.
 */
export function groupDuplicates(stories: readonly Story[]): Duplicates {
  const leaders = stories.map((_, i) => i);
  const related: [number, number][] = [];
  if (new Set(stories.map(({ source }) => source)).size < 2) return { leaders, related };
  const profiles = stories.map(profileOf);
  const idf = rarity(profiles);
  const byMark = new Map<string, number[]>();
  for (const [i, profile] of profiles.entries()) {
    const marks = marksOf(profile);
    const earlier = new Set(marks.flatMap((mark) => byMark.get(mark) ?? []));
    const alike = [...earlier]
      .sort((a, b) => a - b)
      .filter((j) => isAlike(profiles[j]!, profile, idf));
    const same = alike.find((j) => isCertain(profiles[j]!, profile));
    if (same !== undefined) leaders[i] = same;
    else {
      for (const j of alike) related.push([i, j]);
      for (const mark of marks) byMark.set(mark, [...(byMark.get(mark) ?? []), i]);
    }
  }
  return { leaders, related };
}

/** What two stories must share to be compared at all. */
function marksOf({ numbers, names }: Profile): string[] {
  const uncommonNames = [...names].filter(([, weight]) => weight === 1).map(([key]) => key);
  return [...[...numbers].map((number) => `#${number}`), ...uncommonNames];
}

function profileOf(story: Story): Profile {
  const text = textOf(story);
  const terms = new Map<string, number>();
  for (const term of termsOf(tokenize(text), story.lexicon))
    terms.set(term, (terms.get(term) ?? 0) + 1);
  const names = new Map(namesOf(story).map((name) => [name.key, uncommon(name)]));
  // Years and one-digit numbers are shared by chance.
  const numbers = (text.match(/\d+(?:[.,]\d+)*/g) ?? []).filter(
    (number) => number.length > 1 && !/^(?:19|20)\d\d$/.test(number),
  );
  return { source: story.source, terms, names, numbers: new Set(numbers) };
}

function uncommon({ weight }: Name): number {
  return weight >= COMMON ? 0.5 : 1;
}

function rarity(profiles: Profile[]): (term: string) => number {
  const counts = new Map<string, number>();
  for (const { terms } of profiles) {
    for (const term of terms.keys()) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return (term) => Math.log((profiles.length + 1) / ((counts.get(term) ?? 0) + 0.5));
}

/** The same company in the news twice is not the same news. */
function isCertain(a: Profile, b: Profile): boolean {
  const names = [...a.names].filter(([key, weight]) => weight === 1 && b.names.has(key));
  return names.length >= 2 || sharedNumbers(a, b).length > 0;
}

function sharedNumbers(a: Profile, b: Profile): string[] {
  return [...a.numbers].filter((number) => b.numbers.has(number));
}

function isAlike(a: Profile, b: Profile, idf: (term: string) => number): boolean {
  if (a.source === b.source) return false;
  const numbers = sharedNumbers(a, b);
  const scale = Math.sqrt(a.numbers.size * b.numbers.size);
  const likeness =
    WEIGHTS.terms * cosine(a.terms, b.terms, idf) +
    WEIGHTS.names * cosine(a.names, b.names, () => 1) +
    WEIGHTS.numbers * (scale === 0 ? 0 : numbers.length / scale);
  return likeness >= THRESHOLD;
}

function cosine(
  a: Map<string, number>,
  b: Map<string, number>,
  weight: (key: string) => number,
): number {
  const square = (map: Map<string, number>) =>
    [...map].reduce((sum, [key, value]) => sum + (value * weight(key)) ** 2, 0);
  const dot = [...a].reduce(
    (sum, [key, value]) => sum + value * (b.get(key) ?? 0) * weight(key) ** 2,
    0,
  );
  const scale = Math.sqrt(square(a) * square(b));
  return scale === 0 ? 0 : dot / scale;
}
