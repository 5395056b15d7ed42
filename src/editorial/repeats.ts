/** Stories that an earlier issue has told, by the rule that groups the sources of one draft. */
import type { Settings } from '../config/settings.ts';
import type { Place } from '../issue/draft.ts';
import type { SourceText } from '../issue/source.ts';
import { groupDuplicates } from './duplicates.ts';
import { indexGlossary } from './glossary.ts';
import { indexRepairs } from './repair/repair.ts';
import { readSource } from './stories.ts';

export interface Repeat {
  /** In the own source. */
  here: Place;
  /** In the earlier one that tells it first. */
  before: Place;
}

/**
 * Pairs of stories that tell the same: a shared number, or two uncommon names, and enough in common.
 * @param earlier as sources with entries; the nearest first
 */
export function repeatsOf(
  own: SourceText,
  earlier: readonly SourceText[],
  settings: Settings,
): Repeat[] {
  const index = indexRepairs(indexGlossary(settings.glossary));
  const stories = [...earlier, own].flatMap((each) => readSource(each, settings, index).stories);
  const { leaders } = groupDuplicates(stories);
  return stories.flatMap((story, at) => {
    const first = stories[leaders[at] as number];
    if (story.source !== own.name || !first || first.source === own.name) return [];
    const place = ({ source, start, end }: typeof story) => ({ name: source, start, end });
    return [{ here: place(story), before: place(first) }];
  });
}
