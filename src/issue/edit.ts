/** Edits of the issue file that change one span and leave every other byte alone. */
import { formatApproval, formatItem, formatSectionHeading } from './format.ts';
import type { Approval, Issue, Item, Link } from './issue.ts';
import { formatSourceLine } from './source-line.ts';

/** Puts the approval into the head, replaces it, or with null takes it out. Line endings stay as they are. */
export function setApproval(text: string, approval: Approval | null): string {
  const head = /^(\uFEFF?---[ \t]*\r?\n)([\s\S]*?)(^---[ \t]*(?:\r?\n|$))/m.exec(text);
  if (!head) return text;
  const [, open = '', fields = '', close = ''] = head;
  const eol = open.endsWith('\r\n') ? '\r\n' : '\n';
  const others = fields.replace(/^approved:.*(?:\r?\n|$)/gm, '');
  const line = approval ? `approved: ${formatApproval(approval)}${eol}` : '';
  return open + others + line + close + text.slice(head[0].length);
}

/** The text that an approval stands for: all of it but the approval itself. */
export function withoutApproval(text: string): string {
  return setApproval(text, null);
}

/**
 * Puts an item at the end of its section, or of the issue where there is no such section yet.
 * @param issue the text as it was read
 */
export function addItem(
  text: string,
  issue: Issue,
  section: { id: string; name: string },
  item: Item,
): string {
  const at = issue.sections.findIndex(({ id }) => id === section.id);
  const heading = at < 0 ? [formatSectionHeading({ ...section, held: false, ad: false })] : [];
  const next = at < 0 ? undefined : issue.sections[at + 1];
  return insertBefore(text, next?.line, [...heading, ...formatItem(item)]);
}

/** Puts links at the end of an item's source line, or makes one. @param issue the text as it was read */
export function addLinks(text: string, issue: Issue, id: string, links: readonly Link[]): string {
  const items = issue.sections.flatMap((section) => section.items);
  const item = items.find((each) => each.id === id);
  if (!item) return text;
  const starts = [...items, ...issue.sections]
    .map(({ line }) => line)
    .filter((line) => line > item.line);
  const next = starts.length > 0 ? Math.min(...starts) : undefined;
  const line = formatSourceLine(links);
  return item.links.length > 0
    ? appendBefore(text, next, ` · ${line}`)
    : insertBefore(text, next, [line]);
}

/** Paragraphs before a line (from 1), or at the end, with blank lines around them. */
function insertBefore(text: string, line: number | undefined, paragraphs: string[]): string {
  const { head, tail, eol } = splitAt(text, line);
  const added = paragraphs.join('\n\n').replaceAll('\n', eol);
  return `${head}${eol}${eol}${added}${eol}${tail ? eol + tail : ''}`;
}

/** Words at the end of the last line that says anything before a line, or before the end. */
function appendBefore(text: string, line: number | undefined, words: string): string {
  const { head, tail, eol } = splitAt(text, line);
  return `${head}${words}${eol}${tail ? eol + tail : ''}`;
}

function splitAt(text: string, line: number | undefined) {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(eol);
  const at = line === undefined ? lines.length : line - 1;
  return {
    head: lines.slice(0, at).join(eol).trimEnd(),
    tail: lines.slice(at).join(eol),
    eol,
  };
}

/** Puts other words in place of a span (UTF-16 offsets), and leaves every other byte alone. */
export function replaceSpan(
  text: string,
  { start, end }: { start: number; end: number },
  words: string,
): string {
  return text.slice(0, start) + words + text.slice(end);
}

/**
 * The span that goes when a `<!-- check: … -->` mark is settled: the mark, and the space before it or, where it is
 * a paragraph of its own, the blank line after it.
 */
export function spanOfMark(
  text: string,
  { start, end }: { start: number; end: number },
): { start: number; end: number } {
  const before = /[ \t]*$/.exec(text.slice(0, start))?.[0].length ?? 0;
  const opensLine = start - before === 0 || /[\r\n]/.test(text[start - before - 1] ?? '');
  if (!opensLine) return { start: start - before, end };
  const after = /^[ \t]*(\r?\n[ \t]*)*/.exec(text.slice(end))?.[0].length ?? 0;
  return { start: start - before, end: end + after };
}
