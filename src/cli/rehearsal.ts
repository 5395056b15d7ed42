/** A rehearsal, and a campaign beside its own, in words. */
import type { CampaignReport } from '../delivery/report.ts';
import type { Rehearsed } from '../newsletter/rehearse.ts';
import { duration } from './speed.ts';

/** What the rehearsal of a send showed. */
export function rehearsalWords(rehearsed: Rehearsed): string {
  const { largest, impossible, shortestMs, approved, recipients, bytes } = rehearsed;
  return [
    `Issue       ${rehearsed.issue}  ${approved ? 'approved' : 'not approved'}  ${rehearsed.hash}`,
    `Subject     ${rehearsed.subject}`,
    `Readers     ${recipients}  (${list(rehearsed.byProvider)})`,
    `Audience    ${rehearsed.audienceHash}`,
    `Excluded    ${list(rehearsed.excluded)}`,
    `Mail        ${largest ? `${bytes} bytes in all; the largest has ${largest.bytes}, for ${largest.address}` : 'none'}`,
    impossible.count > 0 ? `Impossible  ${impossible.count}; first ${impossible.example}` : '',
    `Composed    in ${duration(rehearsed.composedMs)} on this machine`,
    shortestMs > 0
      ? `Takes       ${duration(shortestMs)} at least, at the rates of the settings: sent now, until ${localTime(rehearsed.finishesAt)}`
      : 'Takes       as long as the relay needs: the settings name no rate',
  ]
    .filter(Boolean)
    .join('\n');
}

/** Lines for a campaign's report. */
export function comparisonLines({
  byProvider,
  rehearsal,
}: Pick<CampaignReport, 'byProvider' | 'rehearsal'>): string[] {
  if (!rehearsal) return [];
  const { at, sameReaders, recipients, shortestMs, tookMs } = rehearsal;
  const sums = Object.entries(byProvider).map(([provider, states]) => {
    const planned = Object.values(states).reduce((sum, n) => sum + n, 0);
    return [provider, { planned, accepted: states.accepted ?? 0 }] as const;
  });
  const now = new Map(sums);
  const names = new Set([...Object.keys(rehearsal.byProvider), ...now.keys()]);
  const lines = [...names].sort().map((provider) => {
    const { planned, accepted } = now.get(provider) ?? { planned: 0, accepted: 0 };
    const before = rehearsal.byProvider[provider] ?? 0;
    return `  ${provider.padEnd(10)} rehearsed ${before}, planned ${planned}, accepted ${accepted}`;
  });
  const readers = sameReaders ? 'the same readers' : 'other readers than now';
  const took = tookMs === null ? 'still running' : `it took ${duration(tookMs)}`;
  const foretold = shortestMs > 0 ? `foretold ${duration(shortestMs)} at least, ` : '';
  return [`  ${localTime(at)}  ${recipients} readers, ${readers}; ${foretold}${took}`, ...lines];
}

function list(counts: Record<string, number>): string {
  const words = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return words.join(', ') || 'none';
}

function localTime(ms: number): string {
  return new Date(ms).toLocaleString('sv');
}
