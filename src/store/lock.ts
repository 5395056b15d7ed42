/**
 * The sender lock: one sending process for one SQLite database.
 *
 * A second, tiny SQLite file is held in an open transaction for the life of the process. The operating
 * system frees it at once when the process dies, whatever kills it.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { failedError } from '../errors.ts';

export interface Lock {
  release(): void;
}

/** A handle without a lasting reference is collected, and its lock is silently gone. */
const held = new Set<Sqlite.Database>();

/**
 * Takes the lock; null when another process (or this one) holds it.
 * @param path of a file that serves for nothing else; made where there is none
 * @throws BroadsheetError `lock-unusable` when it can be neither made nor locked
 */
export function acquireLock(path: string): Lock | null {
  const file = hold(path);
  if (!file) return null;
  held.add(file);
  return {
    release() {
      if (held.delete(file)) file.close();
    },
  };
}

function hold(path: string): Sqlite.Database | null {
  let file: Sqlite.Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    file = new Sqlite(path, { timeout: 0 });
    file.exec('begin exclusive');
    return file;
  } catch (error) {
    file?.close();
    const { code, message } = error as Error & { code?: string };
    if (code?.startsWith('SQLITE_BUSY')) return null;
    throw failedError('lock-unusable', `The sender lock cannot be taken: ${message}`, {
      file: path,
      hint: 'Nothing of value is in this file: remove it, and see that its directory can be written.',
    });
  }
}
