/** Whose turn it is. */
import { PROVIDER_GROUPS, type Provider } from '../audience/address.ts';

/** Provider groups take turns, so that none waits until another is done. Lives as long as a sender's run. */
export interface Queue {
  /** The groups that may have something due; another begins each time. @param now ms */
  order(now: number): Provider[];
  /** Nothing more of a group is due; it is asked again after a while. @param now ms */
  empty(provider: Provider, now: number): void;
}

/** ms */
const EMPTY_FOR = 250;

export function createQueue(): Queue {
  const emptyUntil = new Map<Provider, number>();
  let turn = 0;
  return {
    order(now) {
      const groups = PROVIDER_GROUPS.filter((group) => (emptyUntil.get(group) ?? 0) <= now);
      turn = groups.length === 0 ? 0 : (turn + 1) % groups.length;
      return [...groups.slice(turn), ...groups.slice(0, turn)];
    },
    empty: (provider, now) => void emptyUntil.set(provider, now + EMPTY_FOR),
  };
}
