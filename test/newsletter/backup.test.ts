/** Backups of the SQLite file, and what a copy of it may do. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, test } from 'vitest';
import { approve } from '../../src/newsletter/approve.ts';
import { keepAsset, readAsset } from '../../src/newsletter/assets.ts';
import { backUpDatabase, restoreDatabase } from '../../src/newsletter/database.ts';
import { adopt, requireHome } from '../../src/newsletter/installation.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { work } from '../../src/newsletter/worker.ts';
import { openStore } from '../../src/store/open.ts';
import {
  openTestNewsletter,
  type TestNewsletter,
  temporaryDirectory,
  temporaryStore,
  writeIssue,
} from '../support/newsletter.ts';

const NOW = Date.parse('2026-11-20T08:00:00Z');

let newsletter: TestNewsletter;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
});

const place = () => ({ url: undefined, stateDir: newsletter.stateDir });
const addresses = async (path: string) => {
  const { db } = await temporaryStoreAt(path);
  const rows = await db.selectFrom('subscribers').select('address').execute();
  return rows.map(({ address }) => address);
};
const temporaryStoreAt = (path: string) =>
  openStore({ url: `sqlite:${path}`, stateDir: temporaryDirectory() });

describe('a backup', () => {
  test('is made while the database is written, and holds what it held at one moment', async () => {
    const [path] = await Promise.all([
      backUpDatabase(place(), undefined, NOW),
      addSubscriber(newsletter, { address: 'ben@example.com', name: null }),
    ]);
    expect(path).toBe(join(newsletter.stateDir, 'backups', 'broadsheet-2026-11-20T080000.db'));
    expect(await addresses(path)).toContain('ana@example.com');
  });

  test('replaces no file', async () => {
    const path = await backUpDatabase(place(), undefined, NOW);
    await expect(backUpDatabase(place(), path, NOW)).rejects.toMatchObject({ code: 'file-exists' });
  });

  test('is made by itself before the tables of an existing file are changed', async () => {
    const stateDir = temporaryDirectory();
    const store = await openStore({ stateDir });
    await store.close();
    const file = new Sqlite(store.path);
    file.exec(`drop table chunks; drop table workers; drop table installations;
      delete from migrations where name = '0009-cluster'`);
    file.close();
    await (await openStore({ stateDir })).close();
    const backup = new Sqlite(`${store.path}.before-0009-cluster`, { readonly: true });
    expect(
      backup.prepare("select count(*) from sqlite_master where name = 'chunks'").pluck().get(),
    ).toBe(0);
    backup.close();
    // A new file needs none.
    expect(readdirSync(stateDir).filter((name) => name.endsWith('-cluster'))).toHaveLength(1);
  });
});

describe('a restored backup', () => {
  async function restored(): Promise<string | null> {
    const backup = await backUpDatabase(place(), undefined, NOW);
    await addSubscriber(newsletter, { address: 'late@example.com', name: null });
    await newsletter.db.destroy();
    const former = await restoreDatabase(place(), backup, NOW);
    const { db } = await temporaryStore(newsletter.stateDir);
    newsletter = { ...newsletter, db };
    return former;
  }

  test('is what was backed up; the former database lies beside it', async () => {
    const former = await restored();
    const rows = await newsletter.db.selectFrom('subscribers').select('address').execute();
    expect(rows).toEqual([{ address: 'ana@example.com' }]);
    expect(await addresses(former ?? '')).toEqual(['ana@example.com', 'late@example.com']);
    expect(existsSync(`${newsletter.stateDir}/broadsheet.db.restoring`)).toBe(false);
  });

  test('brings back the pictures that sent issues show, and keeps those that came later', async () => {
    const keep = (source: string) =>
      keepAsset<never>(newsletter, source, async () => ({
        bytes: Buffer.from(source),
        ending: 'png',
        width: 1,
        height: 1,
      }));
    const first = await keep('first');
    const backup = await backUpDatabase(place(), undefined, NOW);
    const later = await keep('later');
    rmSync(join(newsletter.stateDir, 'assets', first.name));
    await newsletter.db.destroy();
    await restoreDatabase(place(), backup, NOW);
    expect(readAsset(newsletter, first.name)?.bytes.toString()).toBe('first');
    expect(readAsset(newsletter, later.name)?.bytes.toString()).toBe('later');
  });

  test('S-07: sends nothing until it is adopted', async () => {
    await requireHome(newsletter);
    await restored();
    const signal = new AbortController().signal;
    await expect(work(newsletter, { signal, once: true })).rejects.toMatchObject({
      kind: 'blocked',
      code: 'database-copied',
      message: expect.stringContaining('schedule adopt'),
    });
    await adopt(newsletter);
    expect(await work(newsletter, { signal, once: true })).toMatchObject({ nextDue: null });
  });

  test('is refused while another process has the database open: nothing was changed then', async () => {
    const backup = await backUpDatabase(place(), undefined, NOW);
    await addSubscriber(newsletter, { address: 'late@example.com', name: null });
    await expect(restoreDatabase(place(), backup, NOW)).rejects.toMatchObject({
      code: 'database-in-use',
    });
    const rows = await newsletter.db.selectFrom('subscribers').select('address').execute();
    expect(rows).toHaveLength(2);
  });

  test('that is no whole database is refused', async () => {
    const path = join(newsletter.stateDir, 'backups', 'half.db');
    const whole = await backUpDatabase(place(), undefined, NOW);
    mkdirSync(join(newsletter.stateDir, 'backups'), { recursive: true });
    copyFileSync(whole, path);
    writeFileSync(path, Buffer.alloc(5_000, 7));
    await newsletter.db.destroy();
    await expect(restoreDatabase(place(), path, NOW)).rejects.toMatchObject({
      kind: 'input',
      code: 'backup-damaged',
    });
  });
});

test('S-07: a file that was copied to another machine sends nothing until it is adopted', async () => {
  await requireHome(newsletter);
  const elsewhere = { ...newsletter, stateDir: join(newsletter.dir, 'elsewhere') };
  writeIssue(newsletter.dir, 'w4');
  await approve(newsletter, 'w4');
  await expect(requireHome(elsewhere)).rejects.toMatchObject({ code: 'database-copied' });
  await adopt(elsewhere);
  await requireHome(elsewhere);
  await expect(requireHome(newsletter)).rejects.toMatchObject({ code: 'database-copied' });
});
