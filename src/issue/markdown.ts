/** Markdown of an issue to HTML and to plain text. The owner of markdown-it. */
import createMarkdownIt, { type MarkdownIt, type Token } from 'markdown-it';
import cjkBreaks from 'markdown-it-cjk-breaks';
import cjkFriendly from 'markdown-it-cjk-friendly';
import type { Link } from './issue.ts';

/** Inline CSS by element name: `{ p: 'margin:0 0 16px' }`. Mail clients honour little else. */
export type ElementStyles = Record<string, string>;

export interface Image {
  src: string;
  alt: string;
  /** Line in the Markdown, from 1. */
  line: number;
}

/** Where readers find a picture that lies beside the issue, and how large it is shown, CSS pixels. */
export interface ShownPicture {
  url: string;
  width: number;
  height: number;
}

/** By the address as it stands in the Markdown: `chart.png`. */
export type Pictures = ReadonlyMap<string, ShownPicture>;

/** A link or picture as written, allowed or not. */
export interface Reference {
  kind: 'link' | 'image';
  url: string;
  text: string;
  /** Line in the Markdown, from 1. */
  line: number;
}

const ALLOWED_URL = /^(https?:\/\/|mailto:)\S+$/i;
/** No scheme, no root, no query. */
const PICTURE_PATH = /^(?![a-z][a-z0-9+.-]*:)[^/#?\\][^#?\\]*$/i;

const NO_PICTURES: Pictures = new Map();

const writer = markdownIt((url) => isAllowedUrl(url) || isPicturePath(url));
/** Lets every address through, so that a refused one can be named instead of turning into text. */
const inspector = markdownIt(() => true);

/** Whether an address may stand in a mail: absolute, `http`, `https` or `mailto`. */
export function isAllowedUrl(url: string): boolean {
  return ALLOWED_URL.test(url.trim());
}

/** Whether an address names a file beside the issue, such as `chart.png` or `charts/week.png`. */
export function isPicturePath(url: string): boolean {
  return PICTURE_PATH.test(url.trim());
}

/**
 * Well-formed HTML without scripts; comments are dropped, other HTML in the text is shown as text.
 * @param pictures those that lie beside the issue; an address that is not among them stays as it is
 */
export function markdownToHtml(
  markdown: string,
  styles: ElementStyles = {},
  pictures = NO_PICTURES,
): string {
  const tokens = writer.parse(withoutComments(markdown), {});
  placePictures(tokens, pictures);
  for (const token of everyToken(tokens)) {
    const style = styles[token.tag];
    if (style && token.nesting >= 0) token.attrSet('style', style);
  }
  return writer.renderer.render(tokens, writer.options, { styles });
}

/** The words of it, for comparing and for one line: no marks, no addresses; blocks on their own lines. */
export function plainText(markdown: string): string {
  const tokens = writer.parse(withoutComments(markdown), {});
  const lines = tokens.flatMap((token) => {
    if (token.type === 'inline') return [wordsOf(token.children ?? [])];
    return token.type === 'fence' || token.type === 'code_block' ? [token.content.trimEnd()] : [];
  });
  return lines.join('\n').trim();
}

/** Links in the order of the text, only those that are rendered as links. */
export function linksOf(markdown: string): Link[] {
  return referencesOf(markdown)
    .filter(({ kind, url }) => kind === 'link' && isAllowedUrl(url))
    .map(({ text, url }) => ({ text, url }));
}

export function imagesOf(markdown: string): Image[] {
  return referencesOf(markdown)
    .filter(({ kind }) => kind === 'image')
    .map(({ url, text, line }) => ({ src: url, alt: text, line }));
}

/** Every link and picture, also one that would be refused. */
export function referencesOf(markdown: string): Reference[] {
  const blocks = inspector.parse(withoutComments(markdown), {});
  return blocks.flatMap((block) => {
    const line = (block.map?.[0] ?? 0) + 1;
    return block.type === 'inline' ? inlineReferences(block.children ?? [], line) : [];
  });
}

/** Comments are for editors. Line breaks in them stay, so that lines keep their numbers. */
export function withoutComments(markdown: string): string {
  return markdown.replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]+/g, ''));
}

function markdownIt(validateLink: (url: string) => boolean): MarkdownIt {
  const md = createMarkdownIt({ html: false, linkify: true, typographer: false });
  md.use(cjkFriendly).use(cjkBreaks);
  // Bold beside a line break leaves empty text behind, which cjk-breaks cannot measure.
  md.core.ruler.before('cjk_breaks', 'no_empty_text', ({ tokens }) => {
    for (const token of tokens) {
      if (token.children)
        token.children = token.children.filter(({ type, content }) => type !== 'text' || content);
    }
  });
  // Headings divide the issue; inside a text they would be a section that nobody meant.
  md.disable(['heading', 'lheading']);
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
  md.validateLink = validateLink;
  md.renderer.rules.fence = codeBlock;
  md.renderer.rules.code_block = codeBlock;
  return md;

  function codeBlock(tokens: Token[], index: number, _options: unknown, env: unknown): string {
    const style = (env as { styles?: ElementStyles }).styles?.pre;
    const attribute = style ? ` style="${md.utils.escapeHtml(style)}"` : '';
    return `<pre${attribute}><code>${md.utils.escapeHtml(tokens[index]?.content ?? '')}</code></pre>\n`;
  }
}

