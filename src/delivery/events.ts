/** The append-only log: what happened to a campaign, and what people did to it. */
import type { Kysely } from 'kysely';
import type { Database } from '../store/schema.ts';

export const EVENTS = [
  'planned',
  'overridden',
  'slowed',
  'held',
  'paused',
  'resumed',
  'amended',
  'resolved',
  'cancelled',
  'finished',
] as const;
export type EventKind = (typeof EVENTS)[number];

export interface CampaignEvent {
  kind: EventKind;
  /** In words, for people; null where the kind says it all. */
  detail: string | null;
  /** ms. */
  at: number;
}

/** Adds a line. Nothing changes or removes one. */
export async function logEvent(
  db: Kysely<Database>,
  campaign: number,
  { kind, detail, at }: CampaignEvent,
): Promise<void> {
  await db
    .insertInto('events')
    .columns(['newsletter', 'campaign_id', 'kind', 'detail', 'at'])
    .expression((query) =>
      query
        .selectFrom('campaigns')
        .select(({ val }) => [
          'newsletter',
          'id as campaign_id',
          val(kind).as('kind'),
          val(detail).as('detail'),
          val(at).as('at'),
        ])
        .where('id', '=', campaign),
    )
    .execute();
}

/** Of one campaign, oldest first. */
export async function eventsOf(db: Kysely<Database>, campaign: number): Promise<CampaignEvent[]> {
  const rows = await db
    .selectFrom('events')
    .select(['kind', 'detail', 'at'])
    .where('campaign_id', '=', campaign)
    .orderBy('id')
    .execute();
  return rows as CampaignEvent[];
}
