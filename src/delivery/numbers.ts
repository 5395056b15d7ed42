/** What became of the issues of some time, counted without watching a reader. */
import { type Kysely, sql } from 'kysely';
import type { Channel, Database, DeliveryState } from '../store/schema.ts';

export interface Counts {
  planned: number;
  accepted: number;
  /** Queued, under way, or to be tried again. */
  waiting: number;
  /** Had to be tried more than once, whatever became of them. */
  deferred: number;
  /** There is no such mailbox: by the relay's answer, or by a report that came back after it had taken the mail. */
  hard: number;
  /** Refused or sent back for any other cause. */
  soft: number;
  unknown: number;
  /** Not attempted: suppressed, left or cancelled in the meantime. */
  leftOut: number;
  complained: number;
  /** Unsubscribed, with this as the last issue that they were sent. */
  left: number;
}

export type CountsByProvider = Record<string, Counts>;

export interface IssueNumbers {
  issue: string;
  /** Start of the first campaign, ms. */
  sentAt: number;
  /** End of the last campaign, ms; null while one is under way. */
  finishedAt: number | null;
  byProvider: CountsByProvider;
}

/** Which campaigns: begun in [from, to), ms. */
export interface Span {
  newsletter: string;
  channel: Channel;
  from: number;
  to: number;
}

/** One reader's doing at a time, to be counted with the issue that they had last. */
interface Doing {
  campaign: number | null;
  provider: string | null;
}

/** How long after an issue a reader's doing is still counted with it, ms. */
const MEMORY = 60 * 86_400_000;

export const noCounts = (): Counts => ({
  planned: 0,
  accepted: 0,
  waiting: 0,
  deferred: 0,
  hard: 0,
  soft: 0,
  unknown: 0,
  leftOut: 0,
  complained: 0,
  left: 0,
});

/** Sums, field by field. */
export function summed(counts: readonly Counts[]): Counts {
  const sum = noCounts();
  for (const one of counts)
    for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += one[key];
  return sum;
}

/** The issues whose first mail began in the span, oldest first. */
export async function issueNumbers(db: Kysely<Database>, span: Span): Promise<IssueNumbers[]> {
  const campaigns = await campaignsOf(db, span);
  const issueOf = new Map(campaigns.map(({ id, issue }) => [id, issue]));
  const issues = new Map<string, IssueNumbers>();
  for (const { issue, created_at, finished_at } of campaigns) {
    const known = issues.get(issue);
    const finishedAt = known && known.finishedAt === null ? null : finished_at;
    issues.set(issue, {
      issue,
      sentAt: known?.sentAt ?? created_at,
      finishedAt,
      byProvider: known?.byProvider ?? {},
    });
  }
  const countsOf = (campaign: number | null, provider: string | null) => {
    const byProvider = issues.get(issueOf.get(campaign ?? 0) ?? '')?.byProvider;
    if (!byProvider || provider === null) return undefined;
    byProvider[provider] ??= noCounts();
    return byProvider[provider];
  };
  const ids = campaigns.map(({ id }) => id);
  for (const { campaign, provider, state, reason, count } of await fates(db, ids)) {
    const counts = countsOf(campaign, provider);
    if (!counts) continue;
    counts.planned += count;
    counts[placeOf(state, reason)] += count;
  }
  for (const { campaign, provider, count } of await waited(db, ids)) {
    const counts = countsOf(campaign, provider);
    if (counts) counts.deferred += count;
  }
  for (const { campaign, provider, kind, count } of await cameBack(db, ids)) {
    const counts = countsOf(campaign, provider);
    if (counts) counts[kind === 'hard' ? 'hard' : 'soft'] += count;
  }
  for (const { campaign, provider } of await complaints(db, span)) {
    const counts = countsOf(campaign, provider);
    if (counts) counts.complained += 1;
  }
  for (const { campaign, provider } of await leavers(db, span)) {
    const counts = countsOf(campaign, provider);
    if (counts) counts.left += 1;
  }
  return [...issues.values()];
}

function placeOf(state: DeliveryState, reason: string | null): keyof Counts {
  switch (state) {
    case 'accepted':
    case 'unknown':
      return state;
    case 'failed':
      return reason === 'hard-bounce' ? 'hard' : 'soft';
    case 'suppressed':
    case 'cancelled':
      return 'leftOut';
    default:
      return 'waiting';
  }
}

function campaignsOf(db: Kysely<Database>, { newsletter, channel, from, to }: Span) {
  return db
    .selectFrom('campaigns')
    .select(['id', 'issue', 'created_at', 'finished_at'])
    .where('newsletter', '=', newsletter)
    .where('channel', '=', channel)
    .where('state', '<>', 'cancelled')
    .where('created_at', '>=', from)
    .where('created_at', '<', to)
    .orderBy('created_at')
    .execute();
}

