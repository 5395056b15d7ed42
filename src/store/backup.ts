/** Copies of the SQLite file: made while it is in use, and put back. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { blockedError, failedError, inputError } from '../errors.ts';

/**
 * Copies a database file as it stands at one moment, while others read and write it. What is at `to` already stays:
 * a copy of that name has been made.
 * @returns whether a copy was made
 */
export async function backUp(path: string, to: string): Promise<boolean> {
  if (existsSync(to)) return false;
  const temporary = `${to}.${process.pid}.new`;
  mkdirSync(dirname(to), { recursive: true });
  const file = new Sqlite(path, { readonly: true, fileMustExist: true });
  try {
    await file.backup(temporary);
    flush(temporary);
    // Unlike a rename it never replaces what another process has just made.
    linkSync(temporary, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw failedError(
      'backup-failed',
      `The database cannot be backed up: ${(error as Error).message}`,
      {
        file: to,
        hint: 'Look whether there is room. Nothing was changed.',
      },
    );
  } finally {
    file.close();
    rmSync(temporary, { force: true });
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

/** What a whole database file says of itself when it is looked through. @throws BroadsheetError `backup-damaged` */
export function requireWhole(path: string): void {
  if (!existsSync(path)) throw inputError('file-missing', `There is no file ${path}`);
  let verdict: unknown;
  try {
    const file = new Sqlite(path, { readonly: true });
    verdict = file.pragma('integrity_check', { simple: true });
    file.close();
  } catch (error) {
    verdict = (error as Error).message;
  }
  if (verdict === 'ok') return;
  throw inputError('backup-damaged', `This is no whole database: ${verdict}`, {
    file: path,
    hint: 'Take an older backup.',
  });
}

/**
 * Puts a file in the place of a database and moves that aside.
 * @param aside path for what stood there
 * @throws BroadsheetError `database-in-use` when another process has it open
 */
export function replaceFile(path: string, by: string, aside: string): void {
  if (existsSync(path)) {
    requireUnused(path);
    renameSync(path, aside);
  }
  renameSync(by, path);
}

/** Leaving write-ahead mode needs the file alone, and takes the log into it. */
function requireUnused(path: string): void {
  let mode: unknown = 'damaged';
  try {
    const file = new Sqlite(path, { timeout: 0 });
    mode = file.pragma('journal_mode = delete', { simple: true });
    file.close();
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (code.startsWith('SQLITE_BUSY')) mode = 'busy';
  }
  // What is damaged nobody uses; it is moved aside with its log.
  if (mode === 'damaged') moveLogs(path);
  else if (mode !== 'delete')
    throw blockedError('database-in-use', 'Another process has the database open', {
      file: path,
      hint: 'End it (broadsheet serve, worker), then try again. Nothing was changed.',
    });
}

/** A log that is left beside another file would be taken for that file's own. */
function moveLogs(path: string): void {
  for (const end of ['-wal', '-shm']) {
    if (existsSync(path + end)) renameSync(path + end, `${path}.damaged${end}`);
  }
}