function* everyToken(tokens: Token[]): Generator<Token> {
  for (const token of tokens) {
    yield token;
    if (token.children) yield* everyToken(token.children);
  }
}

function wordsOf(inline: Token[]): string {
  return inline.map(wordOf).join('');
}

function wordOf(token: Token): string {
  if (token.type === 'text' || token.type === 'code_inline') return token.content;
  if (token.type === 'softbreak' || token.type === 'hardbreak') return '\n';
  return token.type === 'image' ? token.content : '';
}

function inlineReferences(inline: Token[], firstLine: number): Reference[] {
  const found: Reference[] = [];
  let line = firstLine;
  let open: Reference | undefined;
  for (const token of inline) {
    if (token.type === 'link_open') {
      open = { kind: 'link', url: String(token.attrGet('href')), text: '', line };
      found.push(open);
    } else if (token.type === 'link_close') {
      open = undefined;
    } else if (token.type === 'image') {
      found.push({ kind: 'image', url: String(token.attrGet('src')), text: token.content, line });
    }
    if (open) open.text += wordOf(token);
    if (token.type === 'softbreak' || token.type === 'hardbreak') line += 1;
  }
  return found;
}

/**
 * Markdown for the text part of a mail: not wrapped, no space put between Chinese characters, links as
 * `text: URL`, lists with their marks, quotes with `> `.
 */
export function markdownToText(markdown: string, pictures = NO_PICTURES): string {
  const tokens = writer.parse(withoutComments(markdown), {});
  placePictures(tokens, pictures);
  return textBlocks(tokens).join('\n\n');
}

/** Gives each picture that lies beside the issue its public address and its size (H-13). */
function placePictures(tokens: Token[], pictures: Pictures): void {
  for (const token of everyToken(tokens)) {
    const picture = token.type === 'image' && pictures.get(String(token.attrGet('src')));
    if (!picture) continue;
    token.attrSet('src', picture.url);
    token.attrSet('width', `${picture.width}`);
    token.attrSet('height', `${picture.height}`);
  }
}

function textBlocks(tokens: Token[]): string[] {
  const blocks: string[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index] as Token;
    const inside = token.nesting === 1 ? insideOf(tokens, index) : [];
    const text = textBlock(token, inside);
    if (text) blocks.push(text);
    index += inside.length;
  }
  return blocks;
}

function textBlock(token: Token, inside: Token[]): string {
  switch (token.type) {
    case 'inline':
      return inlineText(token.children ?? []);
    case 'fence':
    case 'code_block':
      return token.content.trimEnd();
    case 'hr':
      return '* * *';
    case 'bullet_list_open':
      return listText(inside, () => '- ');
    case 'ordered_list_open': {
      const first = Number(token.attrGet('start') ?? 1);
      return listText(inside, (n) => `${first + n}. `);
    }
    case 'blockquote_open':
      return textBlocks(inside).join('\n\n').replace(/^/gm, '> ').replace(/> $/gm, '>');
    case 'table_open':
      return tableText(inside);
    default:
      return textBlocks(inside).join('\n');
  }
}

/** The tokens between an opening token and its closing one. */
function insideOf(tokens: Token[], open: number): Token[] {
  const level = (tokens[open] as Token).level;
  const close = tokens.findIndex(
    (token, at) => at > open && token.nesting === -1 && token.level === level,
  );
  return tokens.slice(open + 1, close);
}

function childrenOf(tokens: Token[], type: string): Token[][] {
  const level = tokens[0]?.level ?? 0;
  return tokens.flatMap((token, at) =>
    token.type === type && token.level === level ? [insideOf(tokens, at)] : [],
  );
}

function listText(inside: Token[], mark: (n: number) => string): string {
  return childrenOf(inside, 'list_item_open')
    .map(
      (item, n) =>
        mark(n) +
        textBlocks(item)
          .join('\n')
          .replace(/\n/g, `\n${' '.repeat(mark(n).length)}`),
    )
    .join('\n');
}

function tableText(inside: Token[]): string {
  const rows = inside.flatMap((token, at) =>
    token.type === 'tr_open' ? [insideOf(inside, at)] : [],
  );
  return rows
    .map((row) =>
      row.filter((token) => token.type === 'inline').map((cell) => inlineText(cell.children ?? [])),
    )
    .map((cells) => cells.join(' | '))
    .join('\n');
}

function inlineText(inline: Token[]): string {
  let text = '';
  let link: { url: string; start: number } | undefined;
  for (const token of inline) {
    if (token.type === 'link_open')
      link = { url: String(token.attrGet('href')), start: text.length };
    else if (token.type === 'image') text += `[${token.content}] ${token.attrGet('src')}`;
    else text += wordOf(token);
    if (token.type === 'link_close' && link) {
      text = linkText(text.slice(0, link.start), text.slice(link.start), link.url);
      link = undefined;
    }
  }
  return text;
}

function linkText(before: string, words: string, url: string): string {
  const same = words === url || `mailto:${words}` === url || encodeURI(words) === url;
  return before + (same ? url : `${words}: ${url}`);
}
