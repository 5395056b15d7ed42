/** The one door to the outside: a mail for one recipient goes in, an outcome comes back. */
import type { Outcome } from './outcome.ts';

export interface Mail {
  /** Names the delivery: where the same comes again, it is the same mail. */
  id: string;
  /** MAIL FROM. */
  from: string;
  /** RCPT TO: always one (D-22). */
  to: string;
  /** Bytes of the message in pieces, CRLF lines; most pieces are shared with other mails. */
  message: readonly Buffer[];
}

/** Writes an outcome down; resolves when it is durable. */
export type Record = (outcome: Outcome) => Promise<unknown>;

export interface Transport {
  /** So many mails are worth handing in at once: one on its way and, where it helps, one behind it. */
  readonly lanes: number;
  /**
   * Sends one mail and has its outcome recorded. No other body begins on the same connection before that is
   * done, so a crash leaves at most one mail of a connection in doubt.
   * Never rejects for what a relay or network does; rejects with what `record` rejects with.
   */
  deliver(mail: Mail, record?: Record): Promise<Outcome>;
  /** Breaks off whatever is on its way. Outcomes still come. */
  abort(): void;
  /** Lets the connections go. */
  close(): Promise<void>;
}
