/**
 * Clicks, counted by link and day and never by reader; only where the settings say `clicks: aggregate`. A mail's
 * links then lead to `/r/ISSUE/N`, the same for everybody, and N leads on to what was written down when it was sent.
 */
import type { Kysely } from 'kysely';
import { PROVIDER_GROUPS } from '../audience/address.ts';
import type { IssueId } from '../issue/issue.ts';
import type { Database } from '../store/schema.ts';
import type { Newsletter } from './newsletter.ts';

export interface Target {
  n: number;
  url: string;
}

export interface ClickedLink extends Target {
  count: number;
}

/** A request for a link, as far as it matters here. */
export interface Click {
  issue: string;
  /** As it stands in the address. */
  n: string;
  method: string;
  userAgent: string;
}

/** So long after a mail was handed over, scanners look at its links, ms. */
const SCANNED = 60_000;

/** What calls itself a program, or nothing at all; mail gateways and previews among them. */
const PROGRAM =
  /^$|bot\b|crawl|spider|slurp|scan|preview|monitor|proxy|prefetch|headless|curl|wget|python|java\/|go-http|libwww|okhttp|axios|node|facebookexternalhit|whatsapp|telegram|slack|discord|barracuda|proofpoint|mimecast|safelinks|symantec|trendmicro|fireeye/i;

/** The numbers of an issue's links. One that was given stays; what is new comes after. */
export async function numbered(
  { db, settings }: Pick<Newsletter, 'db' | 'settings'>,
  issue: IssueId,
  urls: readonly string[],
): Promise<Target[]> {
  const known = await targetsOf(db, settings.slug, issue);
  const fresh = urls.filter((url) => !known.some((target) => target.url === url));
  const last = known.at(-1)?.n ?? 0;
  return [...known, ...fresh.map((url, at) => ({ n: last + at + 1, url }))];
}

/** Writes the numbers down for good, before any mail with them goes out. */
export async function keepTargets(
  { db, settings }: Pick<Newsletter, 'db' | 'settings'>,
  issue: IssueId,
  targets: readonly Target[],
): Promise<void> {
  if (targets.length === 0) return;
  await db
    .insertInto('targets')
    .values(targets.map(({ n, url }) => ({ newsletter: settings.slug, issue, n, url })))
    .onConflict((conflict) => conflict.columns(['newsletter', 'issue', 'n']).doNothing())
    .execute();
}

/** Where a link leads, and counts it where a person seems to have followed it. @returns null: there is no such link */
export async function follow(newsletter: Newsletter, click: Click): Promise<string | null> {
  const { db, settings } = newsletter;
  if (!/^[1-9]\d{0,4}$/.test(click.n)) return null;
  const target = await db
    .selectFrom('targets')
    .select(['n', 'url'])
    .where('newsletter', '=', settings.slug)
    .where('issue', '=', click.issue)
    .where('n', '=', Number(click.n))
    .executeTakeFirst();
  if (!target) return null;
  if (await counts(newsletter, click)) await count(newsletter, click.issue, target.n);
  return target.url;
}

async function counts(newsletter: Newsletter, click: Click): Promise<boolean> {
  if (newsletter.settings.clicks === 'off') return false;
  if (click.method !== 'GET' || PROGRAM.test(click.userAgent.trim())) return false;
  return !(await isBeingDelivered(newsletter, click.issue));
}

/**
 * Whether a mail of the issue was handed over within the last minute. Whose click it is, and so whose mail, is not
 * known: the latest mail to any provider group counts. Within a group mails go out in the order of the index.
 */
async function isBeingDelivered(newsletter: Newsletter, issue: string): Promise<boolean> {
  const { db, settings, clock } = newsletter;
  const campaigns = await db
    .selectFrom('campaigns')
    .select('id')
    .where('newsletter', '=', settings.slug)
    .where('issue', '=', issue)
    .where('state', '<>', 'cancelled')
    .execute();
  for (const { id } of campaigns)
    for (const provider of PROVIDER_GROUPS) {
      const last = await db
        .selectFrom('deliveries')
        .select('settled_at')
        .where('campaign_id', '=', id)
        .where('state', '=', 'accepted')
        .where('provider', '=', provider)
        .orderBy('not_before', 'desc')
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst();
      if (Number(last?.settled_at ?? 0) > clock() - SCANNED) return true;
    }
  return false;
}

async function count({ db, settings, clock }: Newsletter, issue: string, n: number): Promise<void> {
  const zone = settings.schedule?.zone ?? 'UTC';
  const day = new Intl.DateTimeFormat('sv', { timeZone: zone }).format(clock());
  await db
    .insertInto('clicks')
    .values({ newsletter: settings.slug, issue, n, day, count: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['newsletter', 'issue', 'n', 'day'])
        .doUpdateSet(({ eb }) => ({ count: eb('clicks.count', '+', 1) })),
    )
    .execute();
}

/** The links of an issue that were followed, most often first. */
export async function clickedLinks(
  { db, settings }: Pick<Newsletter, 'db' | 'settings'>,
  issue: string,
): Promise<ClickedLink[]> {
  const rows = await db
    .selectFrom('clicks')
    .innerJoin('targets', (join) =>
      join
        .onRef('targets.newsletter', '=', 'clicks.newsletter')
        .onRef('targets.issue', '=', 'clicks.issue')
        .onRef('targets.n', '=', 'clicks.n'),
    )
    .select(({ fn }) => ['targets.n', 'targets.url', fn.sum<number>('clicks.count').as('count')])
    .where('clicks.newsletter', '=', settings.slug)
    .where('clicks.issue', '=', issue)
    .groupBy(['targets.n', 'targets.url'])
    .orderBy('count', 'desc')
    .orderBy('targets.n')
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

function targetsOf(db: Kysely<Database>, newsletter: string, issue: string): Promise<Target[]> {
  return db
    .selectFrom('targets')
    .select(['n', 'url'])
    .where('newsletter', '=', newsletter)
    .where('issue', '=', issue)
    .orderBy('n')
    .execute();
}
