/** Custom fields of readers, and rows of readers who had themselves forgotten. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  const table = () => db.schema.alterTable('subscribers');
  await table()
    .addColumn('fields', 'text', (c) => c.notNull().defaultTo('{}'))
    .execute();
  await table().addColumn('erased_at', 'integer').execute();
}
