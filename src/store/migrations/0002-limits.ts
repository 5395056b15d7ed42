/** Provider groups, reasons, limits and budgets; a log of what happened to campaigns and of attempts that did not succeed. */
import { type Kysely, sql } from 'kysely';

type Db = Kysely<unknown>;

export async function up(db: Db): Promise<void> {
  await deliveries(db);
  await limits(db);
  await logs(db);
}

async function deliveries(db: Db): Promise<void> {
  const table = () => db.schema.alterTable('deliveries');
  await table()
    .addColumn('provider', 'text', (c) => c.notNull().defaultTo('other'))
    .execute();
  await table().addColumn('reason', 'text').execute();
  await table().addColumn('begun_at', 'integer').execute();
  // 1 while it bars another delivery of the issue to the reader; null once cancelled. An index over `state` would
  // be rewritten with every change of it.
  await table()
    .addColumn('taken', 'integer', (c) => c.defaultTo(1))
    .execute();
  await sql`update deliveries set taken = null where state = 'cancelled'`.execute(db);
  await db.schema.dropIndex('delivery_once').execute();
  await db.schema
    .createIndex('delivery_once')
    .unique()
    .on('deliveries')
    .columns(['newsletter', 'channel', 'issue', 'subscriber_id', 'taken'])
    .execute();
  await db.schema.dropIndex('deliveries_by_state').execute();
  await db.schema
    .createIndex('deliveries_by_state')
    .on('deliveries')
    .columns(['campaign_id', 'state', 'provider', 'not_before', 'id'])
    .execute();
  await sql`create index deliveries_under_way on deliveries (newsletter) where state = 'attempting'`.execute(
    db,
  );
}

async function limits(db: Db): Promise<void> {
  await db.schema
    .createTable('limits')
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('next_at', 'real', (c) => c.notNull().defaultTo(0))
    .addColumn('held_until', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('step', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('note', 'text')
    .addPrimaryKeyConstraint('limit_once', ['newsletter', 'scope'])
    .execute();
  await db.schema
    .createTable('budgets')
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('hour', 'integer', (c) => c.notNull())
    .addColumn('used', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('budget_once', ['newsletter', 'scope', 'hour'])
    .execute();
}

async function logs(db: Db): Promise<void> {
  await db.schema
    .createTable('events')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('campaign_id', 'integer')
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('detail', 'text')
    .addColumn('at', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('events_of').on('events').columns(['campaign_id', 'id']).execute();
  await db.schema
    .createTable('attempts')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('delivery_id', 'integer', (c) => c.notNull().references('deliveries.id'))
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('code', 'integer')
    .addColumn('reply', 'text')
    .addColumn('at', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('attempts_of').on('attempts').column('delivery_id').execute();
}
