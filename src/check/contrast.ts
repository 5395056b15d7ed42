/** Whether words can be read: by day, by the author's dark rules, and recoloured by the program. */
import { inherited, type StyleOf, styleOf } from '../render/cascade.ts';
import {
  type Colour,
  colourIn,
  contrast,
  formatColour,
  over,
  parseColour,
} from '../render/colour.ts';
import {
  chainOf,
  type HtmlDocument,
  type HtmlElement,
  speaking,
  textIn,
} from '../render/document.ts';
import { invertColour, type Role, type Scheme } from '../render/inversion.ts';
import type { Check, Context, Found } from './check.ts';
import { placeOfLooks, quoted } from './place.ts';

/** WCAG 2.2, 1.4.3; large is 24 pixels, or 18.66 in bold. */
const ENOUGH = 4.5;
const ENOUGH_FOR_LARGE = 3;
const LARGE = 24;
const LARGE_BOLD = 18.66;

/** Width for which style sheets are read, CSS pixels. */
const WIDTH = 600;

const WCAG = 'https://www.w3.org/TR/WCAG22/#contrast-minimum';
const DARK_MODES = 'https://www.caniemail.com/features/css-at-media-prefers-color-scheme/';

const NAMES: Record<Scheme, string> = {
  light: 'by day',
  dark: 'in your own dark colours',
  partial: 'in a partial inversion (Gmail on Android, Outlook apps; simulated)',
  full: 'in a full inversion (Gmail on iOS, classic Outlook; simulated)',
};

export const CONTRAST_CHECKS: Check[] = [
  {
    id: 'contrast',
    severity: 'error',
    reason: 'One reader in twelve sees contrasts less well, and everybody does in the sun.',
    source: 'H-16',
    url: WCAG,
    find: (context) => weakIn(context, ['light', 'dark']),
  },
  {
    id: 'contrast-inverted',
    severity: 'warning',
    reason:
      'Many programs recolour a mail for dark screens without asking; it has to stay readable.',
    source: 'H-23',
    url: DARK_MODES,
    find: (context) => weakIn(context, ['partial', 'full']),
  },
  {
    id: 'colour-alone',
    severity: 'warning',
    reason:
      'A colour without the other one, text or ground, meets whatever a dark program puts there.',
    source: 'H-22',
    url: DARK_MODES,
    find: (context) => {
      const style = styleOf(context.html);
      const alone = speaking(context.html).filter((element) => {
        // Webmail drops html and body, and what they say with them.
        const chain = chainOf(element).filter(({ tag }) => tag !== 'html' && tag !== 'body');
        const has = (property: string) => chain.some((link) => style(link).has(property));
        return has('color') !== has('background-color');
      });
      const [first] = alone;
      if (!first) return [];
      const count = alone.length > 1 ? ` (and ${alone.length - 1} more)` : '';
      return [
        {
          message: `${quoted(textIn(first))} has a colour for ${styleHas(first, style) ? 'its text but none for its ground' : 'its ground but none for its text'}${count}`,
          ...placeOfLooks(context, first),
          hint: 'Set both, on it or on what it stands in.',
        },
      ];
    },
  },
];

export interface Look {
  element: HtmlElement;
  text: Colour;
  ground: Colour;
  ratio: number;
  enough: number;
}

/** Each pair of colours that is too close, once in each scheme. */
function weakIn({ html, ...context }: Context, schemes: Scheme[]): Found[] {
  return schemes.flatMap((scheme) => {
    const weak = looksIn(html, scheme).filter(({ ratio, enough }) => ratio < enough);
    const pairs = Map.groupBy(
      weak,
      ({ text, ground }) => `${formatColour(text)} on ${formatColour(ground)}`,
    );
    return [...pairs].map(([pair, looks]) => {
      const { element, ratio, enough } = looks[0] as Look;
      const count = looks.length > 1 ? ` (and ${looks.length - 1} more)` : '';
      return {
        message: `${quoted(textIn(element))} is ${pair}${count} ${NAMES[scheme]}: a contrast of ${ratio.toFixed(1)}, where ${enough} is needed`,
        ...placeOfLooks({ html, ...context }, element),
        hint:
          scheme === 'dark'
            ? 'Change the colour in the rules for prefers-color-scheme: dark.'
            : 'Make the text darker or its ground lighter.',
      };
    });
  });
}

