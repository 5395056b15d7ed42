/**
 * Style sheets and style attributes, read as strictly as Gmail does: it drops a whole sheet for one
 * mistake (H-05). Small on purpose: blocks, declarations and where they are broken; values stay text.
 */

export interface Declaration {
  property: string;
  value: string;
  important: boolean;
}

/** `.small { … }` or `@media … { … }`. */
export interface Block {
  /** Selectors or at-rule, as written. */
  prelude: string;
  declarations: Declaration[];
  blocks: Block[];
  /** Offset in the sheet, UTF-16. */
  start: number;
}

export interface CssProblem {
  message: string;
  /** Offset in the sheet, UTF-16. */
  at: number;
}

export interface Sheet {
  blocks: Block[];
  /** At-rules without a block, such as `@import url(…)`. */
  statements: string[];
  problems: CssProblem[];
}

/** A rule with everything that has to hold for it. */
export interface StyleRule {
  selectors: string[];
  declarations: Declaration[];
  /** At-rules that it stands in, outermost first: `@media (min-width: 480px)`. */
  conditions: string[];
}

/** Reads a sheet; what is broken is named and skipped. */
export function parseSheet(css: string): Sheet {
  const reader = { css: blankComments(css), at: 0, problems: [] as CssProblem[] };
  const sheet: Sheet = { blocks: [], statements: [], problems: reader.problems };
  const unclosed = /\/\*(?![\s\S]*\*\/)/.exec(css);
  if (unclosed) reader.problems.push({ message: 'A comment is not closed', at: unclosed.index });
  readBody(reader, sheet.blocks, [], sheet.statements, -1);
  return sheet;
}

/** The declarations of a style attribute. */
export function parseDeclarations(style: string): Declaration[] {
  const reader = { css: blankComments(style), at: 0, problems: [] };
  const declarations: Declaration[] = [];
  readBody(reader, [], declarations, [], -1);
  return declarations;
}

/** Rules in order, those in at-rules with their conditions. */
export function rulesOf({ blocks }: Pick<Sheet, 'blocks'>, conditions: string[] = []): StyleRule[] {
  return blocks.flatMap((block) => {
    if (block.prelude.startsWith('@'))
      return rulesOf(block, [...conditions, block.prelude.replace(/\s+/g, ' ')]);
    const selectors = splitOutside(block.prelude, ',').map((selector) => selector.trim());
    return [{ selectors, declarations: block.declarations, conditions }];
  });
}

export function formatDeclarations(declarations: readonly Declaration[]): string {
  return declarations
    .map(
      ({ property, value, important }) => `${property}:${value}${important ? ' !important' : ''}`,
    )
    .join(';');
}

/** The sheet that `parseSheet` read, without its mistakes. */
export function formatSheet({ blocks, statements }: Omit<Sheet, 'problems'>): string {
  return [...statements.map((statement) => `${statement};`), ...blocks.map(formatBlock)].join('\n');
}

function formatBlock({ prelude, declarations, blocks }: Block): string {
  return `${prelude}{${formatDeclarations(declarations)}${blocks.map(formatBlock).join('')}}`;
}

interface Reader {
  css: string;
  at: number;
  problems: CssProblem[];
}

/** Reads up to the `}` that closes what was opened at `open`, or, at the top (-1), up to the end. */
function readBody(
  reader: Reader,
  blocks: Block[],
  declarations: Declaration[],
  statements: string[],
  open: number,
): void {
  const { css, problems } = reader;
  for (;;) {
    while (/[\s;]/.test(css[reader.at] ?? '')) reader.at += 1;
    const start = reader.at;
    const end = endOfStatement(reader);
    const text = css.slice(start, end).trim();
    reader.at = end + 1;
    if (css[end] === '{') {
      if (!text) problems.push({ message: 'A block has no selector', at: start });
      const block: Block = { prelude: text, declarations: [], blocks: [], start };
      readBody(reader, block.blocks, block.declarations, [], end);
      blocks.push(block);
      continue;
    }
    if (text.startsWith('@')) statements.push(text);
    else if (text) readDeclaration(text, start, declarations, problems);
    if (css[end] === '}') {
      if (open >= 0) return;
      problems.push({ message: 'A } closes nothing', at: end });
    }
    if (end >= css.length) {
      if (open >= 0) problems.push({ message: 'A { is not closed', at: open });
      return;
    }
  }
}

/** Offset of the `;`, `{` or `}` that ends what stands at `at`; strings and brackets are passed over. */
function endOfStatement({ css, at, problems }: Reader): number {
  const closing: string[] = [];
  for (let end = at; end < css.length; end += 1) {
    const character = css[end] as string;
    if (character === '\\') end += 1;
    else if (character === '"' || character === "'") {
      const close = endOfString(css, end);
      if (close === -1) {
        problems.push({ message: 'A quotation mark is not closed', at: end });
        return css.length;
      }
      end = close;
    } else if (character === '(') closing.push(')');
    else if (character === '[') closing.push(']');
    else if (character === closing.at(-1)) closing.pop();
    else if (closing.length === 0 && /[;{}]/.test(character)) return end;
    else if (/[{}]/.test(character)) {
      problems.push({ message: `A bracket is not closed: ${closing.at(-1)} is missing`, at: end });
      return end;
    }
  }
  return css.length;
}

function endOfString(css: string, start: number): number {
  for (let end = start + 1; end < css.length; end += 1) {
    if (css[end] === '\\') end += 1;
    else if (css[end] === css[start]) return end;
    else if (css[end] === '\n') return -1;
  }
  return -1;
}

function readDeclaration(
  text: string,
  at: number,
  declarations: Declaration[],
  problems: CssProblem[],
): void {
  const [, property, rest] = /^([\w-]+)\s*:\s*([\s\S]+)$/.exec(text) ?? [];
  if (!property || !rest) {
    problems.push({ message: `"${text.slice(0, 40)}" is no declaration`, at });
    return;
  }
  const value = rest.replace(/\s*!\s*important$/i, '');
  declarations.push({ property: property.toLowerCase(), value, important: value !== rest });
}

/** Comments, as spaces: everything keeps its offset. */
function blankComments(css: string): string {
  return css.replace(/\/\*[\s\S]*?(\*\/|$)/g, (comment) => comment.replace(/[^\n]/g, ' '));
}

/** Parts of a text between separators that stand outside of brackets. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (/[([]/.test(character)) depth += 1;
    if (/[)\]]/.test(character)) depth -= 1;
    if (character === separator && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}
