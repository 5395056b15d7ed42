/** Sign-up: requests and mails that wait, links that were mailed, limits, and answers of the API. */
import type { Kysely } from 'kysely';

type Db = Kysely<unknown>;

export async function up(db: Db): Promise<void> {
  await queues(db);
  await confirmations(db);
  await buckets(db);
  await answers(db);
}

async function queues(db: Db): Promise<void> {
  await table(db, 'signups')
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('subscriber_id', 'integer', (c) => c.references('subscribers.id'))
    .addColumn('language', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('wording', 'text')
    .addColumn('at', 'integer', (c) => c.notNull())
    .execute();
  await table(db, 'notices')
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('subscriber_id', 'integer', (c) => c.notNull().references('subscribers.id'))
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('language', 'text', (c) => c.notNull())
    .addColumn('detail', 'text')
    .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('not_before', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('created_at', 'integer', (c) => c.notNull())
    .execute();
}

async function confirmations(db: Db): Promise<void> {
  await table(db, 'confirmations')
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('subscriber_id', 'integer', (c) => c.notNull().references('subscribers.id'))
    .addColumn('token_hash', 'text', (c) => c.notNull().unique())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('detail', 'text')
    .addColumn('mailed_at', 'integer', (c) => c.notNull())
    .addColumn('expires_at', 'integer', (c) => c.notNull())
    .addColumn('used_at', 'integer')
    .execute();
  await db.schema
    .createIndex('confirmations_of')
    .on('confirmations')
    .column('subscriber_id')
    .execute();
}

async function buckets(db: Db): Promise<void> {
  await db.schema
    .createTable('buckets')
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('tokens', 'real', (c) => c.notNull())
    .addColumn('updated_at', 'integer', (c) => c.notNull())
    .addColumn('full_at', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('bucket_once', ['newsletter', 'scope'])
    .execute();
  await db.schema.createIndex('buckets_full').on('buckets').column('full_at').execute();
}

async function answers(db: Db): Promise<void> {
  await db.schema
    .createTable('answers')
    .addColumn('newsletter', 'text', (c) => c.notNull())
    .addColumn('client', 'text', (c) => c.notNull())
    .addColumn('idempotency_key', 'text', (c) => c.notNull())
    .addColumn('request_hash', 'text', (c) => c.notNull())
    .addColumn('status', 'integer')
    .addColumn('body', 'text')
    .addColumn('created_at', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('answer_once', ['newsletter', 'client', 'idempotency_key'])
    .execute();
}

function table(db: Db, name: string) {
  return db.schema
    .createTable(name)
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('newsletter', 'text', (c) => c.notNull());
}
