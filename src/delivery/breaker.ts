/** Sees when something is wrong with the list or the mail, not with one reader (D-68). */
import type { Outcome } from './outcome.ts';

export interface Breaker {
  /** Takes the outcomes of a commit in. @returns why the campaign has to stop, if it has to */
  judge(outcomes: readonly Outcome[]): string | null;
}

/** In the first hundred attempts, and in any two hundred in a row, so many per cent refused for good stop it. */
const FIRST = 100;
const WINDOW = 200;
const MOST = 0.05;

/** A fresh count, for one run of a sender over one campaign. */
export function createBreaker(): Breaker {
  const latest: boolean[] = [];
  let seen = 0;
  let refused = 0;
  return {
    judge(outcomes) {
      let reply = '';
      for (const outcome of outcomes) {
        if (outcome.relayFault || outcome.state === 'deferred') continue;
        seen += 1;
        latest.push(isRefusal(outcome));
        if (isRefusal(outcome)) {
          refused += 1;
          reply = outcome.reply;
        }
        if (latest.length > WINDOW && latest.shift()) refused -= 1;
      }
      const limit = seen <= FIRST ? FIRST * MOST : WINDOW * MOST;
      if (reply === '' || refused < limit) return null;
      return `${refused} of the last ${latest.length} mails were refused for good, the last one with: ${reply}`;
    },
  };
}

/** By the relay's word; what could not be composed is ours. */
function isRefusal({ state, code }: Outcome): boolean {
  return state === 'failed' && code !== null;
}
