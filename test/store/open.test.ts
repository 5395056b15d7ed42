import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { temporaryDirectory, temporaryStore } from '../support/newsletter.ts';

describe('on every open', () => {
  test('commits outlast a power cut, and rows that belong together stay together', async () => {
    const stateDir = temporaryDirectory();
    for (let time = 0; time < 2; time += 1) {
      const { db, close } = await openStore({ stateDir });
      const value = async (name: string) =>
        Object.values(((await sql.raw(`pragma ${name}`).execute(db)).rows[0] ?? {}) as object)[0];
      expect(await value('synchronous')).toBe(2);
      expect(await value('foreign_keys')).toBe(1);
      expect(await value('journal_mode')).toBe('wal');
      await close();
    }
  });

  test('a file that is made by three processes at once is one good file', async () => {
    const stateDir = temporaryDirectory();
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, [join(import.meta.dirname, 'open-child.ts'), stateDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const said = await Promise.all(children.map(({ stdout }) => stdout.toArray()));
    expect(said.map((chunks) => chunks.join('').trim())).toEqual(['opened', 'opened', 'opened']);
  });
});

describe('a transaction', () => {
  test('takes the write lock when it begins', async () => {
    const { db, path } = await temporaryStore();
    const rival = new Sqlite(path, { timeout: 0 });
    await db.transaction().execute(async () => {
      expect(() => rival.exec('begin immediate')).toThrow(/locked/);
    });
    rival.exec('begin immediate');
    rival.close();
  });

  test('joins the one that is open, and fails as a whole', async () => {
    const { db } = await temporaryStore();
    const insert = (trx: typeof db, rule: string) =>
      trx
        .insertInto('schedules')
        .values({ newsletter: rule, rule, activated_at: 0, instance: 'x', ticked_at: 0 })
        .execute();
    const attempt = inTransaction(db, async (outer) => {
      await insert(outer, 'a');
      await inTransaction(outer, (inner) => insert(inner, 'b'));
      throw new Error('stop');
    });
    await expect(attempt).rejects.toThrow('stop');
    expect(await db.selectFrom('schedules').selectAll().execute()).toEqual([]);
  });
});

describe('a file that cannot be used is named, and left as it is', () => {
  async function refused(path: string, stateDir: string, code: string): Promise<void> {
    const before = readFileSync(path);
    await expect(openStore({ stateDir })).rejects.toMatchObject({
      kind: 'failed',
      code,
      problems: [{ file: path, hint: expect.any(String) }],
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  }

  test('no database at all', async () => {
    const stateDir = temporaryDirectory();
    const path = join(stateDir, 'broadsheet.db');
    writeFileSync(path, 'these are words, and quite a few of them, but no database '.repeat(20));
    await refused(path, stateDir, 'database-damaged');
  });

  test('a damaged one', async () => {
    const stateDir = temporaryDirectory();
    const { path, close } = await openStore({ stateDir });
    await close();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 100, 4096);
    writeFileSync(path, bytes);
    await refused(path, stateDir, 'database-damaged');
  });

  test('one of another program', async () => {
    const stateDir = temporaryDirectory();
    const path = join(stateDir, 'broadsheet.db');
    const other = new Sqlite(path);
    other.exec('create table recipes (name text)');
    other.close();
    await refused(path, stateDir, 'database-foreign');
  });

  test('one that a newer version has written', async () => {
    const stateDir = temporaryDirectory();
    const { db, path, close } = await openStore({ stateDir });
    await sql`insert into migrations values ('9999-later', 0)`.execute(db);
    await close();
    await refused(path, stateDir, 'database-newer');
  });
});

describe('DATABASE_URL', () => {
  test('names an SQLite file by its absolute path', async () => {
    const dir = temporaryDirectory();
    const { path, close } = await openStore({ url: `sqlite:${dir}/own.db`, stateDir: dir });
    await close();
    expect(path).toBe(`${dir}/own.db`);
  });

  test.each([
    ['a relative path', 'sqlite:own.db', 'database-url-relative'],
    ['a database of another kind', 'mysql://localhost/x', 'database-unsupported'],
  ])('with %s is refused', async (_, url, code) => {
    const attempt = openStore({ url, stateDir: temporaryDirectory() });
    await expect(attempt).rejects.toMatchObject({ kind: 'input', code });
  });
});
