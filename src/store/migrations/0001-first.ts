/** The first tables: list, consent, suppression, campaigns, deliveries, schedule. */
import { type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely';
import { DELIVERY_STATES } from '../schema.ts';

type Db = Kysely<unknown>;

const CONSENT_EVENTS = [
  'subscribed',
  'confirmed',
  'imported',
  'unsubscribed',
  'resubscribed',
  'removed',
];

export async function up(db: Db): Promise<void> {
  await audience(db);
  await campaigns(db);
  await deliveries(db);
  await schedule(db);
}

async function audience(db: Db): Promise<void> {
  await table(db, 'subscribers')
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('address_key', 'text', (c) => c.notNull())
    .addColumn('address_hash', 'text', (c) => c.notNull())
    .addColumn('name', 'text')
    .addColumn('language', 'text')
    .addColumn('state', 'text', (c) =>
      c.notNull().check(oneOf('state', ['pending', 'active', 'unsubscribed'])),
    )
    .addColumn('public_id', 'text', (c) => c.notNull().unique())
    .addColumn('tags', 'text', (c) => c.notNull().defaultTo('[]'))
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('created_at', 'integer', (c) => c.notNull())
    .addColumn('updated_at', 'integer', (c) => c.notNull())
    .addUniqueConstraint('subscriber_once', ['newsletter', 'address_key'])
    .execute();
  // Walks through a list by id, page by page; by subscriber_once each page would sort the whole list.
  await db.schema.createIndex('subscribers_of').on('subscribers').column('newsletter').execute();
  await table(db, 'suppressions')
    .addColumn('address_hash', 'text', (c) => c.notNull().unique())
    .addColumn('reason', 'text', (c) =>
      c
        .notNull()
        .check(oneOf('reason', ['hard-bounce', 'soft-bounces', 'complaint', 'manual', 'erased'])),
    )
    .addColumn('detail', 'text')
    .addColumn('created_at', 'integer', (c) => c.notNull())
    .execute();
  await table(db, 'consents')
    .addColumn('subscriber_id', 'integer', (c) => c.notNull().references('subscribers.id'))
    .addColumn('event', 'text', (c) => c.notNull().check(oneOf('event', CONSENT_EVENTS)))
    .addColumn('via', 'text', (c) => c.notNull())
    .addColumn('campaign_id', 'integer')
    .addColumn('detail', 'text')
    .addColumn('at', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('consents_of').on('consents').column('subscriber_id').execute();
}

async function campaigns(db: Db): Promise<void> {
  await table(db, 'campaigns')
    .addColumn('channel', 'text', (c) => c.notNull().check(oneOf('channel', ['outbox', 'smtp'])))
    .addColumn('issue', 'text', (c) => c.notNull())
    .addColumn('slot', 'text')
    .addColumn('state', 'text', (c) =>
      c.notNull().check(oneOf('state', ['sending', 'paused', 'finished', 'cancelled'])),
    )
    .addColumn('note', 'text')
    .addColumn('audience', 'text', (c) => c.notNull())
    .addColumn('planned', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'integer', (c) => c.notNull())
    .addColumn('finished_at', 'integer')
    .execute();
  // At most one campaign of an issue is under way on a channel.
  await sql`create unique index campaign_under_way on campaigns (newsletter, channel, issue)
    where state in ('sending', 'paused')`.execute(db);
  await table(db, 'editions')
    .addColumn('campaign_id', 'integer', (c) => c.notNull().references('campaigns.id'))
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('sender', 'text', (c) => c.notNull())
    .addColumn('email', 'text', (c) => c.notNull())
    .addColumn('program', 'blob', (c) => c.notNull())
    .addColumn('created_at', 'integer', (c) => c.notNull())
    .execute();
}

async function deliveries(db: Db): Promise<void> {
  await table(db, 'deliveries')
    .addColumn('channel', 'text', (c) => c.notNull().check(oneOf('channel', ['outbox', 'smtp'])))
    .addColumn('issue', 'text', (c) => c.notNull())
    .addColumn('campaign_id', 'integer', (c) => c.notNull().references('campaigns.id'))
    .addColumn('edition_id', 'integer', (c) => c.notNull().references('editions.id'))
    .addColumn('subscriber_id', 'integer', (c) => c.notNull().references('subscribers.id'))
    .addColumn('address', 'text')
    .addColumn('slots', 'text')
    .addColumn('state', 'text', (c) => c.notNull().check(oneOf('state', DELIVERY_STATES)))
    .addColumn('epoch', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('resends', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('not_before', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('attempted_at', 'integer')
    .addColumn('settled_at', 'integer')
    .addColumn('code', 'integer')
    .addColumn('reply', 'text')
    .execute();
  // Invariant I1: a reader has one row of an issue on a channel; only a cancelled one makes room.
  await sql`create unique index delivery_once on deliveries (newsletter, channel, issue, subscriber_id)
    where state <> 'cancelled'`.execute(db);
  await db.schema
    .createIndex('deliveries_by_state')
    .on('deliveries')
    .columns(['campaign_id', 'state', 'not_before', 'id'])
    .execute();
  await db.schema.createIndex('deliveries_of').on('deliveries').column('subscriber_id').execute();
}

async function schedule(db: Db): Promise<void> {
  await db.schema
    .createTable('schedules')
    .addColumn('newsletter', 'text', (c) => c.primaryKey())
    .addColumn('rule', 'text', (c) => c.notNull())
    .addColumn('activated_at', 'integer', (c) => c.notNull())
    .addColumn('instance', 'text', (c) => c.notNull())
    .addColumn('ticked_at', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('slots')
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('slot', 'text', (c) => c.notNull())
    .addColumn('at', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) =>
      c
        .notNull()
        .check(
          oneOf('state', ['due', 'sending', 'done', 'missed', 'skipped', 'cancelled', 'failed']),
        ),
    )
    .addColumn('issue', 'text')
    .addColumn('campaign_id', 'integer')
    .addColumn('note', 'text')
    .addColumn('updated_at', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('slot_once', ['newsletter', 'slot'])
    .execute();
}

/** A table with what all have: a row id that is never used twice, and the newsletter. */
function table(db: Db, name: string): CreateTableBuilder<string, 'id' | 'newsletter'> {
  return db.schema
    .createTable(name)
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('newsletter', 'text', (c) => c.notNull()) as never;
}

function oneOf(column: string, values: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} in (${sql.join(values.map((value) => sql.lit(value)))})`;
}
