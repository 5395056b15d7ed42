/** An issue beside what was sent last: the words, line by line. */
import { difference } from '../issue/difference.ts';
import { type Email, findSlots } from '../issue/email.ts';
import type { IssueId } from '../issue/issue.ts';
import type { Newsletter } from './newsletter.ts';
import { preview } from './preview.ts';

export interface Line {
  kind: 'same' | 'gone' | 'new';
  text: string;
}

export interface Comparison {
  /** The issue that was sent, its subject and when (ms). */
  with: { issue: IssueId; subject: string; sentAt: number };
  /** Of the text part. Addresses of one reader stand as `…`. */
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
  const { text, html } = await preview(newsletter, id);
  return {
    with: { issue: last.issue, subject: last.subject, sentAt: Number(last.created_at) },
    lines: linesOf(neutral(sent.text), withoutToken(text)),
    bytes: { before: Buffer.byteLength(sent.html), after: Buffer.byteLength(html) },
  };
}

function linesOf(before: string, after: string): Line[] {
  const [old, fresh] = [before.trimEnd().split('\n'), after.trimEnd().split('\n')];
  return difference(old, fresh).flatMap(({ kind, before: from, after: to, length }) => {
    const lines = kind === 'gone' ? old.slice(from, from + length) : fresh.slice(to, to + length);
    return lines.map((text) => ({ kind, text }));
  });
}

/** A reader's own links differ from mail to mail, and are no change. */
function neutral(text: string): string {
  return findSlots(text).reduceRight(
    (rest, { start, end }) => `${rest.slice(0, start)}…${rest.slice(end)}`,
    text,
  );
}

function withoutToken(text: string): string {
  return text.replace(/\S+\/u\/preview\b/g, '…');
}
