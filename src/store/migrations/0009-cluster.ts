/** What several machines need: chunks of a campaign to hand out, who works, and which installation may send. */
import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

type Db = Kysely<unknown>;

export async function up(db: Db): Promise<void> {
  await withId(db, 'chunks')
    .addColumn('campaign_id', 'integer', (c) => c.notNull().references('campaigns.id'))
    .addColumn('first_id', 'integer', (c) => c.notNull())
    .addColumn('last_id', 'integer', (c) => c.notNull())
    .addColumn('epoch', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('open', 'integer', (c) => c.notNull().defaultTo(1))
    .addColumn('handed', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('next_at', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.createIndex('chunks_of').on('chunks').column('campaign_id').execute();
  await withId(db, 'workers')
    .addColumn('node', 'text', (c) => c.notNull())
    .addColumn('started_at', 'integer', (c) => c.notNull())
    .addColumn('seen_at', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('installations')
    .addColumn('newsletter', 'text', (c) => c.primaryKey())
    .addColumn('instance', 'text', (c) => c.notNull())
    .addColumn('since', 'integer', (c) => c.notNull())
    .execute();
  if (isPostgres(db as never)) await lightenDeliveries(db);
}

/**
 * On PostgreSQL an update that touches no indexed column stays in its page and writes no index (HOT). Chunks make
 * the indexes over `state` needless there; the space left in each page takes the two updates that a delivery has.
 */
async function lightenDeliveries(db: Db): Promise<void> {
  await db.schema.dropIndex('deliveries_by_state').execute();
  await db.schema.dropIndex('deliveries_under_way').execute();
  await sql`create index deliveries_of_campaign on deliveries
    using brin (campaign_id) with (pages_per_range = 32, autosummarize = on)`.execute(db);
  await sql`alter table deliveries set (fillfactor = 60)`.execute(db);
}

function withId(db: Db, name: string): CreateTableBuilder<string, 'id' | 'newsletter'> {
  return db.schema
    .createTable(name)
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('newsletter', 'text', (c) => c.notNull()) as never;
}
