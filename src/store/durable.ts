/** Waits for the disk without holding up the event loop. */
import { open } from 'node:fs/promises';
import { type Kysely, sql } from 'kysely';
import { isPostgres } from './dialect.ts';
import type { Database } from './schema.ts';

export interface Durability {
  /** Resolves when everything that has been committed is on the disk. Rejects when the disk refuses. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const AT_COMMIT: Durability = { flush: async () => {}, close: async () => {} };

/**
 * With `synchronous=FULL` SQLite waits for the disk inside each commit, and nothing else of the process runs
 * meanwhile. From now on this connection's commits only append to the write-ahead log, and `flush` has the
 * operating system write that log through, on a thread of the pool. Whoever acts on a commit flushes first: then
 * what it promises is the same (sqlite.org/wal.html, "Performance Considerations").
 *
 * SQLite locks the database file and the -shm file, never the log: opening the log beside it is harmless.
 */
export async function deferSync(db: Kysely<Database>): Promise<Durability> {
  // PostgreSQL answers a commit when it is on the disk, and nothing here waits meanwhile.
  if (isPostgres(db)) return AT_COMMIT;
  const { rows } = await sql<{ file: string }>`select file from pragma_database_list
    where name = 'main'`.execute(db);
  const log = await open(`${rows[0]?.file}-wal`, 'r+').catch(() => null);
  // Where there is no log beside the file (a database in memory), each commit goes on waiting for itself.
  if (!log) return AT_COMMIT;
  await sql`pragma synchronous = normal`.execute(db);
  return {
    flush: () => log.datasync(),
    async close() {
      await sql`pragma synchronous = full`.execute(db);
      await log.datasync();
      await log.close();
    },
  };
}
