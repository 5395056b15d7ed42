/** Which installation sends: a copy of the database, a backup put back, a cloned machine sends nothing by itself (S-07). */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { blockedError } from '../errors.ts';
import { adoptSchedule } from '../schedule/due.ts';
import { databaseIdentity } from '../store/dialect.ts';
import { writeAtomically } from './files.ts';
import type { Newsletter } from './newsletter.ts';

type Place = Pick<Newsletter, 'db' | 'stateDir' | 'random'>;

/**
 * On SQLite an id that is kept beside the database, not in it, and bound to this host. On PostgreSQL the database
 * itself, for all machines that work on it.
 */
export async function instanceOf({ db, stateDir, random }: Place): Promise<string> {
  const identity = await databaseIdentity(db);
  if (identity) return identity;
  const path = join(stateDir, 'instance');
  if (!existsSync(path)) writeAtomically(path, `${random(16).toString('base64url')}\n`);
  return `${readFileSync(path, 'utf8').trim()}@${hostname()}`;
}

/**
 * Nothing is sent from a database that another installation has sent from. Who sends first is the one.
 * @throws BroadsheetError `database-copied`
 */
export async function requireHome(newsletter: Newsletter): Promise<void> {
  const { db, settings, clock } = newsletter;
  const instance = await instanceOf(newsletter);
  await db
    .insertInto('installations')
    .values({ newsletter: settings.slug, instance, since: clock() })
    .onConflict((conflict) => conflict.column('newsletter').doNothing())
    .execute();
  if (await isHome(newsletter)) return;
  throw blockedError(
    'database-copied',
    'This database is a copy or a restored backup; nothing is sent from it until you say so',
    {
      hint: 'If this one shall send from now on, see that the other one does not, and run: broadsheet schedule adopt',
    },
  );
}

/** Whether this installation is the one that sends; null: nobody has sent yet. */
export async function isHome(place: Place & Pick<Newsletter, 'settings'>): Promise<boolean | null> {
  const home = await place.db
    .selectFrom('installations')
    .select('instance')
    .where('newsletter', '=', place.settings.slug)
    .executeTakeFirst();
  return home ? home.instance === (await instanceOf(place)) : null;
}

/** This installation sends from now on, though the database came from another one. Missed slots are not made up for. */
export async function adopt(newsletter: Newsletter): Promise<void> {
  const { db, settings, clock } = newsletter;
  const instance = await instanceOf(newsletter);
  const home = { instance, since: clock() };
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('installations')
      .values({ newsletter: settings.slug, ...home })
      .onConflict((conflict) => conflict.column('newsletter').doUpdateSet(home))
      .execute();
    await adoptSchedule(trx, settings.slug, instance, clock());
  });
}
