/** An HTML document as plain data: elements in order, each with its attributes, words and place. */
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5';

export interface HtmlElement {
  tag: string;
  attributes: Record<string, string>;
  parent: HtmlElement | undefined;
  children: (HtmlElement | string)[];
  /** From 1, in the HTML; 0 for what the parser added. */
  line: number;
  /** UTF-16 offsets in the HTML; the end of an empty element is that of its tag. */
  start: number;
  end: number;
}

export interface HtmlDocument {
  html: string;
  /** All, in order. */
  elements: HtmlElement[];
  hasDoctype: boolean;
}

/** Not words for a reader. */
const SILENT = new Set(['head', 'style', 'script', 'title', 'noscript']);

/** Reads a document as a browser would; what stands in conditional comments is left out. */
export function readDocument(html: string): HtmlDocument {
  const tree = parse(html, { sourceCodeLocationInfo: true });
  const elements: HtmlElement[] = [];
  const read = (node: Tree.Element, parent: HtmlElement | undefined): HtmlElement => {
    const place = node.sourceCodeLocation;
    const element: HtmlElement = {
      tag: node.tagName,
      attributes: Object.fromEntries(node.attrs.map(({ name, value }) => [name, value])),
      parent,
      children: [],
      line: place?.startLine ?? 0,
      start: place?.startOffset ?? 0,
      end: place?.endOffset ?? 0,
    };
    elements.push(element);
    for (const child of node.childNodes) {
      if ('tagName' in child) element.children.push(read(child, element));
      else if ('value' in child) element.children.push(child.value);
    }
    return element;
  };
  for (const node of tree.childNodes) if ('tagName' in node) read(node, undefined);
  const hasDoctype = tree.childNodes.some(({ nodeName }) => nodeName === '#documentType');
  return { html, elements, hasDoctype };
}

/** Words in an element and all that it holds. */
export function wordsIn(element: HtmlElement): string {
  if (SILENT.has(element.tag)) return '';
  return element.children
    .map((child) => (typeof child === 'string' ? child : wordsIn(child)))
    .join('');
}

/** What stands in it as text, such as a style sheet. */
export function textIn(element: HtmlElement): string {
  return element.children.map((child) => (typeof child === 'string' ? child : '')).join('');
}

/** Elements that hold words of their own which somebody sees. */
export function speaking({ elements }: HtmlDocument): HtmlElement[] {
  return elements.filter(
    (element) => textIn(element).trim() !== '' && !chainOf(element).some(isHidden),
  );
}

/** The element and what it stands in, innermost first. */
export function chainOf(element: HtmlElement): HtmlElement[] {
  const chain: HtmlElement[] = [];
  for (let at: HtmlElement | undefined = element; at; at = at.parent) chain.push(at);
  return chain;
}

function isHidden({ tag, attributes }: HtmlElement): boolean {
  return SILENT.has(tag) || /display:\s*none/.test(attributes.style ?? '');
}
