/** Opens the database of a newsletter and brings its tables up to date. */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import { BroadsheetError, failedError, inputError } from '../errors.ts';
import { migrate } from './migrate.ts';
import type { Database } from './schema.ts';

export interface Store {
  db: Kysely<Database>;
  /** The file. */
  path: string;
  close(): Promise<void>;
}

/** How long a writer waits for another one, ms. */
const BUSY_TIMEOUT = 10_000;

/**
 * Opens the store, making it where there is none.
 * @param options.url `DATABASE_URL`; absent: `broadsheet.db` in the state directory
 * @throws BroadsheetError when the file is damaged, read-only, or written by a newer version
 */
export async function openStore(options: {
  url?: string | undefined;
  stateDir: string;
}): Promise<Store> {
  const path = pathOf(options.url, options.stateDir);
  const sqlite = openFile(path);
  try {
    configure(sqlite);
    const db = new Kysely<Database>({
      dialect: new SqliteDialect({ database: immediate(sqlite) }),
    });
    await migrate(db, path);
    return { db, path, close: () => db.destroy() };
  } catch (error) {
    sqlite.close();
    throw explain(error, path);
  }
}

function pathOf(url: string | undefined, stateDir: string): string {
  if (!url) return join(stateDir, 'broadsheet.db');
  if (url.startsWith('sqlite:')) return url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '');
  throw inputError(
    'database-unsupported',
    'DATABASE_URL names a database that this version cannot use',
    {
      hint: 'Unset it to use SQLite in var/. PostgreSQL comes with a later version.',
    },
  );
}

function openFile(path: string): Sqlite.Database {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
    } catch {
      throw failedError('database-read-only', 'The database cannot be written', {
        file: path,
        hint: 'Give this user the right to write it and its directory.',
      });
    }
  }
  try {
    return new Sqlite(path, { timeout: BUSY_TIMEOUT });
  } catch (error) {
    throw explain(error, path);
  }
}

/** On every open: SQLite reopens a WAL file with synchronous=NORMAL, which loses commits at power loss. */
function configure(sqlite: Sqlite.Database): void {
  sqlite.pragma('journal_mode = WAL');
  sqlite.pragma('synchronous = FULL');
  sqlite.pragma('foreign_keys = ON');
  if (process.platform === 'darwin') sqlite.pragma('fullfsync = ON');
}

/**
 * Transactions take the write lock when they begin, so that none fails half-way because another
 * process wrote first. Statements are prepared once.
 */
function immediate(sqlite: Sqlite.Database): SqliteDatabase {
  const prepared = new Map<string, Sqlite.Statement>();
  return {
    close: () => void sqlite.close(),
    prepare(sql) {
      const known = prepared.get(sql);
      if (known) return known as never;
      const statement = sqlite.prepare(sql === 'begin' ? 'begin immediate' : sql);
      if (prepared.size > 500) prepared.clear();
      prepared.set(sql, statement);
      return statement as never;
    },
  };
}

function explain(error: unknown, path: string): unknown {
  if (error instanceof BroadsheetError) return error;
  const { code, message } = error as { code?: string; message: string };
  if (code === 'SQLITE_NOTADB' || code?.startsWith('SQLITE_CORRUPT')) {
    return failedError(
      'database-damaged',
      'The file is no database, or is damaged; it was left as it is',
      {
        file: path,
        hint: 'Move it away and put a backup in its place. Without it nobody knows who has been sent what.',
      },
    );
  }
  if (code === 'SQLITE_READONLY' || code === 'SQLITE_CANTOPEN') {
    return failedError(
      'database-read-only',
      `The database cannot be opened for writing: ${message}`,
      { file: path },
    );
  }
  return error;
}
