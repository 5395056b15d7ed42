/** Which issue belongs to a slot. */
import type { Slot } from './slots.ts';

export interface Candidate {
  id: string;
  /** `YYYY-MM-DD`. */
  date: string;
  approved: boolean;
  /** Sent, or being sent. */
  hasCampaign: boolean;
}

export type Choice = { issue: string } | { missing: string };

/**
 * Only an approved issue without a campaign, whose date lies after the previous slot's local date and
 * not after this slot's. None or several: nothing is sent, and the reason is for the editor.
 */
export function chooseIssue(
  slot: Slot,
  previous: Slot | null,
  candidates: readonly Candidate[],
): Choice {
  const since = previous?.localDate ?? '';
  const dated = candidates.filter(
    ({ date, hasCampaign }) => !hasCampaign && date > since && date <= slot.localDate,
  );
  const approved = dated.filter((candidate) => candidate.approved);
  const [only] = approved;
  if (only && approved.length === 1) return { issue: only.id };
  if (approved.length > 1)
    return { missing: `several issues are approved for it: ${names(approved)}` };
  if (dated.length > 0) return { missing: `not approved yet: ${names(dated)}` };
  return {
    missing: `no issue is dated after ${since || 'the beginning'} and up to ${slot.localDate}`,
  };
}

function names(candidates: readonly Candidate[]): string {
  return candidates.map(({ id }) => id).join(', ');
}
