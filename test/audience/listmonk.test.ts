/** A listmonk database as its own schema makes it, in a real PostgreSQL. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { importListmonk } from '../../src/audience/listmonk.ts';
import { reachable } from '../../src/audience/reachable.ts';
import type { Store } from '../../src/store/open.ts';
import { seededRandom, temporaryStore } from '../support/newsletter.ts';
import { execute, hasPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts';

const world = { now: Date.parse('2026-11-20T08:00:00Z'), random: seededRandom() };

/** The parts of listmonk's tables that tell who may be mailed. */
const TABLES = `
  create type subscriber_status as enum ('enabled', 'disabled', 'blocklisted');
  create type subscription_status as enum ('unconfirmed', 'confirmed', 'unsubscribed');
  create type bounce_type as enum ('soft', 'hard', 'complaint');
  create table subscribers (id serial primary key, email text not null unique, name text not null,
    attribs jsonb not null default '{}', status subscriber_status not null default 'enabled');
  create table lists (id serial primary key, name text not null);
  create table subscriber_lists (subscriber_id int, list_id int, status subscription_status not null,
    created_at timestamptz, updated_at timestamptz, primary key (subscriber_id, list_id));
  create table bounces (id serial primary key, subscriber_id int, type bounce_type not null);
  insert into lists (name) values ('Weekly news'), ('Press');
  insert into subscribers (email, name, attribs, status) values
    ('ana@example.com', 'Ana', '{"city": "Basel", "n": 3}', 'enabled'),
    ('ben@example.com', 'Ben', '{}', 'enabled'), ('cem@example.com', 'Cem', '{}', 'enabled'),
    ('dan@example.com', 'Dan', '{}', 'blocklisted'), ('eva@example.com', 'Eva', '{}', 'enabled'),
    ('fay@example.com', 'Fay', '{}', 'enabled'), ('gus@example.com', 'Gus', '{}', 'disabled'),
    ('bad@@x', 'Bad', '{}', 'enabled'), ('zoe@example.com', 'Zoe', '{}', 'enabled');
  insert into subscriber_lists values
    (1, 1, 'confirmed', '2023-05-01 08:00Z', '2023-05-01 08:05Z'), (1, 2, 'confirmed', '2024-05-01 08:00Z', '2024-05-01 08:05Z'),
    (2, 1, 'unsubscribed', '2023-05-01', '2023-05-01'), (2, 2, 'confirmed', '2023-05-01', '2023-05-01'),
    (3, 1, 'unconfirmed', '2023-05-01', '2023-05-01'), (4, 1, 'confirmed', '2023-05-01', '2023-05-01'),
    (5, 1, 'confirmed', '2023-05-01', '2023-05-01'), (6, 1, 'confirmed', '2023-05-01', '2023-05-01'),
    (7, 1, 'confirmed', '2023-05-01', '2023-05-01'), (8, 1, 'confirmed', '2023-05-01', '2023-05-01');
  insert into bounces (subscriber_id, type) values (1, 'soft'), (5, 'hard'), (6, 'complaint'), (4, 'hard');`;

let server: PostgresServer;
let db: Store['db'];

describe.skipIf(!hasPostgres && !process.env.CI)('listmonk’s database', () => {
  beforeAll(async () => {
    const started = startPostgres();
    if (!started) throw new Error('needs PostgreSQL: apt install postgresql');
    server = started;
    await execute(server.url, TABLES);
  }, 60_000);
  afterAll(() => server?.stop());
  beforeEach(async () => {
    ({ db } = await temporaryStore());
  });

  const load = (lists: string[] = [], url = server.url) =>
    importListmonk(db, { url, lists, newsletter: 'weekly', fields: { city: 'text' } }, world);

  async function mailable(): Promise<string[]> {
    const rows = await db
      .selectFrom('subscribers')
      .select('address')
      .where(reachable())
      .orderBy('address')
      .execute();
    return rows.map(({ address }) => address.replace('@example.com', ''));
  }

  test('tells who confirmed; unsubscribed, unconfirmed, bounced, blocklisted and complained are not mailed', async () => {
    expect(await load()).toEqual({
      added: 1,
      pending: 1,
      existing: 0,
      updated: 0,
      unsubscribed: 2,
      suppressed: 3,
      repeated: 0,
      refused: 1,
    });
    expect(await mailable()).toEqual(['ana']);
    const reasons = await db.selectFrom('suppressions').select('reason').execute();
    expect(reasons.map(({ reason }) => reason).sort()).toEqual([
      'complaint',
      'hard-bounce',
      'hard-bounce',
    ]);
    // Who is on no list never asked for anything.
    const rows = await db.selectFrom('subscribers').selectAll().orderBy('address').execute();
    expect(rows.map(({ address }) => address)).not.toContain('zoe@example.com');
    expect(rows[0]).toMatchObject({
      name: 'Ana',
      tags: '["Weekly-news","Press"]',
      fields: '{"city":"Basel"}',
      source: 'listmonk',
      created_at: Date.parse('2023-05-01T08:00:00Z'),
    });
  });

  test('only the lists that are named count', async () => {
    await load(['Press']);
    expect(await mailable()).toEqual(['ana', 'ben']);
  });

  test('imported again adds nothing', async () => {
    await load();
    expect(await load()).toMatchObject({ added: 0, pending: 0, existing: 2 });
  });

  test('a list that is not there is said, and nothing is written', async () => {
    await expect(load(['Daily'])).rejects.toMatchObject({ kind: 'input', code: 'list-unknown' });
    expect(await mailable()).toEqual([]);
  });

  test('that cannot be reached fails without showing its password', async () => {
    const url = 'postgres://reader:hunter2@127.0.0.1:1/none';
    await expect(load([], url)).rejects.toMatchObject({ kind: 'failed', code: 'foreign-database' });
    await expect(load([], url)).rejects.not.toThrow(/hunter2/);
  });
});
