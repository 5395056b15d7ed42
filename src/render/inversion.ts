/**
 * A mail's HTML as mail programs bend it for a dark screen: a simulation, not the real client (P-08).
 * The author's own rules, where they are honoured (Apple Mail, Thunderbird, Samsung); partial inversion
 * (Gmail on Android, Outlook's apps and site), full inversion (Gmail on iOS, classic Outlook).
 * Studio and checks share it.
 */
import { parse, serialize, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { type Colour, labOf, mapColours, ofLab } from './colour.ts';
import {
  type Block,
  type Declaration,
  formatDeclarations,
  formatSheet,
  parseDeclarations,
  parseSheet,
} from './css.ts';

/** `light` by day, `dark` by the author's own rules, and the two ways in which programs recolour. */
export const SCHEMES = ['light', 'dark', 'partial', 'full'] as const;
export type Scheme = (typeof SCHEMES)[number];
export type Inversion = 'partial' | 'full';

/** What a colour is used for. */
export type Role = 'text' | 'ground' | 'line';

/** Lightness in CIELAB: between dark and light, and of what white becomes. */
const MIDDLE = 50;
const DARKEST = 10;

/**
 * What a colour becomes. Full inversion turns every lightness round; partial darkens light grounds,
 * lightens dark text, and leaves a design that is dark already alone. Hue and alpha stay.
 */
export function invertColour(colour: Colour, mode: Inversion, role: Role): Colour {
  const lab = labOf(colour);
  if (mode === 'partial' && role === 'ground' && lab.lightness < MIDDLE) return colour;
  if (mode === 'partial' && role === 'text' && lab.lightness > MIDDLE) return colour;
  const lightness = 100 - (lab.lightness * (100 - DARKEST)) / 100;
  return ofLab({ ...lab, lightness }, colour.alpha);
}

/**
 * The HTML document as it is seen in a scheme, whatever scheme the machine that shows it has.
 * Pictures stay as they are. Same input, same output.
 */
export function seenIn(html: string, scheme: Scheme): string {
  const tree = parse(html);
  const change = changeFor(scheme);
  walk(tree, (element) => {
    if (element.tagName === 'style') rewriteSheet(element, scheme, change);
    if (element.tagName === 'meta') setScheme(element, scheme);
    rewriteAttributes(element, change);
  });
  if (change) paintCanvas(tree, change);
  return serialize(tree);
}

type Change = (value: string, role: Role) => string;

function changeFor(scheme: Scheme): Change | undefined {
  if (scheme === 'light' || scheme === 'dark') return undefined;
  return (value, role) => mapColours(value, (colour) => invertColour(colour, scheme, role));
}

/** @returns undefined for properties without a colour that is recoloured */
function roleOf(property: string): Role | undefined {
  if (property === 'color' || property === 'text-decoration-color') return 'text';
  if (property === 'background' || property === 'background-color') return 'ground';
  return /^(border|outline)/.test(property) ? 'line' : undefined;
}

function recolour(declarations: Declaration[], change: Change): Declaration[] {
  return declarations.map((declaration) => {
    const role = roleOf(declaration.property);
    return role ? { ...declaration, value: change(declaration.value, role) } : declaration;
  });
}

/** The system's scheme must not decide: what asks for it gets a fixed answer. */
function rewriteSheet(style: Tree.Element, scheme: Scheme, change: Change | undefined): void {
  const sheet = parseSheet(
    style.childNodes.map((node) => ('value' in node ? node.value : '')).join(''),
  );
  const rewritten = (block: Block): Block => ({
    ...block,
    prelude: block.prelude.replace(
      /\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)/gi,
      (_, asked: string) => {
        const yes = asked.toLowerCase() === (scheme === 'dark' ? 'dark' : 'light');
        return yes ? '(min-width: 0px)' : '(max-width: 0px)';
      },
    ),
    declarations: change ? recolour(block.declarations, change) : block.declarations,
    blocks: block.blocks.map(rewritten),
  });
  const css = formatSheet({ ...sheet, blocks: sheet.blocks.map(rewritten) });
  style.childNodes = [{ nodeName: '#text', value: css, parentNode: style }];
}

function setScheme(meta: Tree.Element, scheme: Scheme): void {
  const name = meta.attrs.find((attribute) => attribute.name === 'name')?.value ?? '';
  const content = meta.attrs.find((attribute) => attribute.name === 'content');
  if (/color-schemes?$/i.test(name) && content)
    content.value = scheme === 'dark' ? 'dark' : 'light';
}

function rewriteAttributes({ attrs }: Tree.Element, change: Change | undefined): void {
  if (!change) return;
  for (const attribute of attrs) {
    if (attribute.name === 'style')
      attribute.value = formatDeclarations(recolour(parseDeclarations(attribute.value), change));
    if (attribute.name === 'bgcolor') attribute.value = change(attribute.value, 'ground');
    if (attribute.name === 'color') attribute.value = change(attribute.value, 'text');
  }
}

/** What nobody has coloured is black on white, links blue; those turn as well. */
function paintCanvas(tree: Tree.Document, change: Change): void {
  const html = tree.childNodes.find((node) => node.nodeName === 'html') as Tree.Element;
  const head = html.childNodes.find((node) => node.nodeName === 'head') as Tree.Element;
  const css = `html{background:${change('#ffffff', 'ground')};color:${change('#000000', 'text')}}a{color:${change('#0000ee', 'text')}}`;
  const style: Tree.Element = {
    nodeName: 'style',
    tagName: 'style',
    attrs: [],
    namespaceURI: html.namespaceURI,
    parentNode: head,
    childNodes: [],
  };
  style.childNodes.push({ nodeName: '#text', value: css, parentNode: style });
  head.childNodes.unshift(style);
}

function walk(node: Tree.Node, visit: (element: Tree.Element) => void): void {
  if ('tagName' in node) visit(node);
  if ('childNodes' in node) for (const child of node.childNodes) walk(child, visit);
}
