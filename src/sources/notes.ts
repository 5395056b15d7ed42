/** An editor's own notes, in Markdown or YAML, with links. */
import { LineCounter, parseDocument } from 'yaml';
import { inputError } from '../errors.ts';
import type { Link } from '../issue/issue.ts';
import type { GivenItem } from './entries.ts';

const INLINE =
  /(!?)\[([^\]]*)\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|<(https?:\/\/[^>\s]+)>|(https?:\/\/[^\s<>()，。；、）]+)/g;

/**
 * Markdown: every second- or third-level heading is an item; without headings every bullet; without
 * bullets every paragraph.
 */
export function readMarkdownNotes(text: string): GivenItem[] {
  const body = text.replace(/^---\n[\s\S]*?\n---\n/, '').replace(/<!--[\s\S]*?-->/g, '');
  const parts = partsOf(body);
  return parts.map(({ title, lines }) => {
    const links: Link[] = [];
    const words = (line: string) => withoutMarks(line, links);
    const heading = words(title);
    return { title: heading, body: lines.map(words).filter(Boolean).join('\n'), links };
  });
}

interface Part {
  title: string;
  lines: string[];
}

function partsOf(text: string): Part[] {
  const lines = text.split(/\r\n|\n|\r/);
  const heads: [RegExp, RegExp][] = [
    [/^#{2,6}\s+(.*?)\s*(?:\{[^}]*\})?\s*#*$/, /^#\s/],
    [/^[-*+]\s+(.*)$/, /^$/],
  ];
  for (const [head, skip] of heads) {
    if (!lines.some((line) => head.test(line))) continue;
    const parts: Part[] = [];
    for (const line of lines) {
      const title = head.exec(line)?.[1];
      if (title !== undefined) parts.push({ title, lines: [] });
      else if (!skip.test(line)) parts.at(-1)?.lines.push(line.trim());
    }
    return parts.filter(({ title }) => title.trim() !== '');
  }
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter(Boolean)
    .map((paragraph) => {
      const [title = '', ...rest] = paragraph.split('\n');
      return { title, lines: rest };
    });
}

/** The words of a line of Markdown; its links go into the list. */
function withoutMarks(line: string, links: Link[]): string {
  return line
    .replace(
      INLINE,
      (_, image: string, text: string, target: string, angled: string, bare: string) => {
        const url = target ?? angled ?? bare;
        if (image) return '';
        if (/^https?:\/\//i.test(url)) links.push({ text: text?.trim() || url, url });
        return text ?? '';
      },
    )
    .replace(/^\s*(?:[-*+>]|\d+[.)])\s+/, '')
    .replace(/[*_`]{1,3}(\S(?:.*?\S)?)[*_`]{1,3}/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * YAML: a list of items, or `items:` with one; each a text, or `title` with `text`, `link` or `links`.
 * @throws BroadsheetError input, with its line
 */
export function readYamlNotes(text: string, name: string): GivenItem[] {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true });
  const [error] = document.errors;
  if (error) {
    const { line, col } = counter.linePos(error.pos[0]);
    const message = error.message.split('\n')[0] ?? '';
    throw inputError('notes-yaml', message, { file: name, line, column: col });
  }
  const value = toPlain(document, name);
  const list = Array.isArray(value) ? value : (value as { items?: unknown } | null)?.items;
  if (!Array.isArray(list)) throw shape(name, 'There is no list of items in it');
  return list.map((entry, index) => noteOf(entry, index, name));
}

/** Aliases that multiply are refused by the library. */
function toPlain(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw shape(name, (error as Error).message);
  }
}

function noteOf(entry: unknown, index: number, name: string): GivenItem {
  if (typeof entry === 'string') return { title: entry.trim(), body: '', links: [] };
  const { title, headline, text, body, summary, link, url, links } = (entry ?? {}) as Record<
    string,
    unknown
  >;
  const head = title ?? headline;
  const words = text ?? body ?? summary ?? '';
  if (typeof head !== 'string' || typeof words !== 'string')
    throw shape(name, `Item ${index + 1} has no title, or a text that is none`);
  const given = [link, url, ...(Array.isArray(links) ? links : [])].flatMap((found) =>
    linkOf(found, head),
  );
  return { title: head.trim(), body: words.trim(), links: given };
}

function linkOf(found: unknown, title: string): Link[] {
  const { url, text = title } = (typeof found === 'string' ? { url: found } : (found ?? {})) as {
    url?: unknown;
    text?: string;
  };
  return typeof url === 'string' && /^https?:\/\//i.test(url) ? [{ text, url }] : [];
}

function shape(name: string, message: string) {
  return inputError('notes-shape', message, {
    file: name,
    hint: 'Write: - { title: "…", text: "…", link: "https://…" }',
  });
}
