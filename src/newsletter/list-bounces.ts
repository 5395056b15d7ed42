/** What reports have said. */
import type { Newsletter } from './newsletter.ts';

/** How many are listed at once. */
const PAGE = 500;

/** What is written down, newest first. @param unclassified only what a person has to look at */
export async function listBounces(
  { db, settings }: Newsletter,
  { unclassified = false }: { unclassified?: boolean | undefined } = {},
) {
  const all = db
    .selectFrom('bounces')
    .leftJoin('subscribers', 'subscribers.id', 'bounces.subscriber_id')
    .leftJoin('deliveries', 'deliveries.id', 'bounces.delivery_id')
    .select([
      'bounces.at',
      'bounces.kind',
      'bounces.reason',
      'bounces.effect',
      'subscribers.address',
      'deliveries.issue',
      'bounces.status',
      'bounces.reply',
      'bounces.origin',
      'bounces.subject',
    ])
    .where('bounces.newsletter', '=', settings.slug)
    .orderBy('bounces.id', 'desc')
    .limit(PAGE);
  if (!unclassified) return all.execute();
  return all
    .where((is) =>
      is.or([
        is('bounces.kind', '=', 'unclassified'),
        is.and([is('bounces.subscriber_id', 'is', null), is('bounces.kind', '<>', 'delayed')]),
      ]),
    )
    .execute();
}
