/** issue.md → Issue. Every mistake in the file is found in one go, each with its place. */
import { BroadsheetError, type Problem } from '../errors.ts';
import { readFrontMatter } from './front-matter.ts';
import { type Heading, readHeading } from './heading.ts';
import { deriveId, type Ids } from './ids.ts';
import type { Issue, Item, Link, Section } from './issue.ts';
import { isAllowedUrl, isPicturePath, referencesOf } from './markdown.ts';
import { splitSourceLine } from './source-line.ts';

export interface ParseContext {
  id: string;
  /** Path for messages. */
  file: string;
  /** Language of an issue that states none, BCP 47. */
  language: string;
  /** Known sections: a heading without id is matched by name. */
  sections: readonly { id: string; name: { zh: string; en: string } }[];
}

/**
 * Reads an issue file.
 * @throws BroadsheetError `issue-invalid` with every mistake
 */
export function parseIssue(text: string, context: ParseContext): Issue {
  const problems: Problem[] = [];
  const report = (message: string, line: number, hint?: string, column?: number) =>
    problems.push({ file: context.file, line, column, message, hint });
  const lines = text
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .split('\n');
  const { head, bodyStart } = readFrontMatter(lines, report);
  const blocks = divide(lines, bodyStart, report);
  const issue = assemble(blocks, context, report);
  if (problems.length > 0) throw new BroadsheetError('input', 'issue-invalid', inOrder(problems));
  return { id: context.id, language: context.language, ...head, ...issue } as Issue;
}

export type Report = (message: string, line: number, hint?: string, column?: number) => void;

/** A heading (none before the first) and the text under it. */
interface Block {
  heading: Heading | null;
  /** Line of the heading, or where the body begins; from 1. */
  line: number;
  /** Without blank lines at its ends. */
  text: string;
  /** Line on which `text` begins, from 1. */
  textLine: number;
}

export interface CheckMark {
  /** What there is to check. */
  text: string;
  /** From 1. */
  line: number;
  column: number;
}

/** The `<!-- check: … -->` marks that an editor has not settled yet. */
export function findChecks(text: string): CheckMark[] {
  return [...text.matchAll(/<!--\s*check\b[:：]?\s*([\s\S]*?)\s*-->/gi)].map((match) => {
    const before = text.slice(0, match.index).split(/\r\n?|\n/);
    return {
      text: match[1] || 'this place',
      line: before.length,
      column: (before.at(-1) ?? '').length + 1,
    };
  });
}

function divide(lines: string[], start: number, report: Report): Block[] {
  const blocks: Block[] = [];
  let block = { heading: null as Heading | null, line: start + 1, from: start };
  let fence = '';
  const close = (end: number) => blocks.push({ ...block, ...trimmed(lines, block.from, end) });
  for (let at = start; at < lines.length; at += 1) {
    const line = lines[at] as string;
    fence = fenceAfter(fence, line);
    if (fence) continue;
    const heading = readHeading(line, at + 1, report);
    if (!heading) continue;
    close(at);
    block = { heading, line: at + 1, from: at + 1 };
  }
  close(lines.length);
  return blocks;
}

/** The fence that is open after a line; lines in it are code, whatever they look like. */
function fenceAfter(open: string, line: string): string {
  const fence = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
  if (!fence) return open;
  const [, marks = '', rest = ''] = fence;
  if (!open) return marks.startsWith('`') && rest.includes('`') ? '' : marks;
  const closes = marks.startsWith(open) && rest.trim() === '';
  return closes ? '' : open;
}

function trimmed(lines: string[], from: number, to: number): { text: string; textLine: number } {
  let start = from;
  let end = to;
  while (start < end && !lines[start]?.trim()) start += 1;
  while (end > start && !lines[end - 1]?.trim()) end -= 1;
  return { text: lines.slice(start, end).join('\n'), textLine: start + 1 };
}

function assemble(blocks: Block[], context: ParseContext, report: Report) {
  const ids: Ids = { items: new Map(), sections: new Map() };
  reserveWritten(blocks, ids, report);
  const [opening, ...rest] = blocks as [Block, ...Block[]];
  checkReferences(opening, report);
  const sections: Section[] = [];
  for (const block of rest) {
    checkReferences(block, report);
    if (block.heading?.level === 2) {
      sections.push(section(block, sections.length, context, ids));
    } else {
      if (sections.length === 0) sections.push(nameless(block, ids));
      const items = sections.at(-1)?.items as Item[];
      const count = sections.reduce((sum, { items }) => sum + items.length, 0);
      items.push(item(block, count, ids));
    }
  }
  return { opening: opening.text, sections };
}

/** Written ids come first: a derived one makes way for them. */
function reserveWritten(blocks: Block[], ids: Ids, report: Report): void {
  for (const { heading, line } of blocks) {
    if (!heading?.id) continue;
    const taken = heading.level === 2 ? ids.sections : ids.items;
    const first = taken.get(heading.id);
    if (first !== undefined) {
      report(
        `The id "${heading.id}" is used twice; first on line ${first}`,
        line,
        'Give one of them another id.',
      );
    } else {
      taken.set(heading.id, line);
    }
  }
}

function section(block: Block, index: number, context: ParseContext, ids: Ids): Section {
  const { id, text, classes } = block.heading as Heading;
  const known = context.sections.find(
    ({ name }) => sameName(name.zh, text) || sameName(name.en, text),
  );
  return {
    id: id ?? deriveId(known?.id ?? text, `section-${index + 1}`, ids.sections, block.line),
    name: text,
    held: classes.includes('held'),
    ad: classes.includes('ad'),
    prose: block.text,
    items: [],
    line: block.line,
  };
}

function nameless(block: Block, ids: Ids): Section {
  const id = deriveId('front', 'front', ids.sections, block.line);
  return { id, name: '', held: false, ad: false, prose: '', items: [], line: block.line };
}

function item(block: Block, index: number, ids: Ids): Item {
  const { id, text, classes } = block.heading as Heading;
  const { body, links } = splitSourceLine(block.text);
  return {
    id: id ?? deriveId(text, `item-${index + 1}`, ids.items, block.line),
    headline: text,
    lead: classes.includes('lead'),
    held: classes.includes('held'),
    ad: classes.includes('ad'),
    body,
    links: links as Link[],
    line: block.line,
  };
}

function checkReferences(block: Block, report: Report): void {
  for (const { kind, url, line } of referencesOf(block.text)) {
    const at = block.textLine + line - 1;
    if (kind === 'image' && isPicturePath(url)) {
      if (!leavesFolder(url)) continue;
      report(
        `The picture "${url}" lies outside the issue's folder`,
        at,
        'Copy it into the folder, beside issue.md, and write its name alone.',
      );
    } else if (!isAllowedUrl(url)) {
      report(
        `"${url}" is no address that works in a mail`,
        at,
        'Write it in full, beginning with https://',
      );
    } else if (kind === 'image' && !url.startsWith('https:')) {
      report(
        `The picture "${url}" is not on https:`,
        at,
        'Most mail clients show only pictures on https.',
      );
    }
  }
}

/** `../x.png`, however it is written. */
function leavesFolder(path: string): boolean {
  return path.split(/\/|%2f|%5c/i).some((part) => /^(\.|%2e)+$/i.test(part));
}

function sameName(name: string, text: string): boolean {
  return name.trim().toLowerCase() === text.trim().toLowerCase();
}

function inOrder(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
