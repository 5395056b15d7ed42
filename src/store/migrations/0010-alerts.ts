/** What the editor was told, or is to be told. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('alerts')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('made_at', 'integer', (c) => c.notNull())
    .addColumn('told_at', 'integer')
    .addUniqueConstraint('alert_once', ['newsletter', 'key'])
    .execute();
}
