/** What became of a campaign: by mailbox provider, and why. */
import type { Kysely } from 'kysely';
import { SILENT } from '../audience/address.ts';
import type { Database, DeliveryState } from '../store/schema.ts';
import { type CampaignEvent, eventsOf } from './events.ts';
import { type Compared, comparedWithRehearsal } from './rehearsal.ts';

export interface CampaignReport {
  /** Deliveries by provider group and state; only what there is. */
  byProvider: Record<string, Partial<Record<DeliveryState, number>>>;
  /** Why deliveries are deferred, failed, unknown or suppressed, most frequent first. */
  reasons: { state: DeliveryState; reason: string; count: number; example: string | null }[];
  /** Attempts in all, and those that did not succeed. */
  attempts: { all: number; unsuccessful: number };
  /** Mails that were sent again because nobody knew whether they had arrived. */
  resent: number;
  /** What reports said of its mails later, by kind. */
  bounces: Record<string, number>;
  /** Provider groups among its readers that report no complaints: none shown does not mean none made. */
  silentOnComplaints: string[];
  /** What its last rehearsal foretold; absent where it was not rehearsed. */
  rehearsal?: Compared;
  /** What happened to it, oldest first. */
  events: CampaignEvent[];
}

const TROUBLE: DeliveryState[] = ['deferred', 'failed', 'unknown', 'suppressed'];

/** @param id of the campaign */
export async function campaignReport(db: Kysely<Database>, id: number): Promise<CampaignReport> {
  const of = db.selectFrom('deliveries').where('campaign_id', '=', id);
  const groups = await of
    .select(({ fn }) => ['provider', 'state', fn.countAll<number>().as('count')])
    .groupBy(['provider', 'state'])
    .orderBy('provider')
    .execute();
  const byProvider: CampaignReport['byProvider'] = {};
  for (const { provider, state, count } of groups) {
    byProvider[provider] ??= {};
    byProvider[provider][state] = Number(count);
  }
  const reasons = await of
    .select(({ fn }) => [
      'state',
      'reason',
      fn.countAll<number>().as('count'),
      fn.min('reply').as('example'),
    ])
    .where('state', 'in', TROUBLE)
    .groupBy(['state', 'reason'])
    .orderBy('count', 'desc')
    .execute();
  const { all, resent } = await of
    .select(({ fn }) => [
      fn.sum<number | null>('attempts').as('all'),
      fn.sum<number | null>('resends').as('resent'),
    ])
    .executeTakeFirstOrThrow();
  const { unsuccessful } = await db
    .selectFrom('attempts')
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .where('deliveries.campaign_id', '=', id)
    .select(({ fn }) => fn.countAll<number>().as('unsuccessful'))
    .executeTakeFirstOrThrow();
  const rehearsal = await comparedWithRehearsal(db, id);
  return {
    byProvider,
    reasons: reasons.map(({ state, reason, count, example }) => ({
      state,
      reason: reason ?? state,
      count: Number(count),
      example,
    })),
    attempts: { all: Number(all ?? 0), unsuccessful: Number(unsuccessful) },
    resent: Number(resent ?? 0),
    bounces: await bouncesOf(db, id),
    silentOnComplaints: SILENT.filter((provider) => provider in byProvider),
    ...(rehearsal ? { rehearsal } : {}),
    events: await eventsOf(db, id),
  };
}

async function bouncesOf(db: Kysely<Database>, id: number): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('bounces')
    .select(({ fn }) => ['kind', fn.countAll<number>().as('count')])
    .where('campaign_id', '=', id)
    .groupBy('kind')
    .orderBy('kind')
    .execute();
  return Object.fromEntries(rows.map(({ kind, count }) => [kind, Number(count)]));
}
