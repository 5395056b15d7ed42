/** What a relay's answer means for a delivery. Total: any answer, and none, has a meaning. */
import type { Outcome } from './outcome.ts';

/** Where in the conversation the answer came. */
export type Phase = 'connect' | 'auth' | 'sender' | 'recipient' | 'data';

export interface Answer {
  phase: Phase;
  /** Reply code; null where the connection broke or timed out. */
  code: number | null;
  /** The relay's words, or the error's. */
  words: string;
  /** A byte of the body may have left: the relay may have the mail. */
  bodyBegun: boolean;
}

/** Longest reply that is kept, UTF-16 units. */
const LONGEST_REPLY = 500;

/**
 * Classifies an answer. Only 2xx after the body is `accepted`; permanent only if the relay said so of
 * this recipient or message; no answer after the body began is `unknown` (RFC 5321 4.2.1, RFC 1047).
 */
export function classify({ phase, code, words, bodyBegun }: Answer): Outcome {
  const reply = oneLine(words);
  const isClear = code !== null && code >= 200 && code <= 599 && !(code >= 300 && code <= 399);
  if (!isClear) {
    return bodyBegun
      ? { state: 'unknown', code, reply, relayFault: false }
      : { state: 'deferred', code, reply, relayFault: true };
  }
  if (code <= 299) {
    const state = bodyBegun ? 'accepted' : 'deferred';
    return { state, code, reply, relayFault: !bodyBegun };
  }
  const aboutThisMail = phase === 'recipient' || phase === 'data';
  if (!aboutThisMail || code === 421) return { state: 'deferred', code, reply, relayFault: true };
  return { state: code >= 500 ? 'failed' : 'deferred', code, reply, relayFault: false };
}

/** The reply on one line, without control characters. */
function oneLine(words: string): string {
  return words
    .replace(/[\x00-\x1f\x7f]+/g, ' ')
    .trim()
    .slice(0, LONGEST_REPLY);
}
