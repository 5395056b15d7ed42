/** Mail to a relay by SMTP, over several connections that are kept open. */
import type { Transport } from '../transport.ts';
import { type Connection, createConnection, type Job } from './connection.ts';
import type { Relay } from './open.ts';

export interface SmtpOptions extends Relay {
  /** Default 1. */
  connections?: number;
  /** Longest time that one mail may take, ms: more than the 10 minutes of RFC 5321 4.5.3.2.6. */
  deadline?: number;
  /** First pause before a connection that failed is opened again, ms. */
  rest?: number;
}

const MINUTE = 60_000;

/**
 * While a connection waits for the answer to one mail, the next one's envelope may be under way: so twice as
 * many lanes as connections, and never more than one unanswered body in each.
 */
export function createSmtpTransport(options: SmtpOptions): Transport {
  const { connections: count = 1, deadline = 12 * MINUTE, rest = 1_000, ...relay } = options;
  const connections = Array.from({ length: count }, () =>
    createConnection({ relay, deadline, rest, passOn }),
  );

  /** The one with the least to do; one that rests only when all do. */
  function place(job: Job, among: readonly Connection[]): void {
    const best = among.reduce((a, b) => (isBetter(b, a) ? b : a));
    best.take(job);
  }

  function passOn(job: Job): boolean {
    const others = connections.filter((each) => !each.resting && !job.refusedBy.has(each));
    if (others.length > 0) place(job, others);
    return others.length > 0;
  }

  return {
    lanes: 2 * count,
    deliver: (mail, record = async () => {}) =>
      new Promise((done, failed) =>
        place({ mail, record, done, failed, refusedBy: new Set() }, connections),
      ),
    abort() {
      for (const connection of connections) connection.abort();
    },
    async close() {
      for (const connection of connections) connection.close();
    },
  };
}

function isBetter(a: Connection, b: Connection): boolean {
  return a.resting === b.resting ? a.load < b.load : b.resting;
}
