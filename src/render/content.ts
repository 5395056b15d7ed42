/**
 * Does everything that went in come out? MJML drops text that stands between its components, and what
 * follows a component that is not closed, without a word (H-31). So the two ends are compared.
 */
import { parse, parseFragment, type DefaultTreeAdapterTypes as Tree } from 'parse5';

/** What a reader can get from a piece of markup. */
export interface Content {
  /** The words, without any white space. */
  text: string;
  /** Targets of links, in order. */
  links: string[];
  images: number;
  /** Words inside each MJML component that is left. */
  components: string[];
}

/** A difference. */
export interface Loss {
  message: string;
  /** What to look for in the MJML to find the place; without white space, may be empty. */
  near: string;
  /** How often the same words stand after that place. */
  later?: number;
}

const IMAGES = new Set(['img', 'mj-image']);

/** So many characters find a place again, and seldom cross a line. */
const NEAR = 6;

/** Not content: what stands in the head, and what only some programs show. */
const SILENT = new Set(['head', 'mj-head', 'style', 'script', 'title']);

/** The content of an HTML document, of HTML inside a document, or of MJML. */
export function contentOf(markup: string): Content {
  const tree = /^\s*<!doctype/i.test(markup) ? parse(markup) : parseFragment(markup);
  const content: Content = { text: '', links: [], images: 0, components: [] };
  collect(tree, content);
  return content;
}

/** Text without the white space, in which HTML and MJML are free. */
export function squeeze(text: string): string {
  return text.replace(/[\s\u200B]+/g, '');
}

/** Compares an MJML document with the HTML that was made of it. @returns undefined: all is there */
export function compareContent(mjml: string, html: string): Loss | undefined {
  const before = contentOf(mjml);
  const after = contentOf(html);
  const [inner] = after.components;
  if (inner !== undefined) {
    const message = 'A component stands inside another, which is perhaps not closed';
    return { message, near: inner.slice(0, NEAR) };
  }
  if (before.text !== after.text) return textLoss(before.text, after.text);
  const link = before.links.find((target) => !after.links.includes(target));
  if (link !== undefined || before.links.length !== after.links.length) {
    return { message: `A link got lost: ${link ?? after.links.at(-1)}`, near: link ?? '' };
  }
  if (before.images === after.images) return undefined;
  return { message: `${before.images} pictures went in, ${after.images} came out`, near: '' };
}

/**
 * The first of some texts that a rendered part does not hold, in the order given. All of it squeezed.
 * @returns undefined: they are all there
 */
export function firstMissing(rendered: string, texts: string[]): string | undefined {
  let from = 0;
  return texts.find((text) => {
    const at = rendered.indexOf(text, from);
    if (at >= 0) from = at + text.length;
    return at < 0;
  });
}

function collect(node: Tree.Node, content: Content): void {
  if ('value' in node) content.text += squeeze(node.value);
  if ('attrs' in node) {
    if (isSilent(node)) return;
    const target = node.attrs.find((attribute) => attribute.name === 'href');
    if (target) content.links.push(target.value);
    if (IMAGES.has(node.tagName)) content.images += 1;
  }
  const start = content.text.length;
  if ('childNodes' in node) for (const child of node.childNodes) collect(child, content);
  if (node.nodeName.startsWith('mj-')) content.components.push(content.text.slice(start));
}

/** A hidden preview line repeats words that are seen elsewhere. */
function isSilent(node: Tree.Element): boolean {
  const style = node.attrs.find((attribute) => attribute.name === 'style')?.value ?? '';
  return SILENT.has(node.tagName) || /display:\s*none/.test(style);
}

/** Names the words after the first difference. */
function textLoss(before: string, after: string): Loss {
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  const words = before.slice(same, same + 24);
  const message = `Words got lost on the way through MJML: "${words}"`;
  const near = words.slice(0, NEAR);
  return { message, near, later: near ? before.slice(same + 1).split(near).length - 1 : 0 };
}
