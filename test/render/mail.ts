/** Reads a rendered mail as a mail program would: elements, inherited styles, rules of a style sheet. */
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5';

export type Element = Tree.Element;

/** All elements, in order. */
export function elementsOf(html: string): Element[] {
  const found: Element[] = [];
  const walk = (node: Tree.Node) => {
    if ('tagName' in node) found.push(node);
    if ('childNodes' in node) node.childNodes.forEach(walk);
  };
  walk(parse(html));
  return found;
}

export function tagsOf(html: string, ...tags: string[]): Element[] {
  return elementsOf(html).filter((element) => tags.includes(element.tagName));
}

export function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((attr) => attr.name === name)?.value;
}

export function classesOf(element: Element): string[] {
  return attribute(element, 'class')?.split(/\s+/) ?? [];
}

export function textOf(node: Tree.Node): string {
  if ('value' in node) return node.value;
  if ('tagName' in node && /^(style|script|title)$/.test(node.tagName)) return '';
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

/** Elements that hold words of their own. */
export function speakingElements(html: string): Element[] {
  return elementsOf(html).filter((element) => {
    if (/^(style|script|title|head)$/.test(element.tagName)) return false;
    return element.childNodes.some((node) => 'value' in node && node.value.trim() !== '');
  });
}

/** The element and what it stands in, innermost first. */
export function chainOf(element: Element): Element[] {
  const parent = element.parentNode;
  return parent && 'tagName' in parent ? [element, ...chainOf(parent)] : [element];
}

/** Declarations of a style attribute or rule; a later one wins. */
export function declarations(style: string): Record<string, string> {
  const pairs = style
    .split(';')
    .map((line) => line.split(/:(.*)/s).map((part) => part.trim()))
    .filter(([name, value]) => name && value);
  return Object.fromEntries(pairs);
}

export function styleOf(element: Element): Record<string, string> {
  return declarations(attribute(element, 'style') ?? '');
}

export interface Rule {
  selectors: string[];
  declarations: Record<string, string>;
}

/** Contents of the style elements, without those in conditional comments. */
export function styleSheets(html: string): string[] {
  return tagsOf(html, 'style').map((style) => style.childNodes.map(textOf).join(''));
}

/** Rules of a flat piece of CSS. */
export function rulesOf(css: string): Rule[] {
  return [...css.matchAll(/([^{}]+)\{([^{}]*)\}/g)].map(([, selectors = '', body = '']) => ({
    selectors: selectors.split(',').map((selector) => selector.trim()),
    declarations: declarations(body.replaceAll('!important', '')),
  }));
}

/** The rules for dark mode. */
export function darkRules(html: string): Rule[] {
  const sheet = styleSheets(html).find((css) => css.includes('prefers-color-scheme: dark')) ?? '';
  const start = sheet.indexOf('{', sheet.indexOf('prefers-color-scheme: dark')) + 1;
  return rulesOf(sheet.slice(start, sheet.lastIndexOf('}')));
}

/** Whether a selector of tags, classes, descendants and children fits an element. */
export function matches(element: Element, selector: string): boolean {
  const parts = selector.replace(/\s*>\s*/g, ' >').split(/\s+/);
  return matchesFrom(chainOf(element), parts);
}

function matchesFrom(chain: Element[], parts: string[]): boolean {
  const [element, ...outer] = chain;
  const last = parts.at(-1) ?? '';
  if (!element || !matchesOne(element, last.replace('>', ''))) return false;
  const rest = parts.slice(0, -1);
  if (rest.length === 0) return true;
  const candidates = last.startsWith('>') ? [outer] : outer.map((_, n) => outer.slice(n));
  return candidates.some((from) => matchesFrom(from, rest));
}

function matchesOne(element: Element, compound: string): boolean {
  const [tag = '', ...classes] = compound.split('.');
  const own = classesOf(element);
  return (tag === '' || tag === element.tagName) && classes.every((name) => own.includes(name));
}

function specificity(selector: string): number {
  return (
    (selector.match(/\./g) ?? []).length * 100 + (selector.match(/(^|[\s>])[a-z]/g) ?? []).length
  );
}

/** What a property is on the element itself: the strongest rule, else the style attribute. */
function ownValue(element: Element, property: string, rules: Rule[]): string | undefined {
  const found = rules
    .flatMap((rule) =>
      rule.selectors.map((selector) => ({ selector, value: rule.declarations[property] })),
    )
    .filter(({ selector, value }) => value !== undefined && matches(element, selector))
    .sort((a, b) => specificity(a.selector) - specificity(b.selector));
  return found.at(-1)?.value ?? styleOf(element)[property];
}

/** The nearest value up the chain: right for what is inherited, and for what lies behind. */
export function cascaded(
  element: Element,
  properties: string[],
  rules: Rule[] = [],
): string | undefined {
  for (const link of chainOf(element)) {
    for (const property of properties) {
      const value = ownValue(link, property, rules);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

/** Contrast of two colours, `#rrggbb`, by WCAG 2.2: 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (!match) throw new TypeError(`not a colour: ${colour}`);
  const [red = 0, green = 0, blue = 0] = match.slice(1).map((part) => {
    const value = Number.parseInt(part, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
