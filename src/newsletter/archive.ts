/**
 * What has been sent, for everybody to read: as it was sent, without anything personal (W-19). The archive is a set
 * of files; the public pages serve them, the static export writes them.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Email } from '../issue/email.ts';
import type { IssueId } from '../issue/issue.ts';
import type { FeedEntry } from '../render/feed.ts';
import { renderPage } from '../render/page.ts';
import { pictureUrls } from '../render/picture.ts';
import { loadTemplates } from '../render/templates.ts';
import { issuePage, type Surroundings } from '../render/web.ts';
import { type Language, languageOf } from '../render/words.ts';
import { keepAsset, readAsset } from './assets.ts';
import { compose } from './compose.ts';
import { writeAtomically } from './files.ts';
import type { Newsletter } from './newsletter.ts';
import { type SentIssue, sentIssues } from './sent-issues.ts';

export interface ArchiveFile {
  bytes: Buffer;
  type: string;
  /** ms. */
  changedAt: number;
}

/** Entries of a feed: what readers who were away for some months want. */
const FEED_LENGTH = 20;

/** Another word whenever the archive has changed. */
export function archiveVersion(sent: readonly SentIssue[]): string {
  return sent.map(({ edition }) => edition).join();
}

/** Path of an issue's page within the public site, as mails link to it. */
export function issuePath(issue: string): string {
  return `/issues/${issue}`;
}

/** Every path of the archive, without the pictures. */
export function archivePaths(sent: readonly SentIssue[]): string[] {
  const issues = sent.map(({ issue }) => issuePath(issue));
  return ['/', '/feed.xml', '/feed.json', '/sitemap.xml'].concat(
    issues.flatMap((path) => [path, `${path}/card.png`]),
  );
}

/**
 * One file of the archive.
 * @param path such as `/`, `/feed.xml`, `/issues/2023-09-w3`, `/issues/2023-09-w3/card.png`
 * @param language of the words around the list of issues
 * @returns null where there is no such file
 */
export async function archiveFile(
  newsletter: Newsletter,
  sent: readonly SentIssue[],
  path: string,
  language: Language = languageOf(newsletter.settings.language),
): Promise<ArchiveFile | null> {
  const changedAt = Math.max(0, ...sent.map((one) => one.changedAt));
  const file = (text: string, type: string) => ({ bytes: Buffer.from(text), type, changedAt });
  if (path === '/') return file(index(newsletter, sent, language), 'text/html; charset=utf-8');
  if (path === '/sitemap.xml') return file(sitemap(newsletter, sent), 'application/xml');
  if (path === '/feed.xml' || path === '/feed.json') {
    const { atomFeed, jsonFeed } = await import('../render/feed.ts');
    const feed = await feedOf(newsletter, sent);
    return path === '/feed.xml'
      ? file(atomFeed(feed), 'application/atom+xml; charset=utf-8')
      : file(jsonFeed(feed), 'application/feed+json; charset=utf-8');
  }
  const [, id, card] = /^\/issues\/([^/]+)(\/card\.png)?$/.exec(path) ?? [];
  const at = sent.findIndex(({ issue }) => issue === id);
  if (at < 0) return null;
  return card ? cardOf(newsletter, sent[at] as SentIssue) : pageOf(newsletter, sent, at);
}

/** Writes the whole archive for any web host. Run again with nothing new, it writes the same bytes. @returns paths */
export async function exportArchive(newsletter: Newsletter, out: string): Promise<string[]> {
  const sent = await sentIssues(newsletter);
  const written: string[] = [];
  const write = (path: string, bytes: Buffer | string) => {
    written.push(resolve(out, path));
    writeAtomically(resolve(out, path), bytes);
  };
  for (const path of archivePaths(sent)) {
    const file = await archiveFile(newsletter, sent, path);
    if (file) write(staticPath(path), file.bytes);
  }
  for (const name of await assetNames(newsletter, sent)) {
    const asset = readAsset(newsletter, name);
    if (asset) write(`assets/${name}`, asset.bytes);
  }
  write('page.css', readFileSync(join(newsletter.dir, 'templates/pages/page.css')));
  write('404.html', notFound(newsletter));
  return written;
}

/** Web hosts give `x/index.html` to whoever asks for `x` or `x/`. */
function staticPath(path: string): string {
  const relative = path.slice(1);
  if (/\.\w+$/.test(relative)) return relative;
  return relative ? `${relative}/index.html` : 'index.html';
}

async function assetNames(newsletter: Newsletter, sent: readonly SentIssue[]): Promise<string[]> {
  const names = new Set<string>();
  for (const { edition } of sent)
    for (const url of pictureUrls((await emailOf(newsletter, edition)).html))
      names.add(basename(url));
  return [...names].sort();
}

function index(newsletter: Newsletter, sent: readonly SentIssue[], language: Language): string {
  const issues = sent.map(({ issue, title, sentAt }) => ({
    title,
    path: issuePath(issue),
    day: dayOf(newsletter, sentAt),
  }));
  return renderPage(
    templatesOf(newsletter),
    'home',
    { ...common(newsletter), issues, open: newsletter.settings.site.subscribe.open },
    language,
  );
}

