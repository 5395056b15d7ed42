/**
 * Group commit: the lanes hand in results and ask for the next delivery; what comes together within a
 * few milliseconds is written in one transaction, one at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { failedError } from '../errors.ts';
import type { Database } from '../store/schema.ts';
import { exchange, type Marked, type Result, release, type Turn } from './ledger.ts';

export interface Exchange {
  /** The next delivery for a lane; null when there is none, or none may be started. */
  next(): Promise<Marked | null>;
  /** Hands in a result; it is stored before any delivery that is given out later. */
  done(result: Result): void;
  /** Stores what was handed in last. */
  close(): Promise<void>;
}

/** How long a commit waits for company, ms. At 20 connections 1 was 6 % faster than 0, and 24 % than 2. */
const WINDOW = 1;
/** How long a failing database is tried again, ms. */
const PATIENCE = 5 * 60_000;
const RETRY = 250;

/** @param signal aborted: results are still stored, nothing more is given out */
export function openExchange(
  db: Kysely<Database>,
  turn: () => Turn,
  signal: AbortSignal,
): Exchange {
  let results: Result[] = [];
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  /** One commit at a time; those who come meanwhile make up the next one. */
  function schedule(): Promise<void> {
    running ??= sleep(WINDOW)
      .then(commit)
      .finally(() => {
        running = undefined;
        if (waiting.length > 0) void schedule();
      });
    return running;
  }

  async function commit(): Promise<void> {
    const stored = results;
    const lanes = waiting;
    results = [];
    waiting = [];
    try {
      const wanted = signal.aborted ? 0 : lanes.length;
      const marked = await patiently(() => exchange(db, turn(), stored, wanted));
      await handOut(marked, lanes);
    } catch (error) {
      for (const lane of lanes) lane.fail(error as Error);
    }
  }

  async function handOut(marked: Marked[], lanes: Waiting[]): Promise<void> {
    const begins = signal.aborted ? [] : marked;
    const unused = signal.aborted ? marked : [];
    await release(
      db,
      turn().epoch,
      unused.map(({ id }) => id),
    );
    for (const [at, lane] of lanes.entries()) lane.give(begins[at] ?? null);
  }

  return {
    next: () =>
      new Promise((give, fail) => {
        waiting.push({ give, fail });
        void schedule();
      }),
    done: (result) => void results.push(result),
    async close() {
      await running;
      if (results.length > 0) await commit();
    },
  };
}

interface Waiting {
  give(delivery: Marked | null): void;
  fail(error: Error): void;
}

/** A database that is full, locked or away holds everything up: no stored result, no next mark. */
async function patiently<T>(write: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  for (;;) {
    try {
      return await write();
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (!code?.startsWith('SQLITE_')) throw error;
      if (performance.now() - begun > PATIENCE) {
        throw failedError('ledger-unwritable', `The database cannot be written: ${message}`, {
          hint: 'Make room or free the lock, then send again: it goes on where it stopped.',
        });
      }
      await sleep(RETRY);
    }
  }
}
