/** The numbers of a month: what became of its issues, and how the list grew. No reader is watched for them. */
import { PROVIDER_GROUPS } from '../audience/address.ts';
import { type Change, listChanges, listSize } from '../audience/growth.ts';
import {
  acceptedByQuarter,
  type Counts,
  type CountsByProvider,
  issueNumbers,
  noCounts,
  summed,
} from '../delivery/numbers.ts';
import { inputError } from '../errors.ts';
import { type ClickedLink, clickedLinks } from './clicks.ts';
import type { Newsletter } from './newsletter.ts';
import { sentIssues } from './sent-issues.ts';

export interface IssueReport {
  issue: string;
  title: string;
  /** ms. */
  sentAt: number;
  finishedAt: number | null;
  all: Counts;
  byProvider: CountsByProvider;
  /** Readers who joined between this issue and the next one, or now. */
  joined: number;
  /** Links that were followed, most often first; empty where clicks are not counted. */
  clicks: ClickedLink[];
}

export interface DayReport {
  /** `YYYY-MM-DD` */
  day: string;
  /** Mails that relays took, by provider. */
  accepted: Record<string, number>;
  joined: number;
  left: number;
  suppressed: number;
  /** Readers who could be mailed at its end. */
  list: number;
}

export interface MonthTotals {
  month: string;
  issues: number;
  all: Counts;
  joined: number;
  left: number;
  suppressed: number;
  /** Readers who could be mailed at its end, or now. */
  list: number;
}

export interface MonthReport extends MonthTotals {
  zone: string;
  /** Organisational domain that the mails come from (D-44). */
  from: string;
  byProvider: CountsByProvider;
  perIssue: IssueReport[];
  days: DayReport[];
  before: MonthTotals;
  /** In words. */
  warnings: string[];
}

/** From this many mails in a day on, D-44 warns. */
const BULK = 4_000;
/** Share of complaints that D-45 warns of, where so many mails were taken. */
const COMPLAINTS = 0.001;
const ENOUGH = 300;

/** @param month `2026-11`; absent: the one that it is now where the newsletter is at home */
export async function report(newsletter: Newsletter, month?: string): Promise<MonthReport> {
  const { settings, clock } = newsletter;
  const zone = settings.schedule?.zone ?? 'UTC';
  const wanted = month ?? dayIn(zone, clock()).slice(0, 7);
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(wanted)) throw noMonth(wanted);
  const now = await monthOf(newsletter, zone, wanted);
  const before = await monthOf(newsletter, zone, shifted(wanted, -1));
  const { perIssue, days, ...totals } = now;
  const { perIssue: _issues, days: _days, ...totalsBefore } = before;
  return {
    ...totals,
    zone,
    from: settings.sender.address.slice(settings.sender.address.lastIndexOf('@') + 1),
    byProvider: byProviderOf(perIssue),
    perIssue,
    days,
    before: totalsBefore,
    warnings: [...bulkWarnings(days), ...complaintWarnings(perIssue, days)],
  };
}

async function monthOf(newsletter: Newsletter, zone: string, month: string) {
  const { db, settings, clock } = newsletter;
  const [from, to] = [startOf(zone, month), startOf(zone, shifted(month, 1))];
  const span = { newsletter: settings.slug, channel: settings.delivery.channel, from, to };
  const changes = await listChanges(db, settings.slug, from);
  const size = await listSize(db, settings.slug);
  const sent = await sentIssues(newsletter);
  const perIssue: IssueReport[] = [];
  for (const numbers of await issueNumbers(db, span)) {
    const next = Math.min(...sent.map(({ sentAt }) => sentAt).filter((at) => at > numbers.sentAt));
    const until = (change: Change) => change.at >= numbers.sentAt && change.at < next;
    perIssue.push({
      ...numbers,
      title: sent.find(({ issue }) => issue === numbers.issue)?.title ?? numbers.issue,
      all: summed(Object.values(numbers.byProvider)),
      joined: countOf(changes.filter(until), 'joined'),
      clicks: await clickedLinks(newsletter, numbers.issue),
    });
  }
  const within = changes.filter(({ at }) => at < to);
  const end = Math.min(to, clock() + 1);
  const days = daysOf(zone, from, end, changes, size);
  for (const { at, provider, count } of await acceptedByQuarter(db, span)) {
    const day = days.find((one) => one.day === dayIn(zone, at));
    if (day) day.accepted[provider] = (day.accepted[provider] ?? 0) + count;
  }
  return {
    month,
    issues: perIssue.length,
    all: summed(perIssue.map(({ all }) => all)),
    joined: countOf(within, 'joined'),
    left: countOf(within, 'left'),
    suppressed: countOf(within, 'suppressed'),
    list: sizeAt(to, changes, size),
    perIssue,
    days,
  };
}

