/** How one attempt ended: one of the four answers that a delivery can get, and what follows from it. */

export interface Outcome {
  state: 'accepted' | 'deferred' | 'failed' | 'unknown';
  /** Reply code of the relay; null where there was none. */
  code: number | null;
  /** The relay's words, or ours where it said nothing. */
  reply: string;
  /** The relay or the way to it is at fault: says nothing about this reader, counts as no attempt. */
  relayFault: boolean;
  /** In one or two words, for reports: `accepted`, `hard-bounce`, `mailbox-full`, `greylisted`, … */
  reason: string;
  /** What else has to happen. */
  consequence?: Consequence;
  /** Wait this long before the next attempt, ms, instead of the usual schedule. */
  retryAfter?: number;
  /** So many attempts at most, where that is fewer than time allows. */
  mostAttempts?: number;
}

export type Consequence =
  /** No mail to this address any more, from any newsletter. */
  | { kind: 'suppress' }
  /** The reader does not want this newsletter. */
  | { kind: 'unsubscribe' }
  /** Counts: some of these in several issues suppress. */
  | { kind: 'soft' }
  /** No mail to this mailbox provider for so long, ms; `tell`: the editor hears of it. */
  | { kind: 'hold'; ms: number; tell: boolean }
  /** All recipients would fail: the campaign pauses until a person has looked. */
  | { kind: 'stop' };

export function accepted(code: number | null, reply: string): Outcome {
  return { state: 'accepted', code, reply, relayFault: false, reason: 'accepted' };
}
