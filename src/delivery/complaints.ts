/** Stops a campaign about which too many of its readers complain (D-45). */
import type { Kysely } from 'kysely';
import type { Database } from '../store/schema.ts';
import { pauseCampaign } from './progress.ts';

/** Google mitigates nothing from this share on; of fewer mails one complaint says little. */
const MOST = 0.003;
const ENOUGH = 300;
const WEEK = 7 * 86_400_000;

/**
 * Looks at a campaign that has just been complained about: its own share of complaints, and that of the newsletter's
 * campaigns of the last seven days. Where a person resumed it, complaints are counted from then on. @param now ms
 */
export async function stopOnComplaints(
  db: Kysely<Database>,
  campaignId: number,
  now: number,
): Promise<void> {
  const about = await db
    .selectFrom('campaigns')
    .select(['newsletter', 'channel'])
    .where('id', '=', campaignId)
    .executeTakeFirst();
  if (!about) return;
  const recent = await db
    .selectFrom('campaigns')
    .select(['id', 'state'])
    .where('newsletter', '=', about.newsletter)
    .where('channel', '=', about.channel)
    .where('created_at', '>', now - WEEK)
    .execute();
  const all = await tooMany(db, [...new Set([campaignId, ...recent.map(({ id }) => id)])]);
  const own = all ?? (await tooMany(db, [campaignId]));
  if (own === null) return;
  // A week's share is about whatever goes out now.
  const stopped = recent.filter(
    ({ id, state }) => state === 'sending' && (all || id === campaignId),
  );
  for (const { id } of stopped) await pauseCampaign(db, id, own, now);
}

/** @returns what is wrong, in words; null where nothing is */
async function tooMany(db: Kysely<Database>, campaigns: number[]): Promise<string | null> {
  const { accepted } = await db
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number | string>().as('accepted'))
    .where('campaign_id', 'in', campaigns)
    .where('state', '=', 'accepted')
    .executeTakeFirstOrThrow();
  if (Number(accepted) < ENOUGH) return null;
  const { resumed } = await db
    .selectFrom('events')
    .select(({ fn }) => fn.max<number | null>('at').as('resumed'))
    .where('campaign_id', 'in', campaigns)
    .where('kind', '=', 'resumed')
    .executeTakeFirstOrThrow();
  const { complained } = await db
    .selectFrom('bounces')
    .select(({ fn }) => fn.count<number | string>('subscriber_id').distinct().as('complained'))
    .where('campaign_id', 'in', campaigns)
    .where('effect', '=', 'complaint')
    .where('at', '>', Number(resumed ?? 0))
    .executeTakeFirstOrThrow();
  if (Number(complained) < Number(accepted) * MOST) return null;
  return `${complained} complaints about ${accepted} mails: from 0.3 % on, mailbox providers turn everything away`;
}
