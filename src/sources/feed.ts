/** RSS, Atom and JSON Feed → items with their words and links. */
import { parseFeed } from 'feedsmith';
import { parseFragment } from 'parse5';
import { inputError } from '../errors.ts';
import type { GivenItem } from './entries.ts';

/** Items that one feed may give; a weekly issue is made of the newest. */
const MOST_ITEMS = 200;
/** Words of an item that are read, UTF-16 code units: a feed with whole articles gives their beginning. */
const LONGEST_BODY = 4_000;

/** Whether a JSON value is a JSON Feed. */
export function isJsonFeed(value: unknown): boolean {
  const { version } = (value ?? {}) as { version?: unknown };
  return typeof version === 'string' && version.startsWith('https://jsonfeed.org/version/');
}

/**
 * Reads a feed; the newest items in the order of the feed.
 * @throws BroadsheetError input: a web page, a document with entities of its own, anything else that is no feed
 */
export function readFeed(text: string, name: string): GivenItem[] {
  refuseOthers(text, name);
  const items = parsed(text, name)
    .slice(0, MOST_ITEMS)
    .map(itemOf)
    .filter(({ title, body }) => title || body);
  if (items.length === 0) throw inputError('feed-empty', 'The feed has no items', { file: name });
  return items;
}

function refuseOthers(text: string, name: string): void {
  const head = text.slice(0, 4_096);
  if (/^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)*<(?:!doctype\s+html|html)\b/i.test(head)) {
    const [, feed] =
      /<link\b(?=[^>]*\b(?:rss|atom|feed\+json)\b)[^>]*\bhref=["']?([^"'\s>]+)/i.exec(text) ?? [];
    throw inputError('feed-is-a-page', 'This is a web page, not a feed', {
      file: name,
      hint: feed ? `It names this feed: ${feed}` : 'Look for its RSS or Atom address.',
    });
  }
  // Entities of its own can grow without end or read files (XXE); no feed needs any.
  if (/<!(?:ENTITY|DOCTYPE[^>]*\[)/i.test(text)) {
    throw inputError(
      'feed-with-entities',
      'The feed defines entities of its own, which is not read',
      {
        file: name,
      },
    );
  }
}

interface ParsedItem {
  title?: unknown;
  link?: string;
  url?: string;
  external_url?: string;
  links?: { href?: string; rel?: string }[];
  description?: unknown;
  summary?: unknown;
  content?: unknown;
  content_html?: string;
  content_text?: string;
}

function parsed(text: string, name: string): ParsedItem[] {
  try {
    const { feed } = parseFeed(text) as { feed: { items?: ParsedItem[]; entries?: ParsedItem[] } };
    return feed.items ?? feed.entries ?? [];
  } catch {
    throw inputError('feed-unreadable', 'This is no RSS, Atom or JSON Feed that can be read', {
      file: name,
      hint: 'Open its address in a browser: it should show XML or JSON.',
    });
  }
}

function itemOf(item: ParsedItem): GivenItem {
  const link = item.link ?? item.url ?? item.external_url ?? atomLink(item.links);
  const html =
    item.content_html ??
    wordsOf(item.content) ??
    wordsOf(item.description) ??
    wordsOf(item.summary);
  const body = item.content_text ?? plainText(html ?? '');
  const title = plainText(wordsOf(item.title) ?? '').replace(/\s+/g, ' ');
  const isWeb = link !== undefined && /^https?:\/\//i.test(link);
  return {
    title,
    body: body.slice(0, LONGEST_BODY).trim(),
    links: isWeb ? [{ text: title || link, url: link }] : [],
  };
}

/** Text as it is, or in the object that a namespace makes of it. */
function wordsOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const { encoded, value: inner } = (value ?? {}) as { encoded?: unknown; value?: unknown };
  return [encoded, inner].find((found) => typeof found === 'string') as string | undefined;
}

function atomLink(links: ParsedItem['links'] = []): string | undefined {
  return (links.find(({ rel = 'alternate' }) => rel === 'alternate') ?? links[0])?.href;
}

interface Node {
  nodeName: string;
  value?: string;
  childNodes?: Node[];
}

const BLOCK = /^(?:p|div|br|li|ul|ol|h[1-6]|blockquote|tr|table|section|article|figure|pre|hr)$/;
const SILENT = /^(?:script|style|template|iframe|svg|noscript|figcaption)$/;

/** The words of HTML, blocks on lines of their own. */
export function plainText(html: string): string {
  const write = (node: Node): string => {
    if (node.nodeName === '#text') return node.value ?? '';
    if (SILENT.test(node.nodeName)) return '';
    const inside = (node.childNodes ?? []).map(write).join('');
    return BLOCK.test(node.nodeName) ? `\n${inside}\n` : inside;
  };
  return write(parseFragment(html) as unknown as Node)
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter(Boolean)
    .join('\n');
}
