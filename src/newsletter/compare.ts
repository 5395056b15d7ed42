/** An issue beside what was sent last: the words, line by line. */
import { difference } from '../issue/difference.ts';
import { type Email, findSlots } from '../issue/email.ts';
import type { IssueId } from '../issue/issue.ts';
import { compose } from './compose.ts';
import type { Newsletter } from './newsletter.ts';

export interface Line {
  kind: 'same' | 'gone' | 'new';
  text: string;
}

export interface Comparison {
  /** The issue that was sent, its subject and when (ms). */
  with: { issue: IssueId; subject: string; sentAt: number };
  /** Of the text part. What is filled in for a reader stands as `…`. */
  lines: Line[];
  /** UTF-8 bytes of the HTML, with markers in place of what is a reader's own. */
  bytes: { before: number; after: number };
}

/**
 * Compares with the last edition of this issue where it has been sent, so that an amendment shows what it amends;
 * else with the last issue that was sent.
 * @returns null when nothing has been sent
 */
export async function compareWithLastSent(
  newsletter: Newsletter,
  id: IssueId,
): Promise<Comparison | null> {
  const editions = newsletter.db
    .selectFrom('editions')
    .innerJoin('campaigns', 'campaigns.id', 'editions.campaign_id')
    .select(['campaigns.issue', 'editions.subject', 'editions.email', 'editions.created_at'])
    .where('campaigns.newsletter', '=', newsletter.settings.slug)
    .where('campaigns.state', '<>', 'cancelled')
    .orderBy('editions.id', 'desc');
  const last =
    (await editions.where('campaigns.issue', '=', id).executeTakeFirst()) ??
    (await editions.executeTakeFirst());
  if (!last) return null;
  const sent = JSON.parse(last.email) as Email;
  const { email } = await compose(newsletter, id, newsletter.clock());
  return {
    with: { issue: last.issue, subject: last.subject, sentAt: Number(last.created_at) },
    lines: linesOf(neutral(sent.text), neutral(email.text)),
    bytes: { before: Buffer.byteLength(sent.html), after: Buffer.byteLength(email.html) },
  };
}

function linesOf(before: string, after: string): Line[] {
  const [old, fresh] = [before.trimEnd().split('\n'), after.trimEnd().split('\n')];
  return difference(old, fresh).flatMap(({ kind, before: from, after: to, length }) => {
    const lines = kind === 'gone' ? old.slice(from, from + length) : fresh.slice(to, to + length);
    return lines.map((text) => ({ kind, text }));
  });
}

/** What is filled in for each reader stands as a marker in both. */
function neutral(text: string): string {
  return findSlots(text).reduceRight(
    (rest, { start, end }) => `${rest.slice(0, start)}…${rest.slice(end)}`,
    text,
  );
}
