/** The SQLite file of a newsletter: opened with what SQLite does not keep in it, and with words for what goes wrong. */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import { BroadsheetError, failedError, inputError } from '../errors.ts';
import { backUp } from './backup.ts';
import { migrate, pendingMigrations } from './migrate.ts';
import type { Store } from './open.ts';
import type { Database } from './schema.ts';

/** How long a writer waits for another one, ms. */
const BUSY_TIMEOUT = 10_000;

/** Pause between two tries of what SQLite itself does not wait for, ms. */
const RETRY = 20;

/** Statements that are kept prepared. */
const MOST_PREPARED = 500;

/**
 * Opens the file, making it where there is none, and brings its tables up to date. A file that has tables is backed up
 * before, to `….before-MIGRATION` beside it.
 * @param url `sqlite:/path`; absent: `broadsheet.db` in the state directory
 * @throws BroadsheetError when the file is damaged, read-only, in use, of another program, or written by
 * a newer version; the file is left as it was
 */
export async function openSqlite(url: string | undefined, stateDir: string): Promise<Store> {
  const path = pathOf(url, stateDir);
  const sqlite = openFile(path);
  try {
    configure(sqlite);
    const db = new Kysely<Database>({
      dialect: new SqliteDialect({ database: immediate(sqlite) }),
    });
    const [pending] = await pendingMigrations(db, path);
    if (pending) await backUp(path, `${path}.before-${pending}`);
    await migrate(db, path);
    await writeAhead(sqlite);
    return { db, path, close: () => db.destroy() };
  } catch (error) {
    sqlite.close();
    throw explain(error, path);
  }
}

/** Where a newsletter's SQLite file is. @throws BroadsheetError `database-url-relative` */
export function pathOf(url: string | undefined, stateDir: string): string {
  if (!url) return join(stateDir, 'broadsheet.db');
  const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '');
  if (isAbsolute(path)) return path;
  throw inputError('database-url-relative', 'DATABASE_URL holds no absolute path', {
    hint: 'Write sqlite:/path/to/file, or unset it to use SQLite in var/.',
  });
}

function openFile(path: string): Sqlite.Database {
  try {
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK);
    return new Sqlite(path, { timeout: BUSY_TIMEOUT });
  } catch (error) {
    throw explain(error, path);
  }
}

/** On every open: SQLite keeps none of these in the file. */
function configure(sqlite: Sqlite.Database): void {
  // The default for a WAL file is NORMAL, which loses commits at power loss.
  sqlite.pragma('synchronous = FULL');
  sqlite.pragma('foreign_keys = ON');
  if (process.platform === 'darwin') sqlite.pragma('fullfsync = ON');
}

/**
 * Last, because it changes the file. Where two processes make the same file at once, SQLite refuses one
 * of them without waiting, whatever the timeout.
 */
async function writeAhead(sqlite: Sqlite.Database): Promise<void> {
  for (let waited = 0; ; waited += RETRY) {
    try {
      sqlite.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      if (!codeOf(error).startsWith('SQLITE_BUSY') || waited >= BUSY_TIMEOUT) throw error;
    }
    await wait(RETRY);
  }
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
      if (prepared.size >= MOST_PREPARED) prepared.clear();
      prepared.set(sql, statement);
      return statement as never;
    },
  };
}

/** What SQLite and the file system say, as a person may need it. */
function explain(error: unknown, path: string): unknown {
  if (error instanceof BroadsheetError) return error;
  const code = codeOf(error);
  const { message } = error as Error;
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return failedError(
      'database-damaged',
      'The file is no database, or is damaged; it was left as it is',
      {
        file: path,
        hint: 'Move it away and put a backup in its place. Without it nobody knows who has been sent what.',
      },
    );
  }
  if (/^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|EACCES|EPERM|EROFS)/.test(code)) {
    return failedError('database-read-only', `The database cannot be written: ${message}`, {
      file: path,
      hint: 'Give this user the right to write the file and its directory.',
    });
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return failedError('database-busy', 'Another process keeps the database locked', {
      file: path,
      hint: 'Try again when it has finished.',
    });
  }
  if (!/^(SQLITE_|E[A-Z]+$)/.test(code)) return error;
  return failedError('database-unusable', `The database cannot be opened: ${message}`, {
    file: path,
    hint: 'Look whether the disk is full and the directory can be written.',
  });
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? '';
}
