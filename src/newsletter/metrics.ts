/** The state of a newsletter as Prometheus reads it: all of it comes from the database, so any process may tell it. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Newsletter } from './newsletter.ts';
import { comingSlots } from './schedule.ts';

/** Campaigns that ended longer ago are left out: each one is a set of series of its own, ms. */
const REMEMBERED = 30 * 86_400_000;
const SECOND = 1_000;

/**
 * In the text format of Prometheus. Counts are gauges, because the database is what is counted, not this process.
 * @param options.process adds memory, CPU and event loop of this process
 */
export async function metrics(
  newsletter: Newsletter,
  options: { process?: boolean } = {},
): Promise<string> {
  const registry = new Registry();
  registry.setDefaultLabels({ newsletter: newsletter.settings.slug });
  if (options.process) collectDefaultMetrics({ register: registry });
  await campaigns(newsletter, registry);
  await list(newsletter, registry);
  await schedule(newsletter, registry);
  return registry.metrics();
}

async function campaigns({ db, settings, clock }: Newsletter, registry: Registry): Promise<void> {
  const deliveries = gauge(registry, 'deliveries', 'Deliveries of recent campaigns', [
    'campaign',
    'issue',
    'channel',
    'provider',
    'state',
  ]);
  const counts = await db
    .selectFrom('deliveries')
    .innerJoin('campaigns', 'campaigns.id', 'deliveries.campaign_id')
    .select(({ fn }) => [
      'deliveries.campaign_id as campaign',
      'campaigns.issue as issue',
      'campaigns.channel as channel',
      'deliveries.provider as provider',
      'deliveries.state as state',
      fn.countAll<number>().as('count'),
    ])
    .where('campaigns.newsletter', '=', settings.slug)
    .where((is) =>
      is.or([
        is('campaigns.finished_at', 'is', null),
        is('campaigns.finished_at', '>', clock() - REMEMBERED),
      ]),
    )
    .groupBy([
      'deliveries.campaign_id',
      'campaigns.issue',
      'campaigns.channel',
      'deliveries.provider',
      'deliveries.state',
    ])
    .execute();
  for (const { campaign, count, ...labels } of counts)
    deliveries.set({ campaign: String(campaign), ...labels }, Number(count));

  const states = gauge(registry, 'campaigns', 'Campaigns by state', ['state']);
  const byState = await db
    .selectFrom('campaigns')
    .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
    .where('newsletter', '=', settings.slug)
    .groupBy('state')
    .execute();
  for (const { state, count } of byState) states.set({ state }, Number(count));

  const held = gauge(registry, 'held_until_seconds', 'Nothing starts before this time', ['scope']);
  const limits = await db
    .selectFrom('limits')
    .select(['scope', 'held_until'])
    .where('newsletter', '=', settings.slug)
    .where('held_until', '>', clock())
    .execute();
  for (const { scope, held_until } of limits) held.set({ scope }, held_until / SECOND);
}

async function list({ db, settings }: Newsletter, registry: Registry): Promise<void> {
  const subscribers = gauge(registry, 'subscribers', 'Subscribers by state', ['state']);
  const byState = await db
    .selectFrom('subscribers')
    .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
    .where('newsletter', '=', settings.slug)
    .groupBy('state')
    .execute();
  for (const { state, count } of byState) subscribers.set({ state }, Number(count));

  const suppressions = gauge(registry, 'suppressions', 'Addresses that get no mail', ['reason']);
  const byReason = await db
    .selectFrom('suppressions')
    .select(({ fn }) => ['reason', fn.countAll<number>().as('count')])
    .groupBy('reason')
    .execute();
  for (const { reason, count } of byReason) suppressions.set({ reason }, Number(count));
}

async function schedule(newsletter: Newsletter, registry: Registry): Promise<void> {
  if (!newsletter.settings.schedule) return;
  const { db, settings } = newsletter;
  const slots = gauge(registry, 'slots', 'Slots by what became of them', ['state']);
  const byState = await db
    .selectFrom('slots')
    .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
    .where('newsletter', '=', settings.slug)
    .groupBy('state')
    .execute();
  for (const { state, count } of byState) slots.set({ state }, Number(count));

  const [next] = await comingSlots(newsletter, 1);
  if (next) {
    gauge(registry, 'next_slot_seconds', 'When the next slot is').set(next.at / SECOND);
    gauge(registry, 'next_slot_ready', '1 where it has an issue to send').set(next.issue ? 1 : 0);
  }
  const row = await db
    .selectFrom('schedules')
    .select('ticked_at')
    .where('newsletter', '=', settings.slug)
    .executeTakeFirst();
  if (row)
    gauge(registry, 'schedule_tick_seconds', 'When the schedule last looked').set(
      row.ticked_at / SECOND,
    );
}

function gauge<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: Label[] = [],
): Gauge<Label> {
  return new Gauge({ name: `broadsheet_${name}`, help, labelNames, registers: [registry] });
}
