/** What reports said of mails that came back. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('bounces')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('report', 'text', (c) => c.notNull())
    .addColumn('part', 'integer', (c) => c.notNull())
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('subject', 'text')
    .addColumn('delivery_id', 'integer', (c) => c.references('deliveries.id'))
    .addColumn('campaign_id', 'integer', (c) => c.references('campaigns.id'))
    .addColumn('subscriber_id', 'integer', (c) => c.references('subscribers.id'))
    .addColumn('known_by', 'text')
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('status', 'text')
    .addColumn('reply', 'text')
    .addColumn('effect', 'text')
    .addColumn('at', 'integer', (c) => c.notNull())
    .addUniqueConstraint('bounce_once', ['report', 'part'])
    .execute();
  await db.schema.createIndex('bounces_of').on('bounces').column('subscriber_id').execute();
  await db.schema.createIndex('bounces_in').on('bounces').column('campaign_id').execute();
}
