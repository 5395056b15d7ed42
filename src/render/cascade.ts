/** Which style an element of a mail ends up with: as much of the cascade as mails use. */
import { type Declaration, parseDeclarations, parseSheet, rulesOf } from './css.ts';
import { chainOf, type HtmlDocument, type HtmlElement, textIn } from './document.ts';

/** Gives what is declared for an element itself, by property; not what it inherits. */
export type StyleOf = (element: HtmlElement) => ReadonlyMap<string, string>;

interface Selector {
  /** Compound selectors from the right; each after the first with what joins it to the one before. */
  steps: { compound: Compound; combinator: ' ' | '>' }[];
  specificity: number;
}

interface Compound {
  tag: string;
  id: string;
  classes: string[];
  attributes: { name: string; value: string | undefined }[];
}

interface Candidate {
  declarations: Declaration[];
  selector: Selector;
  order: number;
}

/** Above any selector that somebody writes. */
const INLINE = 1_000_000;

/**
 * Reads the sheets of a document. A rule in `@media` counts only when `holds` says so of its condition;
 * selectors with states and other things that a still picture does not show count as not matching.
 */
export function styleOf(
  document: HtmlDocument,
  holds: (condition: string) => boolean = never,
): StyleOf {
  const read = readStyles.get(document) ?? new Map();
  const style = read.get(holds) ?? readStyle(document, holds);
  readStyles.set(document, read.set(holds, style));
  return style;
}

/** Several checks ask the same of one document. */
const readStyles = new WeakMap<HtmlDocument, Map<unknown, StyleOf>>();

const never = () => false;

function readStyle({ elements }: HtmlDocument, holds: (condition: string) => boolean): StyleOf {
  const candidates = candidatesIn(elements, holds);
  const known = new Map<HtmlElement, ReadonlyMap<string, string>>();
  return (element) => {
    const before = known.get(element);
    if (before) return before;
    const own = computed(element, candidates);
    known.set(element, own);
    return own;
  };
}

/** The nearest value up the chain: right for what is inherited, and for what lies behind. */
export function inherited(element: HtmlElement, property: string, style: StyleOf) {
  return chainOf(element)
    .map((link) => style(link).get(property))
    .find((value) => value !== undefined && value !== 'inherit');
}

function candidatesIn(elements: HtmlElement[], holds: (condition: string) => boolean) {
  const candidates: Candidate[] = [];
  for (const sheet of elements.filter(({ tag }) => tag === 'style')) {
    const media = sheet.attributes.media;
    if (media && !holds(`@media ${media}`)) continue;
    for (const { selectors, declarations, conditions } of rulesOf(parseSheet(textIn(sheet)))) {
      if (!conditions.every(holds)) continue;
      for (const written of selectors) {
        const selector = readSelector(written);
        if (selector) candidates.push({ declarations, selector, order: candidates.length });
      }
    }
  }
  return candidates;
}

function computed(element: HtmlElement, candidates: Candidate[]): Map<string, string> {
  const weights = new Map<string, number>();
  const values = new Map<string, string>();
  const take = ({ property, value, important }: Declaration, weight: number) => {
    const total = weight + (important ? 10 * INLINE : 0);
    if (total < (weights.get(property) ?? -1)) return;
    weights.set(property, total);
    values.set(property, value);
    // A shorthand sets what it stands for as well.
    if (property === 'background') take({ property: 'background-color', value, important }, weight);
  };
  for (const [property, attribute] of [
    ['background-color', 'bgcolor'],
    ['color', 'color'],
  ] as const) {
    const value = element.attributes[attribute];
    if (value) take({ property, value, important: false }, 0);
  }
  for (const { declarations, selector } of candidates) {
    if (!matches(element, selector)) continue;
    for (const declaration of declarations) take(declaration, 1 + selector.specificity);
  }
  for (const declaration of parseDeclarations(element.attributes.style ?? ''))
    take(declaration, INLINE);
  return values;
}

/** @returns undefined for selectors that are not looked at */
function readSelector(written: string): Selector | undefined {
  const parts = written
    .replace(/\s*>\s*/g, ' > ')
    .trim()
    .split(/\s+(?![^[]*\])/);
  const steps: Selector['steps'] = [];
  let combinator: ' ' | '>' = ' ';
  for (const part of parts.reverse()) {
    if (part === '>') {
      combinator = '>';
      continue;
    }
    const compound = readCompound(part);
    if (!compound) return undefined;
    steps.push({ compound, combinator });
    combinator = ' ';
  }
  const specificity = steps.reduce((sum, { compound: { tag, id, classes, attributes } }) => {
    const names = classes.length + attributes.length;
    return sum + (id ? 10_000 : 0) + 100 * names + (tag && tag !== '*' ? 1 : 0);
  }, 0);
  return { steps, specificity };
}

const COMPOUND = /^(\*|[a-z][\w-]*)?((?:#[\w-]+|\.[\w-]+|\[[^\]]+\])*)$/i;

function readCompound(text: string): Compound | undefined {
  const [found, tag = '', rest = ''] = COMPOUND.exec(text) ?? [];
  if (found === undefined || found === '') return undefined;
  const pieces = rest.match(/#[\w-]+|\.[\w-]+|\[[^\]]+\]/g) ?? [];
  const named = (mark: string) =>
    pieces.filter((piece) => piece.startsWith(mark)).map((piece) => piece.slice(1));
  const attributes = named('[').map((inside) => {
    const [, name = '', value] = /^([\w-]+)(?:=["']?(.*?)["']?)?\]$/.exec(inside) ?? [];
    return { name, value };
  });
  if (attributes.some(({ name }) => name === '')) return undefined;
  return { tag: tag.toLowerCase(), id: named('#')[0] ?? '', classes: named('.'), attributes };
}

function matches(element: HtmlElement, { steps }: Selector): boolean {
  const [first, ...rest] = steps;
  return first !== undefined && isOne(element, first.compound) && matchesAbove(element, rest);
}

/** Whether the rest of a selector fits what the element stands in. */
function matchesAbove({ parent }: HtmlElement, steps: Selector['steps']): boolean {
  const [next, ...rest] = steps;
  if (!next) return true;
  for (let at = parent; at; at = next.combinator === '>' ? undefined : at.parent)
    if (isOne(at, next.compound) && matchesAbove(at, rest)) return true;
  return false;
}

function isOne({ tag, attributes }: HtmlElement, wanted: Compound): boolean {
  if (wanted.tag && wanted.tag !== '*' && wanted.tag !== tag) return false;
  if (wanted.id && attributes.id !== wanted.id) return false;
  const own = attributes.class?.split(/\s+/) ?? [];
  return (
    wanted.classes.every((name) => own.includes(name)) &&
    wanted.attributes.every(
      ({ name, value }) =>
        attributes[name] !== undefined && (value === undefined || attributes[name] === value),
    )
  );
}
