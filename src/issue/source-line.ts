/** The source line of an item: a last paragraph that holds nothing but links. */
import type { Link } from './issue.ts';
import { isAllowedUrl } from './markdown.ts';

/** `[text](url)`, `[text](<url>)`, `<url>` or a bare https address. */
const LINK =
  /\[((?:[^\]\\]|\\.)*)\]\((?:<([^<>\s]+)>|([^\s()<>]+))\)|<((?:https?:\/\/|mailto:)[^<>\s]+)>|(https?:\/\/[^\s<>()，。；、]+)/y;
const BETWEEN = /[\s·|,，、;；]*/y;

/** Divides an item's Markdown into its body and the links of its source line. */
export function splitSourceLine(markdown: string): { body: string; links: Link[] } {
  const cut = markdown.search(/\n[ \t]*\n(?![\s\S]*\n[ \t]*\n)/);
  const last = markdown.slice(cut + 1).trim();
  const links = readLinks(last);
  if (!links) return { body: markdown, links: [] };
  return { body: cut === -1 ? '' : markdown.slice(0, cut).trimEnd(), links };
}

/** The links of a line, or null when it holds anything else. */
function readLinks(line: string): Link[] | null {
  const links: Link[] = [];
  let at = 0;
  while (at < line.length) {
    LINK.lastIndex = at;
    const match = LINK.exec(line);
    if (!match) return null;
    const url = match[2] ?? match[3] ?? match[4] ?? match[5] ?? '';
    if (!isAllowedUrl(url)) return null;
    const text = match[1] === undefined ? url : match[1].replace(/\\([\\[\]*_`<>])/g, '$1');
    links.push({ text, url });
    BETWEEN.lastIndex = LINK.lastIndex;
    BETWEEN.exec(line);
    at = Math.max(BETWEEN.lastIndex, LINK.lastIndex);
  }
  return links.length > 0 ? links : null;
}

/** The line that `splitSourceLine` reads back. */
export function formatSourceLine(links: readonly Link[]): string {
  return links
    .map(({ text, url }) => {
      if (text === url) return `<${url}>`;
      const target = /[()]/.test(url) ? `<${url}>` : url;
      return `[${text.replace(/[\\[\]*_`<>]/g, '\\$&')}](${target})`;
    })
    .join(' · ');
}