/**
 * Colours of all words in a scheme: what `seenIn` shows, without writing the document anew. A program that
 * inverts recolours each declaration, so what wins in the cascade is the same.
 */
export function looksIn(document: HtmlDocument, scheme: Scheme): Look[] {
  const style = styleOf(document, scheme === 'dark' ? holdsInDark : holdsInLight);
  const inversion = scheme === 'light' || scheme === 'dark' ? undefined : scheme;
  const see = (colour: Colour, role: Role) =>
    inversion ? invertColour(colour, inversion, role) : colour;
  const canvas = see(canvasOf(document, scheme), 'ground');
  return speaking(document).map((element) => {
    const layers = layersOf(element, style).map((layer) => see(layer, 'ground'));
    const ground = layers.reduceRight((below, layer) => over(layer, below), canvas);
    const written = parseColour(inherited(element, 'color', style) ?? '');
    const text = written ? over(see(written, 'text'), ground) : readable(ground);
    const ratio = contrast(text, ground);
    return { element, text, ground, ratio, enough: enoughFor(element, style) };
  });
}

const holdsInLight = (condition: string) => holds(condition, 'light');
const holdsInDark = (condition: string) => holds(condition, 'dark');

/** What holds on a screen 600 pixels wide; a condition that is not known does not. */
function holds(condition: string, scheme: 'light' | 'dark'): boolean {
  const features = condition.match(/\([^()]*\)/g) ?? [];
  if (/\bnot\b|\bprint\b|^@(?!media)/i.test(condition)) return false;
  return features.every((feature) => {
    const [, asked] = /prefers-color-scheme\s*:\s*(light|dark)/i.exec(feature) ?? [];
    if (asked) return asked.toLowerCase() === scheme;
    const [, bound, width] = /\(\s*(min|max)-width\s*:\s*([\d.]+)px\s*\)/i.exec(feature) ?? [];
    if (!bound) return false;
    return bound === 'min' ? WIDTH >= Number(width) : WIDTH <= Number(width);
  });
}

/** What a program shows behind a mail that says nothing. */
function canvasOf({ elements }: HtmlDocument, scheme: Scheme): Colour {
  const declares = elements.some(
    ({ tag, attributes: { name, content } }) =>
      tag === 'meta' && name === 'color-scheme' && /\bdark\b/.test(content ?? ''),
  );
  return parseColour(scheme === 'dark' && declares ? '#121212' : '#ffffff') as Colour;
}

/** Colours behind an element, nearest first, down to one that hides the rest. */
function layersOf(element: HtmlElement, style: StyleOf): Colour[] {
  const layers: Colour[] = [];
  for (const link of chainOf(element)) {
    const colour = colourIn(style(link).get('background-color') ?? '');
    if (colour && colour.alpha > 0) layers.push(colour);
    if (colour?.alpha === 1) break;
  }
  return layers;
}

/** What a program chooses by itself can be read. */
function readable(ground: Colour): Colour {
  const [black, white] = [parseColour('#000000') as Colour, parseColour('#ffffff') as Colour];
  return contrast(black, ground) > contrast(white, ground) ? black : white;
}

function enoughFor(element: HtmlElement, style: StyleOf): number {
  const size = Number.parseFloat(inherited(element, 'font-size', style) ?? '16');
  const bold = /^(bold|[6-9]00)/.test(inherited(element, 'font-weight', style) ?? '');
  return size >= LARGE || (bold && size >= LARGE_BOLD) ? ENOUGH_FOR_LARGE : ENOUGH;
}

function styleHas(element: HtmlElement, style: StyleOf): boolean {
  return chainOf(element).some((link) => style(link).has('color'));
}
