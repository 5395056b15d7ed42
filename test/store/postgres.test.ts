/** What PostgreSQL says, and what becomes of it. */
import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';
import { along, databaseIdentity, databaseTime } from '../../src/store/dialect.ts';
import { openStore } from '../../src/store/open.ts';
import { grantTo } from '../../src/store/postgres.ts';
import { databaseUrl, temporaryDirectory, temporaryStore } from '../support/newsletter.ts';
import { databaseOn, execute } from '../support/postgres.ts';

const server = () => inject('postgres') ?? '';
const refused = (url: string, code: string) =>
  expect(openStore({ url, stateDir: '' })).rejects.toMatchObject({ code });

test('a new database gets its tables once, though three open it at once', async () => {
  await execute(server(), 'create database three');
  const url = databaseOn(server(), 'three');
  const stores = await Promise.all([1, 2, 3].map(() => openStore({ url, stateDir: '' })));
  for (const { db, close } of stores) {
    expect(await db.selectFrom('subscribers').selectAll().execute()).toEqual([]);
    await close();
  }
});

test('times, ids and counts are numbers, beyond 32 bits too', async () => {
  const { db } = await temporaryStore();
  const at = Date.parse('2200-01-01T00:00:00Z') + 0.5;
  await db
    .insertInto('limits')
    .values({ newsletter: 'weekly', scope: 'relay', next_at: at, held_until: at - 0.5, note: null })
    .execute();
  const row = await db
    .selectFrom('limits')
    .select(({ fn }) => ['next_at', fn.sum<number>('held_until').as('sum'), fn.countAll().as('n')])
    .groupBy('next_at')
    .executeTakeFirst();
  expect(row).toEqual({ next_at: at, sum: at - 0.5, n: 1 });
  expect(Math.abs((await databaseTime(db)) - Date.now())).toBeLessThan(60_000);
});

test('another program’s database, a newer one and none at all are named, and left as they are', async () => {
  await execute(server(), 'create database foreign_one');
  const foreign = databaseOn(server(), 'foreign_one');
  await execute(foreign, 'create table theirs (a int)');
  await refused(foreign, 'database-foreign');
  const newer = (await databaseUrl(temporaryDirectory())) ?? '';
  await execute(newer, "insert into migrations values ('9999-later', 0)");
  await refused(newer, 'database-newer');
  await refused(databaseOn(server(), 'nowhere'), 'database-refused');
  await refused('postgres://localhost:1/x', 'database-unreachable');
});

test('the password stands in no message', async () => {
  const attempt = openStore({ url: 'postgres://me:geheim@localhost:1/x', stateDir: '' });
  await expect(attempt).rejects.toThrow(/postgres:\/\/me@localhost:1\/x/);
  await expect(attempt).rejects.not.toThrow(/geheim/);
});

test('a role that was granted works on the rows, and can change no table', async () => {
  const url = (await databaseUrl(temporaryDirectory())) ?? '';
  const owner = await openStore({ url, stateDir: '' });
  await execute(server(), 'create role mailer login');
  await expect(grantTo(owner.db, 'nobody')).rejects.toMatchObject({ code: 'role-unknown' });
  await grantTo(owner.db, 'mailer');
  await owner.close();
  const { db, close } = await openStore({
    url: url.replace('broadsheet@', 'mailer@'),
    stateDir: '',
  });
  await db
    .insertInto('workers')
    .values({ newsletter: 'weekly', node: 'n', started_at: 0, seen_at: 0 })
    .execute();
  for (const statement of [
    'drop table workers',
    'create table mine (a int)',
    'delete from migrations',
  ])
    await expect(sql.raw(statement).execute(db)).rejects.toMatchObject({ code: '42501' });
  await close();
});

test('who may not change tables is told who may', async () => {
  await execute(server(), 'create database outdated');
  await execute(server(), 'create role stranger login');
  const url = databaseOn(server(), 'outdated').replace('broadsheet@', 'stranger@');
  await refused(url, 'database-outdated');
});

test('a database is known by what it is, not by who asks', async () => {
  const [one, other] = [await temporaryStore(), await temporaryStore()];
  expect(await databaseIdentity(one.db)).toBe(await databaseIdentity(one.db));
  expect(await databaseIdentity(one.db)).not.toBe(await databaseIdentity(other.db));
});

test('what is sent along and fails is told by the next statement, and nothing is committed', async () => {
  const { db } = await temporaryStore();
  const row = { newsletter: 'weekly', scope: 'relay', next_at: 0, held_until: 0, note: null };
  for (let time = 1; time <= 5; time += 1) {
    const attempt = db.transaction().execute(async (trx) => {
      await trx.insertInto('limits').values(row).execute();
      await sql`${along}select 1 / ${0}::int`.execute(trx);
      await sql`select 1`.execute(trx);
    });
    await expect(attempt).rejects.toThrow('division by zero');
    const last = db.transaction().execute(async (trx) => {
      await trx.insertInto('limits').values(row).execute();
      await sql`${along}select 1 / ${0}::int`.execute(trx);
    });
    await expect(last).rejects.toThrow('division by zero');
  }
  expect(await db.selectFrom('limits').selectAll().execute()).toEqual([]);
});

test('a statement that comes often is prepared, and goes on after an error', async () => {
  const { db } = await temporaryStore();
  await db.connection().execute(async (one) => {
    for (const divisor of [1, 1, 1, 1, 0, 1, 0, 1]) {
      const divided = sql<{ n: number }>`select 6 / ${divisor}::int as n`.execute(one);
      if (divisor === 0) await expect(divided).rejects.toThrow('division by zero');
      else expect((await divided).rows).toEqual([{ n: 6 }]);
    }
    const { rows } = await sql`select 1 from pg_prepared_statements
      where statement like 'select 6 /%'`.execute(one);
    expect(rows).toHaveLength(1);
  });
});
