/** What has been sent, for everybody to read: as it was sent, without anything personal. */
import type { Email } from '../issue/email.ts';
import { neutralHtml } from '../render/web.ts';
import type { Newsletter } from './newsletter.ts';

export interface SentIssue {
  issue: string;
  title: string;
  /** ms. */
  sentAt: number;
}

/** Issues of which a campaign was begun, newest first. */
export async function sentIssues({ db, settings }: Newsletter): Promise<SentIssue[]> {
  const rows = await db
    .selectFrom('campaigns')
    .innerJoin('editions', 'editions.campaign_id', 'campaigns.id')
    .select(({ fn }) => [
      'campaigns.issue',
      'editions.subject as title',
      fn.min('campaigns.created_at').as('sentAt'),
    ])
    .where('campaigns.newsletter', '=', settings.slug)
    .where('campaigns.state', '<>', 'cancelled')
    .groupBy('campaigns.issue')
    .orderBy('sentAt', 'desc')
    .execute();
  return rows.map(({ issue, title, sentAt }) => ({ issue, title, sentAt: Number(sentAt) }));
}

/** HTML of the newest edition of an issue; null when it was never sent. */
export async function webVersion(
  { db, settings }: Newsletter,
  issue: string,
): Promise<string | null> {
  const edition = await db
    .selectFrom('editions')
    .innerJoin('campaigns', 'campaigns.id', 'editions.campaign_id')
    .select('editions.email')
    .where('campaigns.newsletter', '=', settings.slug)
    .where('campaigns.issue', '=', issue)
    .where('campaigns.state', '<>', 'cancelled')
    .orderBy('editions.id', 'desc')
    .executeTakeFirst();
  return edition ? neutralHtml(JSON.parse(edition.email) as Email) : null;
}
