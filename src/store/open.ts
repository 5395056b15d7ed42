/** Opens the database of a newsletter, SQLite or PostgreSQL, and brings its tables up to date. */
import type { Kysely } from 'kysely';
import { inputError } from '../errors.ts';
import type { Database } from './schema.ts';

export interface Store {
  db: Kysely<Database>;
  /** The file; of PostgreSQL its address, without the password. */
  path: string;
  close(): Promise<void>;
}

/**
 * Opens the store. A SQLite file is made where there is none.
 * @param options.url `DATABASE_URL`; absent: `broadsheet.db` in the state directory
 * @throws BroadsheetError when it cannot be used, belongs to another program, or was written by a newer
 * version; it is left as it was
 */
export async function openStore(options: {
  url?: string | undefined;
  stateDir: string;
}): Promise<Store> {
  const { url, stateDir } = options;
  if (url && isPostgresUrl(url)) {
    const { openPostgres } = await import('./postgres.ts');
    return openPostgres(url);
  }
  if (url && !url.startsWith('sqlite:'))
    throw inputError('database-unsupported', 'DATABASE_URL names a database that is not known', {
      hint: 'Unset it to use SQLite in var/, or write postgres://user:password@host/database.',
    });
  const { openSqlite } = await import('./sqlite.ts');
  return openSqlite(url, stateDir);
}

/** True for `postgres://…` and `postgresql://…`. */
export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}
