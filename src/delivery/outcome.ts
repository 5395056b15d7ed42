/** How one attempt ended: the four answers that a delivery can get. */

export interface Outcome {
  state: 'accepted' | 'deferred' | 'failed' | 'unknown';
  /** Reply code of the relay; null where there was none. */
  code: number | null;
  /** The relay's words, or ours where it said nothing. */
  reply: string;
  /** The relay or the way to it is at fault: says nothing about this reader, counts as no attempt. */
  relayFault: boolean;
}

export function accepted(code: number | null, reply: string): Outcome {
  return { state: 'accepted', code, reply, relayFault: false };
}
