/** Items that a source gives itself, laid out as one text. */
import type { Link } from '../issue/issue.ts';
import type { Entry } from '../issue/source.ts';

export interface GivenItem {
  title: string;
  /** Plain text; paragraphs stand on lines of their own. */
  body: string;
  links: Link[];
}

/** Title and body of each item, blank lines between; the entries cover the text. */
export function layOut(items: readonly GivenItem[]): { text: string; entries: Entry[] } {
  const entries: Entry[] = [];
  let text = '';
  for (const { title, body, links } of items) {
    if (!title && !body) continue;
    const start = text.length;
    text += `${[sentence(title), body].filter(Boolean).join('\n')}\n\n`;
    entries.push({ start, end: text.length, title, links: distinct(links) });
  }
  return { text, entries };
}

/** A title is read on its own, so it ends like a sentence. */
function sentence(title: string): string {
  if (title === '' || /[。！？!?….][”」』)）]*$/u.test(title)) return title;
  return `${title}${/\p{Script=Han}/u.test(title) ? '。' : '.'}`;
}

function distinct(links: readonly Link[]): Link[] {
  return [...new Map(links.map((link) => [link.url, link])).values()];
}
