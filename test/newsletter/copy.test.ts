/** Everything moves from the SQLite file to PostgreSQL. */
import { join } from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { suppress } from '../../src/audience/suppression.ts';
import { unsubscribe } from '../../src/audience/unsubscribe.ts';
import { pauseCampaign } from '../../src/delivery/progress.ts';
import { copyFrom } from '../../src/newsletter/database.ts';
import { adopt, requireHome } from '../../src/newsletter/installation.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { addReaders, plan, START } from '../support/campaign.ts';
import { openTestNewsletter, temporaryDirectory } from '../support/newsletter.ts';

const silent = () => {};

/** A SQLite file with something in nearly every table. */
async function filled(store: Store, readers: number, names: string[] = []): Promise<void> {
  const { db } = store;
  await addReaders(db, readers);
  for (const [at, name] of names.entries())
    await db
      .updateTable('subscribers')
      .set({ name })
      .where('id', '=', at + 1)
      .execute();
  await suppress(
    db,
    { newsletter: 'weekly', address: 'gone@example.com', reason: 'complaint', detail: '投诉' },
    START,
  );
  const { campaignId } = await plan(db);
  await pauseCampaign(db, campaignId, 'by hand', START);
  await db
    .insertInto('limits')
    .values({ newsletter: 'weekly', scope: 'qq', next_at: START + 1 / 3, note: null })
    .execute();
}

async function rowsOf({ db }: Pick<Store, 'db'>, table: string): Promise<unknown[]> {
  const { rows } = await sql`select * from ${sql.table(table)}`.execute(db);
  return rows.map((row) => JSON.stringify(row)).toSorted();
}

const TABLES = ['subscribers', 'suppressions', 'consents', 'campaigns', 'editions', 'deliveries'];

describe('database copy', () => {
  test('loses nothing, whatever the rows hold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: 'grapheme' }).map((name) => name.replaceAll('\0', '')),
          {
            maxLength: 12,
          },
        ),
        async (names) => {
          const newsletter = await openTestNewsletter();
          const source = await openStore({ stateDir: temporaryDirectory() });
          await filled(source, names.length + 1, names);
          const copied = await copyFrom(newsletter, source.path, silent);
          expect(copied).toMatchObject({ subscribers: names.length + 1, editions: 1, limits: 1 });
          for (const table of [...TABLES, 'limits', 'events'])
            expect(await rowsOf(newsletter, table)).toEqual(await rowsOf(source, table));
          await source.close();
        },
      ),
      { numRuns: 8 },
    );
  });

  test('an id is not given out twice afterwards', async () => {
    const newsletter = await openTestNewsletter();
    const source = await openStore({ stateDir: temporaryDirectory() });
    await filled(source, 3);
    await copyFrom(newsletter, source.path, silent);
    await source.close();
    await addSubscriber(newsletter, { address: 'new@example.com', name: null });
    const { id, public_id: publicId } = await newsletter.db
      .selectFrom('subscribers')
      .select(['id', 'public_id'])
      .where('address', '=', 'new@example.com')
      .executeTakeFirstOrThrow();
    expect(id).toBe(4);
    const leaving = { newsletter: newsletter.settings.slug, publicId, via: 'page' };
    expect(await unsubscribe(newsletter.db, leaving, START)).toBe('unsubscribed');
  });

  test('is refused where the database is not empty: nothing was changed then', async () => {
    const newsletter = await openTestNewsletter();
    await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
    const source = await openStore({ stateDir: temporaryDirectory() });
    await filled(source, 3);
    await expect(copyFrom(newsletter, source.path, silent)).rejects.toMatchObject({
      kind: 'blocked',
      code: 'database-not-empty',
    });
    await source.close();
    expect(await newsletter.db.selectFrom('subscribers').select('address').execute()).toEqual([
      { address: 'ana@example.com' },
    ]);
  });

  test('S-07: nothing is sent from the copy until it is adopted', async () => {
    const former = temporaryDirectory();
    const source = await openStore({ stateDir: former });
    await addReaders(source.db, 1);
    const newsletter = await openTestNewsletter();
    await requireHome({ ...newsletter, db: source.db, stateDir: former });
    await source.close();
    await copyFrom(newsletter, join(former, 'broadsheet.db'), silent);
    await expect(requireHome(newsletter)).rejects.toMatchObject({ code: 'database-copied' });
    await adopt(newsletter);
    await requireHome(newsletter);
  });
});