/** Reckoned back from the list as it stands. */
function sizeAt(at: number, changes: readonly Change[], size: number): number {
  const later = changes.filter((change) => change.at >= at);
  const lost = countOf(later, 'left') + countOf(later, 'suppressed');
  return Math.max(0, size - countOf(later, 'joined') + lost);
}

function daysOf(
  zone: string,
  from: number,
  to: number,
  changes: readonly Change[],
  size: number,
): DayReport[] {
  const days: DayReport[] = [];
  for (let at = from; at < to; at = nextDay(zone, at)) {
    const own = changes.filter((change) => change.at >= at && change.at < nextDay(zone, at));
    days.push({
      day: dayIn(zone, at),
      accepted: {},
      joined: countOf(own, 'joined'),
      left: countOf(own, 'left'),
      suppressed: countOf(own, 'suppressed'),
      list: sizeAt(nextDay(zone, at), changes, size),
    });
  }
  return days;
}

function countOf(changes: readonly Change[], kind: Change['kind']): number {
  return changes.reduce((sum, change) => sum + (change.kind === kind ? change.count : 0), 0);
}

function byProviderOf(issues: readonly IssueReport[]): CountsByProvider {
  const groups = PROVIDER_GROUPS.filter((group) =>
    issues.some(({ byProvider }) => byProvider[group]),
  );
  return Object.fromEntries(
    groups.map((group) => [
      group,
      summed(issues.map(({ byProvider }) => byProvider[group] ?? noCounts())),
    ]),
  );
}

function bulkWarnings(days: readonly DayReport[]): string[] {
  return days.flatMap(({ day, accepted }) =>
    ['gmail', 'microsoft']
      .filter((provider) => (accepted[provider] ?? 0) >= BULK)
      .map(
        (provider) =>
          `${day}: ${accepted[provider]} mails to ${provider}; from 5,000 a day on its rules for bulk senders apply`,
      ),
  );
}

/** Per issue, and for the seven days before the end of each day (D-45). */
function complaintWarnings(issues: readonly IssueReport[], days: readonly DayReport[]): string[] {
  const tooMany = (complained: number, accepted: number) =>
    accepted >= ENOUGH && complained >= accepted * COMPLAINTS;
  const words = (complained: number, accepted: number) =>
    `${complained} complaints about ${accepted} mails; 0.1 % is what providers put up with`;
  const perIssue = issues
    .filter(({ all }) => tooMany(all.complained, all.accepted))
    .map(({ issue, all }) => `${issue}: ${words(all.complained, all.accepted)}`);
  const week = days.slice(-7);
  const first = week[0]?.day ?? '';
  const recent = issues.filter(({ sentAt }) => dayIn('UTC', sentAt) >= first);
  const { complained, accepted } = summed(recent.map(({ all }) => all));
  if (recent.length < 2 || !tooMany(complained, accepted)) return perIssue;
  return [...perIssue, `The last seven days: ${words(complained, accepted)}`];
}

function dayIn(zone: string, at: number): string {
  return new Intl.DateTimeFormat('sv', { timeZone: zone }).format(at);
}

/** The first moment of a month, ms. */
function startOf(zone: string, month: string): number {
  const midnight = Date.parse(`${month}-01T00:00:00Z`);
  const guess = midnight - offsetAt(zone, midnight);
  return midnight - offsetAt(zone, guess);
}

/** The next local midnight, also over a change of the clocks. */
function nextDay(zone: string, at: number): number {
  const noon = at + 36 * 3_600_000;
  const midnight = Date.parse(`${dayIn(zone, noon)}T00:00:00Z`);
  return midnight - offsetAt(zone, midnight - offsetAt(zone, midnight));
}

/** What the clock of a zone is ahead of UTC, ms. */
function offsetAt(zone: string, at: number): number {
  const local = new Intl.DateTimeFormat('sv', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(at);
  return Date.parse(`${local.replace(' ', 'T')}Z`) - Math.floor(at / 1000) * 1000;
}

function shifted(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
}

function noMonth(given: string) {
  return inputError('month-invalid', `"${given}" is no month`, { hint: 'Write it like 2026-11.' });
}
