/** Stories of a draft that an earlier issue has told already. */
import type { Settings } from '../config/settings.ts';
import type { Draft, DraftItem, Place } from '../issue/draft.ts';
import type { SourceText } from '../issue/source.ts';
import { draftSources } from './draft.ts';

/** UTF-16 units; the whole is read a second time, and no weekly issue is that long. */
const LONGEST = 500_000;

/**
 * For each item of the draft that goes on with an earlier one: which, as `earlier`. The same rule decides
 * as for two sources of one issue: a shared number, or two uncommon names, and enough in common.
 * @param earlier issues as sources with entries, named by their ids; the nearest first
 */
export function withFollowUps(
  draft: Draft,
  sources: readonly SourceText[],
  earlier: readonly SourceText[],
  settings: Settings,
): Draft {
  const length = sources.reduce((sum, { text }) => sum + text.length, 0);
  if (earlier.length === 0 || length > LONGEST) return draft;
  const told = draftSources([...sources, ...earlier], settings).items;
  const names = new Set(earlier.map(({ name }) => name));
  const items = draft.items.map((item) => {
    const group = told.find((other) => placesOf(other).some((place) => isAt(place, item.source)));
    const place = group && placesOf(group).find(({ name }) => names.has(name));
    const entry = place && entryAt(place, earlier);
    return entry && place
      ? { ...item, earlier: { issue: place.name, headline: entry.title } }
      : item;
  });
  return { ...draft, items };
}

export function placesOf({ source, also }: DraftItem): Place[] {
  return [source, ...also];
}

function isAt(a: Place, b: Place): boolean {
  return a.name === b.name && a.start === b.start;
}

function entryAt({ name, start }: Place, sources: readonly SourceText[]) {
  const source = sources.find((each) => each.name === name);
  return source?.entries?.find((entry) => entry.start === start);
}
