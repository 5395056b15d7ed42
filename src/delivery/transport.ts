/** The one door to the outside: bytes for one recipient go in, an outcome comes back. */
import type { Outcome } from './outcome.ts';

export interface Envelope {
  /** MAIL FROM. */
  from: string;
  /** RCPT TO: always one (D-22). */
  to: string;
  /** Names the delivery: where the same comes again, it is the same mail. */
  id: string;
}

export interface Transport {
  /** Never throws for what a relay or network does. The signal breaks it off. */
  deliver(envelope: Envelope, bytes: Buffer, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}
