/** How fast a long piece of work goes, and how long it still takes. */

export interface Speed {
  /** Takes in how much is done by now; gives the rate of the last seconds, per second. */
  of(done: number): number;
}

/** Rates are those of so long, ms: long enough to be calm, short enough to follow. */
const WINDOW = 10_000;

/** @param clock monotonic, ms */
export function speedometer(clock: () => number = () => performance.now()): Speed {
  const seen: { at: number; done: number }[] = [];
  return {
    of(done) {
      const at = clock();
      seen.push({ at, done });
      while (seen.length > 2 && at - (seen[1]?.at ?? at) >= WINDOW) seen.shift();
      const [first] = seen;
      if (!first || at === first.at) return 0;
      return ((done - first.done) * 1_000) / (at - first.at);
    },
  };
}

/** `40 s`, `3 min`, `2 h 5 min`, `4 days`. @param ms */
export function duration(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 1.5) return `${Math.max(1, Math.round(ms / 1_000))} s`;
  if (minutes < 90) return `${Math.round(minutes)} min`;
  const hours = Math.round(minutes) / 60;
  if (hours < 36) return `${Math.floor(hours)} h ${Math.round(minutes) % 60} min`;
  return `${Math.ceil(hours / 24)} days`;
}
