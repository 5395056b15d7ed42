/**
 * Group commit: the lanes hand in results and ask for the next delivery; what comes in one turn of the event loop, or
 * while a commit is under way, is written in one transaction. A busy sender waits for all that may come soon.
 */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { failedError } from '../errors.ts';
import type { Database } from '../store/schema.ts';
import { createBreaker } from './breaker.ts';
import { failpoint } from './failpoint.ts';
import { release, storeAndMark } from './ledger.ts';
import { watchLoad } from './load.ts';
import type { Marked, Marking } from './mark.ts';
import { patiently } from './patiently.ts';
import type { Result } from './settle.ts';
import type { Turn } from './turn.ts';

export interface Exchange {
  /** The next delivery for a lane; null when there is none, or none may be started. */
  next(): Promise<Marked | null>;
  /** Stores a result; resolves when it is durable. */
  store(result: Result): Promise<void>;
  /** When limits let more start, ms; null where nothing is held back by them. */
  readonly again: number | null;
  /** Stores what was handed in last. */
  close(): Promise<void>;
}

/** Lanes wait so long for a limit to open, ms; beyond it the campaign is put aside. */
const LONGEST_WAIT = 5_000;
/** A busy sender commits when nothing has come for so long, ms. */
const SILENCE = 1;

/** Where the deliveries come from, when they are handed out in chunks. */
export interface Source {
  /** Nothing more of the present chunk is due: takes another one of the same campaign. @returns whether there is one */
  advance(): Promise<boolean>;
  /** Gives back the chunks that are done with. @param underWay ids of deliveries that are marked and not settled */
  tidy(underWay: ReadonlySet<number>): Promise<void>;
}

export interface ExchangeOptions {
  db: Kysely<Database>;
  /** Waits until what has been committed is on the disk. */
  flush: () => Promise<void>;
  turn: () => Turn;
  /** Absent where one sender has everything. */
  source?: Source | undefined;
  /** Deliveries that may be under way at once. */
  lanes: number;
  /** Aborted: results are still stored, nothing more is given out. */
  signal: AbortSignal;
}

export function openExchange({
  db,
  flush,
  turn,
  source,
  lanes,
  signal,
}: ExchangeOptions): Exchange {
  const breaker = createBreaker();
  const isBusy = watchLoad();
  /** Marked and not yet settled. */
  const underWay = new Set<number>();
  let results: Handed[] = [];
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let again: number | null = null;

  /** One commit at a time; those who come meanwhile make up the next one. */
  function schedule(): void {
    running ??= gather()
      .then(commit)
      .finally(() => {
        running = undefined;
        if (waiting.length + results.length > 0) schedule();
      });
  }

  /**
   * Every commit costs the same, whatever is in it, and each mail waits for one. Where the relay is slow that
   * is nothing, and none waits for another; where this process is what limits, fewer commits mean more mails.
   */
  async function gather(): Promise<void> {
    await setImmediate();
    if (!isBusy()) return;
    let came = results.length;
    let latest = performance.now();
    // The other half are the next mails of the same connections.
    while (came < underWay.size / 2 && performance.now() - latest < SILENCE) {
      await setImmediate();
      if (results.length === came) continue;
      came = results.length;
      latest = performance.now();
    }
  }

  async function commit(): Promise<void> {
    const handed = results;
    const asking = waiting;
    results = [];
    waiting = [];
    const stored = handed.map(({ result }) => result);
    const stop = breaker.judge(stored.map(({ outcome }) => outcome));
    try {
      const wanted = signal.aborted ? 0 : asking.length;
      const marking = await patiently(() => storeAndMark(db, turn(), stored, wanted, stop));
      await flush();
      failpoint('after-result-commit');
      for (const { result, done } of handed) {
        underWay.delete(result.delivery.id);
        done();
      }
      await handOut(marking, asking);
      await source?.tidy(underWay);
    } catch (error) {
      for (const { fail } of [...handed, ...asking]) fail(error as Error);
    }
  }

  async function handOut({ marked, again: opens }: Marking, asking: Waiting[]): Promise<void> {
    const { epoch, now } = turn();
    again = opens;
    if (signal.aborted) {
      await release(
        db,
        epoch,
        marked.map(({ id }) => id),
      );
      for (const { give } of asking) give(null);
      return;
    }
    for (const delivery of marked) claim(delivery.id);
    const idle = asking.splice(marked.length);
    for (const [at, { give }] of asking.entries()) give(marked[at] ?? null);
    const isSoon = opens !== null && opens - now <= LONGEST_WAIT;
    if (isSoon && idle.length > 0) {
      await sleep(Math.max(1, opens - now), undefined, { signal }).catch(() => {});
      waiting.push(...idle);
    } else if (idle.length > 0 && opens === null && (await source?.advance())) {
      waiting.push(...idle);
    } else for (const { give } of idle) give(null);
  }

  /** Two attempts at one delivery never overlap (I3), and no more are marked than lanes can carry (I5). */
  function claim(id: number): void {
    if (underWay.has(id) || underWay.size >= lanes)
      throw failedError('ledger-broken', `Delivery ${id} was marked out of turn`);
    underWay.add(id);
  }

  return {
    next: () =>
      new Promise((give, fail) => {
        waiting.push({ give, fail });
        schedule();
      }),
    store: (result) =>
      new Promise((done, fail) => {
        results.push({ result, done, fail });
        schedule();
      }),
    get again() {
      return again;
    },
    async close() {
      while (running) await running;
    },
  };
}

interface Handed {
  result: Result;
  done(): void;
  fail(error: Error): void;
}

interface Waiting {
  give(delivery: Marked | null): void;
  fail(error: Error): void;
}
