/** On PostgreSQL: what each worker committed last, to be asked when a connection breaks in a commit. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('commits')
    .addColumn('worker', 'integer', (c) => c.primaryKey())
    .addColumn('token', 'text', (c) => c.notNull())
    .execute();
}
