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
  readDocument,
  speaking,
  textIn,
} from '../render/document.ts';
import { SCHEMES, type Scheme, seenIn } from '../render/inversion.ts';
import type { Check, Context, Found } from './check.ts';
import { placeOf, quoted } from './place.ts';

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
          ...placeOf(context, first),
          hint: 'Set both, on it or on what it stands in.',
        },
      ];
    },
  },
];

interface Look {
  element: HtmlElement;
  text: Colour;
  ground: Colour;
  ratio: number;
  enough: number;
}

/** Each pair of colours that is too close, once in each scheme. */
function weakIn(context: Context, schemes: Scheme[]): Found[] {
  return SCHEMES.filter((scheme) => schemes.includes(scheme)).flatMap((scheme) => {
    const seen = readDocument(seenIn(context.html.html, scheme));
    const weak = looksOf(seen, scheme).filter(({ ratio, enough }) => ratio < enough);
    const pairs = Map.groupBy(
      weak,
      ({ text, ground }) => `${formatColour(text)} on ${formatColour(ground)}`,
    );
    return [...pairs].map(([pair, looks]) => {
      const { element, ratio, enough } = looks[0] as Look;
      const count = looks.length > 1 ? ` (and ${looks.length - 1} more)` : '';
      return {
        message: `${quoted(textIn(element))} is ${pair}${count} ${NAMES[scheme]}: a contrast of ${ratio.toFixed(1)}, where ${enough} is needed`,
        ...placeOf(context, element),
        hint:
          scheme === 'dark'
            ? 'Change the colour in the rules for prefers-color-scheme: dark.'
            : 'Make the text darker or its ground lighter.',
      };
    });
  });
}

function looksOf(document: HtmlDocument, scheme: Scheme): Look[] {
  const style = styleOf(document, holds);
  return speaking(document).map((element) => {
    const ground = groundOf(element, style, canvasOf(document, scheme));
    const text = over(textColour(element, style, ground), ground);
    return {
      element,
      text,
      ground,
      ratio: contrast(text, ground),
      enough: enoughFor(element, style),
    };
  });
}

/** What holds on a screen 600 pixels wide; a condition that is not known does not. */
function holds(condition: string): boolean {
  const features = condition.match(/\([^()]*\)/g) ?? [];
  if (/\bnot\b|\bprint\b|^@(?!media)/i.test(condition)) return false;
  return features.every((feature) => {
    const [, bound, width] = /\(\s*(min|max)-width\s*:\s*([\d.]+)px\s*\)/i.exec(feature) ?? [];
    if (!bound) return false;
    return bound === 'min' ? WIDTH >= Number(width) : WIDTH <= Number(width);
  });
}

/** What a program shows behind a mail that says nothing. */
function canvasOf({ elements }: HtmlDocument, scheme: Scheme): Colour {
  const declares = elements.some(
    ({ tag, attributes: { name, content } }) =>
      tag === 'meta' && name === 'color-scheme' && content === 'dark',
  );
  return parseColour(scheme === 'dark' && declares ? '#121212' : '#ffffff') as Colour;
}

function groundOf(element: HtmlElement, style: StyleOf, canvas: Colour): Colour {
  const layers: Colour[] = [];
  for (const link of chainOf(element)) {
    const colour = colourIn(style(link).get('background-color') ?? '');
    if (colour && colour.alpha > 0) layers.push(colour);
    if (colour?.alpha === 1) break;
  }
  return layers.reduceRight((below, layer) => over(layer, below), canvas);
}

function textColour(element: HtmlElement, style: StyleOf, ground: Colour): Colour {
  const written = inherited(element, 'color', style);
  const colour = written === undefined ? undefined : parseColour(written);
  if (colour) return colour;
  const black = parseColour('#000000') as Colour;
  const white = parseColour('#ffffff') as Colour;
  // What a program chooses by itself can be read.
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
