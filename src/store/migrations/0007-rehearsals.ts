/** What a send would have been: kept, so that a campaign can be compared with its rehearsal. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('rehearsals')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('issue', 'text', (c) => c.notNull())
    .addColumn('audience_hash', 'text', (c) => c.notNull())
    .addColumn('result', 'text', (c) => c.notNull())
    .addColumn('created_at', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex('rehearsals_of')
    .on('rehearsals')
    .columns(['newsletter', 'channel', 'issue', 'created_at'])
    .execute();
}
