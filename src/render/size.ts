/** Where the bytes of a mail's HTML go, and what a reader finds in it (H-01, H-04). */
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5';

export const SIZE_PARTS = ['text', 'addresses', 'styles', 'inline', 'comments', 'markup'] as const;
export type SizePart = (typeof SIZE_PARTS)[number];

export interface Measured {
  /** UTF-8 bytes; they add up to all of the HTML. `styles` is what stands in <style>, `inline` in style="". */
  bytes: Record<SizePart, number>;
  links: number;
  images: number;
}

type Located = { startOffset: number; endOffset: number } | null | undefined;

/** Measures an HTML document as it stands, entities and white space included. */
export function measure(html: string): Measured {
  const bytes = { text: 0, addresses: 0, styles: 0, inline: 0, comments: 0, markup: 0 };
  const found: Measured = { bytes, links: 0, images: 0 };
  const add = (part: SizePart, place: Located) => {
    if (place) bytes[part] += Buffer.byteLength(html.slice(place.startOffset, place.endOffset));
  };
  visit(parse(html, { sourceCodeLocationInfo: true }), (node) => {
    if (node.nodeName === '#comment') add('comments', node.sourceCodeLocation);
    if (node.nodeName === '#text')
      add(isStyle(node as Tree.TextNode) ? 'styles' : 'text', node.sourceCodeLocation);
    if (!('attrs' in node)) return;
    const places: Record<string, Located> = node.sourceCodeLocation?.attrs ?? {};
    add('inline', places.style);
    for (const name of ['href', 'src']) add('addresses', places[name]);
    if (node.tagName === 'a' && places.href) found.links += 1;
    if (node.tagName === 'img') found.images += 1;
  });
  const counted = Object.values(bytes).reduce((sum, each) => sum + each, 0);
  bytes.markup = Buffer.byteLength(html) - counted;
  return found;
}

/** Characters that are read one by one, and words; and how long that takes, minutes. */
export function reading(text: string): { words: number; minutes: number } {
  const prose = text.replace(/\bhttps?:\/\/\S+/g, '');
  const han = prose.match(/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}/gu)?.length ?? 0;
  const latin = prose.match(/[\p{L}\p{N}][\p{L}\p{N}'’.-]*/gu) ?? [];
  const words = latin.filter((word) => !/^[\p{Script=Han}]/u.test(word)).length;
  // Common figures for reading silently: 400 characters or 230 words a minute.
  return { words: han + words, minutes: Math.max(1, Math.round(han / 400 + words / 230)) };
}

function isStyle({ parentNode }: Tree.TextNode): boolean {
  return parentNode?.nodeName === 'style';
}

function visit(node: Tree.Node, see: (node: Tree.Node) => void): void {
  see(node);
  if ('childNodes' in node) for (const child of node.childNodes) visit(child, see);
}
