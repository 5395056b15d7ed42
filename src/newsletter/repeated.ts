/** Which stories of an issue an earlier one has told. */
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
  const { repeatsOf } = await import('../editorial/repeats.ts');
  const own = asSource(issue);
  const items = issue.sections.flatMap((section) => section.items);
  return repeatsOf(own, earlier, place.settings).flatMap(({ here, before }) => {
    const item = items[entryAt(own, here.start)];
    const source = earlier.find(({ name }) => name === before.name);
    const entry = source?.entries?.[entryAt(source, before.start)];
    return item && entry ? [{ id: item.id, issue: before.name, headline: entry.title }] : [];
  });
}

function entryAt({ entries = [] }: SourceText, start: number): number {
  return entries.findIndex((entry) => entry.start === start);
}
