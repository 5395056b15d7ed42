/** What has been sent as Atom (RFC 4287) and JSON Feed 1.1: with full text and nothing personal (W-19). */
import { createHash } from 'node:crypto';
import { generateAtomFeed, generateJsonFeed } from 'feedsmith';
import { parse, serialize, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import type { Email } from '../issue/email.ts';
import { neutralise } from './web.ts';

export interface FeedEntry {
  /** Id of the issue. */
  issue: string;
  /** Where it can be read, in full. */
  url: string;
  card: string;
  email: Email;
  /** ms. */
  sentAt: number;
  changedAt: number;
}

export interface Feed {
  /** Identity of the newsletter for all times: its List-ID. */
  listId: string;
  name: string;
  /** BCP 47. */
  language: string;
  /** Who sends it. */
  author: string;
  /** The public site with a slash at its end. */
  home: string;
  /** Newest first. */
  entries: FeedEntry[];
}

/** An Atom document, each entry in its own language. */
export function atomFeed(feed: Feed): string {
  const { listId, name, language, author, home, entries } = feed;
  return generateAtomFeed({
    xml: { lang: language },
    id: idOf(listId),
    title: { value: name },
    updated: new Date(Math.max(0, ...entries.map(({ changedAt }) => changedAt))),
    authors: [{ name: author }],
    links: [
      { href: `${home}feed.xml`, rel: 'self', type: 'application/atom+xml' },
      { href: home, rel: 'alternate', type: 'text/html' },
    ],
    entries: entries.map(({ issue, url, email, sentAt, changedAt }) => ({
      xml: { lang: email.language },
      id: idOf(listId, issue),
      title: { value: email.subject },
      summary: { value: email.preheader },
      links: [{ href: url, rel: 'alternate', type: 'text/html' }],
      published: new Date(sentAt),
      updated: new Date(changedAt),
      content: { value: feedHtml(email, url), type: 'html' },
    })),
  });
}

/** The same as JSON Feed, as text. */
export function jsonFeed({ listId, name, language, author, home, entries }: Feed): string {
  const feed = generateJsonFeed({
    title: name,
    home_page_url: home,
    feed_url: `${home}feed.json`,
    language,
    authors: [{ name: author }],
    items: entries.map(({ issue, url, card, email, sentAt, changedAt }) => ({
      id: idOf(listId, issue),
      url,
      title: email.subject,
      summary: email.preheader,
      image: card,
      language: email.language,
      date_published: new Date(sentAt),
      date_modified: new Date(changedAt),
      content_html: feedHtml(email, url),
    })),
  });
  return `${JSON.stringify(feed, null, 2)}\n`;
}

/** A UUID of names (RFC 9562, version 8): the same wherever the site moves. */
function idOf(...names: string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(names)).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`;
}

const KEPT = new Set(
  'p br hr strong b em i s del u sub sup mark code pre blockquote ul ol li table thead tbody tr th td h1 h2 h3 h4 h5 h6 a img'.split(
    ' ',
  ),
);
const KEPT_ATTRIBUTES = new Set([
  'href',
  'src',
  'alt',
  'title',
  'width',
  'height',
  'start',
  'scope',
]);
/** Neither they nor what stands in them. */
const SILENT = new Set(['head', 'style', 'script', 'title']);
const TABLE_PARTS = new Set(['table', 'thead', 'tbody', 'tr', 'th', 'td']);

/**
 * The text of a mail for a feed reader, which has looks of its own: without masthead, contents and footer
 * (`data-frame`), layout and styles. Links within the page lead to the web version.
 */
export function feedHtml({ html }: Pick<Email, 'html'>, url: string): string {
  const document = parse(html);
  neutralise(document);
  document.childNodes = document.childNodes.flatMap((node) => textOf(node, url, true));
  return serialize(document)
    .replace(/\n\s*\n+/g, '\n')
    .trim();
}

/** @param layout the nearest table around it only sets the page */
function textOf(node: Tree.ChildNode, url: string, layout: boolean): Tree.ChildNode[] {
  if (node.nodeName === '#text') return [node];
  if (!('tagName' in node) || SILENT.has(node.tagName)) return [];
  const has = (name: string, value?: string) =>
    node.attrs.some((attr) => attr.name === name && (value ?? attr.value) === attr.value);
  if (has('data-frame')) return [];
  const inLayout = node.tagName === 'table' ? has('role', 'presentation') : layout;
  const children = node.childNodes.flatMap((child) => textOf(child, url, inLayout));
  const isKept = KEPT.has(node.tagName) && !(inLayout && TABLE_PARTS.has(node.tagName));
  if (!isKept) return children;
  node.attrs = node.attrs.filter(({ name }) => KEPT_ATTRIBUTES.has(name));
  for (const attr of node.attrs)
    if (attr.name === 'href' && /^(#|$)/.test(attr.value)) attr.value = url + attr.value;
  node.childNodes = children;
  return [node];
}
