/** Which stories of an issue an earlier one has told, by the rule that groups the sources of one draft. */
import type { Issue } from '../issue/issue.ts';
import type { SourceText } from '../issue/source.ts';
import type { Place } from './issues.ts';
import { asSource, toldBefore } from './told.ts';

export interface Repeated {
  /** Of the item. */
  id: string;
  /** The earlier issue, and its words. */
  issue: string;
  headline: string;
}

/** Looks into the issues of the weeks before. Where there are none, nothing is loaded. */
export async function repeatedStories(place: Place, issue: Issue): Promise<Repeated[]> {
  const earlier = toldBefore(place, issue.id, issue.date);
  if (earlier.length === 0) return [];
  const { draftSources } = await import('../editorial/draft.ts');
  const { placesOf } = await import('../editorial/followups.ts');
  const own = asSource(issue);
  const items = issue.sections.flatMap((section) => section.items);
  return draftSources([own, ...earlier], place.settings).items.flatMap((told) => {
    const places = placesOf(told);
    const here = places.find(({ name }) => name === own.name);
    const before = places.find(({ name }) => name !== own.name);
    const item = here && items[entryAt(own, here.start)];
    const source = earlier.find(({ name }) => name === before?.name);
    const entry = before && source?.entries?.[entryAt(source, before.start)];
    return item && source && entry
      ? [{ id: item.id, issue: source.name, headline: entry.title }]
      : [];
  });
}

function entryAt({ entries = [] }: SourceText, start: number): number {
  return entries.findIndex((entry) => entry.start === start);
}
