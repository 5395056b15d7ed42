/** One connection to the relay: opened when there is a mail for it, and again when it broke. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '../outcome.ts';
import type { Mail, Record } from '../transport.ts';
import { type Conversation, converse } from './conversation.ts';
import { openSession, type Relay, refusal } from './open.ts';

export interface Job {
  mail: Mail;
  record: Record;
  done(outcome: Outcome): void;
  failed(error: Error): void;
  /** Connections that could not be opened for it. */
  refusedBy: Set<Connection>;
}

export interface Connection {
  /** Mails that it holds: at most one of them has left. */
  readonly load: number;
  /** Whether it could not be opened lately, and waits before it tries again. */
  readonly resting: boolean;
  take(job: Job): void;
  abort(): void;
  close(): void;
}

export interface ConnectionOptions {
  relay: Relay;
  /** Longest time that one mail may take, ms. */
  deadline: number;
  /** Pause before a connection that failed is opened again, ms; it doubles each time, up to `LONGEST_REST`. */
  rest: number;
  /** Gives a mail of a connection that cannot be opened to another one; false: there is none left to try. */
  passOn(job: Job): boolean;
}

const LONGEST_REST = 60_000;

export function createConnection(options: ConnectionOptions): Connection {
  const { relay, deadline, rest, passOn } = options;
  const jobs: Job[] = [];
  const aborting = new AbortController();
  let conversation: Conversation | undefined;
  let working = false;
  let failures = 0;
  /** Mails that were begun on this connection. */
  let served = 0;
  /** When it may be opened again, by the monotonic clock, ms. */
  let restsUntil = 0;
  /** The outcome before is durable: no body begins earlier. */
  let stored: Promise<unknown> = Promise.resolve();

  async function work(): Promise<void> {
    working = true;
    for (let job = jobs[0]; job; job = jobs[0]) {
      if (!conversation?.usable && !(await reopen())) continue;
      const outcome = await send(job.mail);
      if (!outcome) continue;
      jobs.shift();
      conclude(job, outcome);
    }
    working = false;
  }

  function conclude({ record, done, failed }: Job, outcome: Outcome): void {
    const recorded = record(outcome);
    stored = recorded;
    recorded.then(() => done(outcome), failed);
  }

  /** @returns nothing when the mail has to begin anew on another connection, because not a byte of it was sent */
  async function send(mail: Mail): Promise<Outcome | undefined> {
    const current = conversation as Conversation;
    const { outcome, bodyBegun } = await current.send(mail, stored, announceNext);
    const wasUsed = served > 0;
    served += 1;
    // Servers close a connection after some time or some mails. That says nothing about this one.
    return wasUsed && !current.usable && !bodyBegun && outcome.relayFault ? undefined : outcome;
  }
  /** The first mail is on its way; the second one's envelope may follow it. */
  function announceNext(): void {
    if (jobs[1]) conversation?.announce(jobs[1].mail);
  }

  /** @returns whether there is a connection now; where not, the mails have gone elsewhere or have an outcome */
  async function reopen(): Promise<boolean> {
    conversation?.abort('the connection was given up');
    conversation = undefined;
    await sleep(Math.max(0, restsUntil - performance.now()), undefined, {
      signal: aborting.signal,
    }).catch(() => {});
    try {
      const bounded = AbortSignal.any([aborting.signal, AbortSignal.timeout(deadline)]);
      conversation = converse(await openSession(relay, bounded), deadline);
      failures = 0;
      served = 0;
      return true;
    } catch (error) {
      failures += 1;
      restsUntil = performance.now() + Math.min(rest * 2 ** (failures - 1), LONGEST_REST);
      for (const job of jobs.splice(0)) {
        job.refusedBy.add(connection);
        if (aborting.signal.aborted || !passOn(job)) conclude(job, refusal(error as Error));
      }
      return false;
    }
  }

  const connection: Connection = {
    get load() {
      return jobs.length;
    },
    get resting() {
      return !conversation && performance.now() < restsUntil;
    },
    take(job) {
      jobs.push(job);
      if (!working) void work();
      else if (jobs.length === 2) announceNext();
    },
    abort() {
      aborting.abort();
      conversation?.abort('broken off');
    },
    close() {
      conversation?.quit();
    },
  };
  return connection;
}
