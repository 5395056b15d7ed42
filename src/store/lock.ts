/**
 * The sender lock: one sending process for one SQLite database.
 *
 * A second, tiny SQLite file is held in an open transaction for the life of the process. The operating
 * system frees it at once when the process dies, whatever kills it.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';

export interface Lock {
  release(): void;
}

/** A handle without a lasting reference is collected, and its lock is silently gone. */
const held = new Set<Sqlite.Database>();

/** Takes the lock; null when another process (or this one) holds it. */
export function acquireLock(path: string): Lock | null {
  mkdirSync(dirname(path), { recursive: true });
  const file = new Sqlite(path, { timeout: 0 });
  try {
    file.exec('begin exclusive');
  } catch (error) {
    file.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return null;
    throw error;
  }
  held.add(file);
  return {
    release() {
      if (held.delete(file)) file.close();
    },
  };
}