function notFound(newsletter: Newsletter): string {
  const language = languageOf(newsletter.settings.language);
  return renderPage(templatesOf(newsletter), 'not-found', common(newsletter), language);
}

async function pageOf(
  newsletter: Newsletter,
  sent: readonly SentIssue[],
  at: number,
): Promise<ArchiveFile> {
  const { issue, sentAt, changedAt, edition } = sent[at] as SentIssue;
  const around = surroundings(newsletter, issue, sentAt, [sent[at + 1], sent[at - 1]]);
  const html = issuePage(await emailOf(newsletter, edition), around, templatesOf(newsletter));
  const newest = Math.max(changedAt, sent[at - 1]?.sentAt ?? 0);
  return { bytes: Buffer.from(html), type: 'text/html; charset=utf-8', changedAt: newest };
}

/** The page that an issue as it stands would have, were it sent now. @throws as `compose` */
export async function pageInMaking(newsletter: Newsletter, id: IssueId): Promise<string> {
  const now = newsletter.clock();
  const { email } = await compose(newsletter, id, now);
  const [previous] = (await sentIssues(newsletter)).filter(({ issue }) => issue !== id);
  const around = surroundings(newsletter, id, now, [previous, undefined]);
  return issuePage(email, around, templatesOf(newsletter));
}

function surroundings(
  newsletter: Newsletter,
  issue: IssueId,
  sentAt: number,
  [previous, next]: [SentIssue | undefined, SentIssue | undefined],
): Surroundings {
  const { name, base } = common(newsletter);
  const pathTo = (other: SentIssue | undefined) => (other ? base + issuePath(other.issue) : '');
  return {
    name,
    base,
    url: publicUrl(newsletter, issuePath(issue)),
    card: publicUrl(newsletter, `${issuePath(issue)}/card.png`),
    published: new Date(sentAt).toISOString(),
    previous: pathTo(previous),
    next: pathTo(next),
  };
}

async function cardOf(newsletter: Newsletter, sent: SentIssue): Promise<ArchiveFile | null> {
  const { cardSvg, drawCard } = await import('../render/card.ts');
  const { preheader, language } = await emailOf(newsletter, sent.edition);
  const svg = await cardSvg({
    name: newsletter.settings.name,
    title: sent.title,
    preheader,
    language,
    sentAt: sent.sentAt,
    zone: zoneOf(newsletter),
  });
  const source = createHash('sha256').update(svg).digest('hex');
  const { name } = await keepAsset<never>(newsletter, source, () => drawCard(svg));
  const asset = readAsset(newsletter, name);
  return asset && { ...asset, changedAt: sent.changedAt };
}

async function feedOf(newsletter: Newsletter, sent: readonly SentIssue[]) {
  const { settings } = newsletter;
  const entries: FeedEntry[] = [];
  for (const { issue, sentAt, changedAt, edition } of sent.slice(0, FEED_LENGTH)) {
    const url = publicUrl(newsletter, issuePath(issue));
    const email = await emailOf(newsletter, edition);
    entries.push({ issue, url, card: `${url}/card.png`, email, sentAt, changedAt });
  }
  return {
    listId: settings.listId,
    name: settings.name,
    language: settings.language,
    author: settings.sender.name,
    home: publicUrl(newsletter, '/'),
    entries,
  };
}

function sitemap(newsletter: Newsletter, sent: readonly SentIssue[]): string {
  const newest = Math.max(0, ...sent.map(({ sentAt }) => sentAt));
  const pages: [string, number][] = [
    ['/', newest],
    ...sent.map(({ issue, changedAt }): [string, number] => [issuePath(issue), changedAt]),
  ];
  const urls = pages.map(([path, at]) => {
    const address = publicUrl(newsletter, path).replaceAll('&', '&amp;');
    return `<url><loc>${address}</loc><lastmod>${new Date(at).toISOString()}</lastmod></url>\n`;
  });
  return `<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${urls.join('')}</urlset>\n`;
}

async function emailOf({ db }: Newsletter, edition: number): Promise<Email> {
  const { email } = await db
    .selectFrom('editions')
    .select('email')
    .where('id', '=', edition)
    .executeTakeFirstOrThrow();
  return JSON.parse(email) as Email;
}

function templatesOf({ dir, settings }: Newsletter) {
  return loadTemplates(dir, settings.template);
}

function common({ settings }: Newsletter) {
  return { name: settings.name, base: new URL(settings.site.url).pathname.replace(/\/$/, '') };
}

function publicUrl({ settings }: Newsletter, path: string): string {
  return settings.site.url.replace(/\/$/, '') + path;
}

function zoneOf({ settings }: Newsletter): string {
  return settings.schedule?.zone ?? 'UTC';
}

/** `YYYY-MM-DD` where the newsletter is at home. */
function dayOf(newsletter: Newsletter, at: number): string {
  return new Intl.DateTimeFormat('sv', { timeZone: zoneOf(newsletter) }).format(at);
}
