/** The issues that readers have had. */
import type { Newsletter } from './newsletter.ts';

export interface SentIssue {
  issue: string;
  /** Its subject. */
  title: string;
  /** Start of its first campaign, ms. */
  sentAt: number;
  /** When what is shown was frozen, ms: later where it was amended. */
  changedAt: number;
  /** Id of the edition that is shown: the newest. */
  edition: number;
}

/** Issues of which a campaign was begun, newest first. */
export async function sentIssues({ db, settings }: Newsletter): Promise<SentIssue[]> {
  const sent = db
    .selectFrom('campaigns')
    .innerJoin('editions', 'editions.campaign_id', 'campaigns.id')
    .select(({ fn }) => [
      'campaigns.issue',
      fn.min('campaigns.created_at').as('sentAt'),
      fn.max('editions.id').as('edition'),
    ])
    .where('campaigns.newsletter', '=', settings.slug)
    .where('campaigns.state', '<>', 'cancelled')
    .groupBy('campaigns.issue')
    .as('sent');
  const rows = await db
    .selectFrom(sent)
    .innerJoin('editions', 'editions.id', 'sent.edition')
    .select([
      'sent.issue',
      'sent.sentAt',
      'sent.edition',
      'editions.subject',
      'editions.created_at',
    ])
    .orderBy('sent.sentAt', 'desc')
    .orderBy('sent.issue', 'desc')
    .execute();
  return rows.map(({ issue, sentAt, edition, subject, created_at }) => ({
    issue,
    title: subject,
    sentAt: Number(sentAt),
    changedAt: Number(created_at),
    edition: Number(edition),
  }));
}