async function fates(db: Kysely<Database>, campaigns: number[]) {
  if (campaigns.length === 0) return [];
  const rows = await db
    .selectFrom('deliveries')
    .select(({ fn }) => [
      'campaign_id as campaign',
      'provider',
      'state',
      'reason',
      fn.countAll<number>().as('count'),
    ])
    .where('campaign_id', 'in', campaigns)
    .groupBy(['campaign_id', 'provider', 'state', 'reason'])
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

async function waited(db: Kysely<Database>, campaigns: number[]) {
  if (campaigns.length === 0) return [];
  const rows = await db
    .selectFrom('attempts')
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .select(({ fn }) => [
      'deliveries.campaign_id as campaign',
      'deliveries.provider',
      fn.count<number>('attempts.delivery_id').distinct().as('count'),
    ])
    .where('attempts.state', '=', 'deferred')
    .where('deliveries.campaign_id', 'in', campaigns)
    .groupBy(['deliveries.campaign_id', 'deliveries.provider'])
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/** Mails that the relay had taken, by what a report said later; several reports of a mail count once. */
async function cameBack(db: Kysely<Database>, campaigns: number[]) {
  if (campaigns.length === 0) return [];
  const rows = await db
    .selectFrom('bounces')
    .innerJoin('deliveries', 'deliveries.id', 'bounces.delivery_id')
    .select(({ fn }) => [
      'deliveries.campaign_id as campaign',
      'deliveries.provider',
      'bounces.kind',
      fn.count<number>('bounces.delivery_id').distinct().as('count'),
    ])
    .where('deliveries.campaign_id', 'in', campaigns)
    .where('deliveries.state', '<>', 'failed')
    .where('bounces.kind', 'in', ['hard', 'soft', 'full', 'blocked', 'content', 'authentication'])
    .groupBy(['deliveries.campaign_id', 'deliveries.provider', 'bounces.kind'])
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/** Readers who complained, with the campaign whose mail they had last before. */
function complaints(db: Kysely<Database>, { newsletter, channel, from }: Span): Promise<Doing[]> {
  return db
    .selectFrom('suppressions')
    .innerJoin('subscribers', (join) =>
      join
        .onRef('subscribers.address_hash', '=', 'suppressions.address_hash')
        .on('subscribers.newsletter', '=', newsletter),
    )
    .innerJoin('campaigns', (join) =>
      join
        .on('campaigns.newsletter', '=', newsletter)
        .on('campaigns.channel', '=', channel)
        .onRef('campaigns.created_at', '<=', 'suppressions.created_at')
        .on(sql<boolean>`campaigns.created_at > suppressions.created_at - ${sql.lit(MEMORY)}`),
    )
    .innerJoin('deliveries', (join) =>
      join
        .on('deliveries.newsletter', '=', newsletter)
        .on('deliveries.channel', '=', channel)
        .onRef('deliveries.issue', '=', 'campaigns.issue')
        .onRef('deliveries.subscriber_id', '=', 'subscribers.id')
        .onRef('deliveries.campaign_id', '=', 'campaigns.id'),
    )
    .select(({ fn }) => [
      fn.max<number | null>('campaigns.id').as('campaign'),
      fn.max<string | null>('deliveries.provider').as('provider'),
    ])
    .where('suppressions.reason', '=', 'complaint')
    .where('suppressions.created_at', '>=', from)
    .where('deliveries.state', '=', 'accepted')
    .groupBy('suppressions.id')
    .execute();
}

/** Readers who unsubscribed, likewise. A link that tells its campaign goes before the last one. */
async function leavers(
  db: Kysely<Database>,
  { newsletter, channel, from }: Span,
): Promise<Doing[]> {
  const rows = await db
    .selectFrom('consents')
    .innerJoin('campaigns', (join) =>
      join
        .on('campaigns.newsletter', '=', newsletter)
        .on('campaigns.channel', '=', channel)
        .onRef('campaigns.created_at', '<=', 'consents.at')
        .on(sql<boolean>`campaigns.created_at > consents.at - ${sql.lit(MEMORY)}`),
    )
    .innerJoin('deliveries', (join) =>
      join
        .on('deliveries.newsletter', '=', newsletter)
        .on('deliveries.channel', '=', channel)
        .onRef('deliveries.issue', '=', 'campaigns.issue')
        .onRef('deliveries.subscriber_id', '=', 'consents.subscriber_id')
        .onRef('deliveries.campaign_id', '=', 'campaigns.id'),
    )
    .select(({ fn }) => [
      'consents.campaign_id as told',
      fn.max<number | null>('campaigns.id').as('last'),
      fn.max<string | null>('deliveries.provider').as('provider'),
    ])
    .where('consents.newsletter', '=', newsletter)
    .where('consents.event', 'in', ['unsubscribed', 'removed'])
    .where('consents.at', '>=', from)
    .groupBy(['consents.id', 'consents.campaign_id'])
    .execute();
  return rows.map(({ told, last, provider }) => ({ campaign: told ?? last, provider }));
}

/** Mails that relays took, by quarter of an hour and provider: what days are made of, in any time zone. */
export async function acceptedByQuarter(
  db: Kysely<Database>,
  { newsletter, channel, from, to }: Span,
): Promise<{ at: number; provider: string; count: number }[]> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('campaigns', 'campaigns.id', 'deliveries.campaign_id')
    .select(({ fn }) => [
      sql<number>`deliveries.settled_at / 900000`.as('quarter'),
      'deliveries.provider',
      fn.countAll<number>().as('count'),
    ])
    .where('campaigns.newsletter', '=', newsletter)
    .where('campaigns.channel', '=', channel)
    .where('campaigns.created_at', '>=', from - MEMORY)
    .where('campaigns.created_at', '<', to)
    .where('deliveries.state', '=', 'accepted')
    .where('deliveries.settled_at', '>=', from)
    .where('deliveries.settled_at', '<', to)
    .groupBy([sql`deliveries.settled_at / 900000`, 'deliveries.provider'])
    .execute();
  return rows.map(({ quarter, provider, count }) => ({
    at: Math.floor(Number(quarter)) * 900_000,
    provider,
    count: Number(count),
  }));
}
