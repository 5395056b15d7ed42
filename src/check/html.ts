/** The finished HTML: size, style sheets, structure. */
import { inherited, styleOf } from '../render/cascade.ts';
import { type CssProblem, parseSheet, rulesOf } from '../render/css.ts';
import {
  chainOf,
  type HtmlDocument,
  type HtmlElement,
  speaking,
  textIn,
  wordsIn,
} from '../render/document.ts';
import { measure } from '../render/size.ts';
import { languageOf } from '../render/words.ts';
import { type Check, type Context, type Found, OWN_PAGE } from './check.ts';
import { inTemplate, placeOf, placeOfLooks, quoted } from './place.ts';

/** Bytes of HTML that Gmail still shows whole (H-01), and where a warning begins. */
const CLIPPED = 100_000;
const NEAR_CLIPPED = 80_000;

/** Bytes of all style sheets that Gmail reads, and where a warning begins (H-05). */
const MOST_STYLES = 16_384;
const MANY_STYLES = 8_192;

/** CSS pixels (H-09, H-16). */
const WIDEST = 600;
const SMALLEST_TEXT = 13;

/** Removed, renamed or refused by mail programs (H-07, H-32). */
const RENAMED = new Set(['header', 'footer', 'main', 'nav', 'section', 'article', 'aside']);
const REFUSED = new Set(
  'script iframe form input button select textarea object embed applet svg canvas video audio base frame frameset'.split(
    ' ',
  ),
);

const CLIPPING = 'https://github.com/hteumeuleu/email-bugs/issues/41';
const STYLE_SUPPORT = 'https://www.caniemail.com/features/html-style/';
const GUIDELINES = 'https://github.com/hteumeuleu/email-guidelines';

export const HTML_CHECKS: Check[] = [
  {
    id: 'html-size',
    severity: 'error',
    reason: 'Gmail cuts a long mail off: the rest is hidden, the unsubscribe link with it.',
    source: 'H-01',
    url: CLIPPING,
    find: ({ html: { html }, unsubscribeUrl }) => {
      const size = Buffer.byteLength(html);
      if (size < NEAR_CLIPPED) return [];
      const leave = Buffer.byteLength(html.slice(0, Math.max(0, html.lastIndexOf(unsubscribeUrl))));
      const parts = Object.entries(measure(html).bytes).sort(([, a], [, b]) => b - a);
      return [
        {
          severity: size < CLIPPED ? 'warning' : 'error',
          message: `The HTML has ${size} bytes; Gmail cuts off at about ${CLIPPED}. The unsubscribe link stands at byte ${leave}`,
          hint: `Shorten or leave out a story. By part: ${parts.map(([part, bytes]) => `${part} ${bytes}`).join(', ')}.`,
        },
      ];
    },
  },
  {
    id: 'style-size',
    severity: 'error',
    reason: 'Gmail ignores style sheets that are longer, and dark mode and wide screens with them.',
    source: 'H-05',
    url: STYLE_SUPPORT,
    find: (context) => {
      const size = stylesIn(context.html).reduce(
        (sum, style) => sum + Buffer.byteLength(textIn(style)),
        0,
      );
      if (size < MANY_STYLES) return [];
      return [
        {
          severity: size < MOST_STYLES ? 'warning' : 'error',
          message: `The style sheets have ${size} bytes together; Gmail reads ${MOST_STYLES}`,
          ...inTemplate(context, '<mj-style'),
          hint: 'Write what every program needs with <mj-style inline="inline">.',
        },
      ];
    },
  },
  {
    id: 'style-broken',
    severity: 'error',
    reason:
      'One mistake in a style sheet, or an at-rule within another, and Gmail drops all of it.',
    source: 'H-05',
    url: STYLE_SUPPORT,
    find: (context) =>
      stylesIn(context.html).flatMap((style) => {
        const sheet = parseSheet(textIn(style));
        const nested = rulesOf(sheet).filter(({ conditions }) => conditions.length > 1);
        return [
          ...sheet.problems.map((problem) => brokenStyle(context, textIn(style), problem)),
          ...nested.slice(0, 1).map(({ conditions }) => ({
            message: `${conditions[1]} stands within ${conditions[0]}`,
            ...inTemplate(context, conditions[1] ?? ''),
            hint: 'Write each at-rule by itself.',
          })),
        ];
      }),
  },
  {
    id: 'document-frame',
    severity: 'error',
    reason: 'Without it programs guess at encoding, language and width, and guess differently.',
    source: 'H-06',
    url: GUIDELINES,
    find: (context) =>
      frameProblems(context).map((message) => ({
        message,
        file: context.templates[0]?.file,
        hint: 'The template that ships with Broadsheet has all of it: compare with that.',
      })),
  },
  {
    id: 'heading-order',
    severity: 'warning',
    reason: 'Screen readers go from heading to heading, and get lost where a level is skipped.',
    source: 'H-07',
    url: 'https://www.w3.org/WAI/tutorials/page-structure/headings/',
    find: (context) => headingProblems(context),
  },
  {
    id: 'table-role',
    severity: 'warning',
    reason: 'A screen reader counts out rows and columns of every table that is not called layout.',
    source: 'H-07',
    url: GUIDELINES,
    find: (context) =>
      firstOf(
        context,
        ({ tag, attributes, children }) =>
          tag === 'table' &&
          !/^(presentation|none)$/.test(attributes.role ?? '') &&
          !hasHeads(children),
        () => ({
          message: 'A table of the layout has no role="presentation"',
          hint: 'Write it, or give a table of data its heads: <th scope="col">.',
        }),
      ),
  },
  {
    id: 'element-renamed',
    severity: 'warning',
    reason: 'Several programs remove or rename these elements, and their styles go with them.',
    source: 'H-07',
    url: 'https://www.caniemail.com/features/html-semantics/',
    find: (context) =>
      firstOf(
        context,
        ({ tag }) => RENAMED.has(tag),
        ({ tag }) => ({
          message: `<${tag}> is not kept by all programs`,
          hint: 'Use <div> or <p>.',
        }),
      ),
  },
  {
    id: 'element-refused',
    severity: 'error',
    reason: 'Programs take it out, and filters take the mail for an attack.',
    source: 'H-32',
    url: GUIDELINES,
    find: (context) =>
      firstOf(
        context,
        ({ tag, attributes }) =>
          REFUSED.has(tag) || Object.keys(attributes).some((name) => /^on[a-z]+$/.test(name)),
        ({ tag, attributes }) => {
          const handler = Object.keys(attributes).find((name) => /^on[a-z]+$/.test(name));
          return {
            message: REFUSED.has(tag)
              ? `<${tag}> has no place in a mail`
              : `<${tag} ${handler}> holds a script`,
            hint: 'Link to a page on the web that has it.',
          };
        },
      ),
  },
  {
    id: 'id-twice',
    severity: 'warning',
    reason: 'A link to a place that exists twice leads to the wrong one.',
    source: 'H-25',
    url: 'https://html.spec.whatwg.org/multipage/dom.html#the-id-attribute',
    find: (context) => {
      const ids = context.html.elements.filter(({ attributes }) => attributes.id);
      const twice = ids.filter(({ attributes: { id } }, at) =>
        ids.slice(0, at).some((before) => before.attributes.id === id),
      );
      return twice.map((element) => ({
        message: `The id "${element.attributes.id}" stands twice in the mail`,
        ...placeOf(context, element),
        hint: 'Give one of them another id.',
      }));
    },
  },
  {
    id: 'too-wide',
    severity: 'warning',
    reason: 'What is wider than 600 pixels is cut off or shrunk in reading panes.',
    source: 'H-09',
    url: GUIDELINES,
    find: (context) =>
      firstOf(
        context,
        ({ tag, attributes }) =>
          tag !== 'img' &&
          (Number(attributes.width) > WIDEST || fixedWidth(attributes.style ?? '') > WIDEST),
        ({ tag, attributes }) => ({
          message: `<${tag}> is ${attributes.width || `${fixedWidth(attributes.style ?? '')}px`} wide; ${WIDEST} pixels fit everywhere`,
          hint: 'Let it be fluid: width 100 %, max-width 600px.',
        }),
      ),
  },
  {
    id: 'remote-style',
    severity: 'warning',
    reason:
      'Typefaces and sheets from elsewhere tell a stranger who opens the mail, and are blocked in places.',
    source: 'D-51',
    url: 'https://www.caniemail.com/features/css-at-font-face/',
    find: (context) => remoteStyles(context),
  },
  {
    id: 'text-small',
    severity: 'warning',
    reason: 'Smaller text is hard to read on a phone, and iOS enlarges it as it likes.',
    source: 'H-16',
    url: OWN_PAGE,
    find: (context) => {
      const style = styleOf(context.html);
      return firstSpeaking(context, (element) => {
        const size = pixels(inherited(element, 'font-size', style));
        if (size === 0 || size >= SMALLEST_TEXT) return undefined;
        return {
          message: `${quoted(wordsIn(element))} is set in ${size} pixels; ${SMALLEST_TEXT} is the least`,
          hint: 'Text has 16 pixels or more, the footer 13.',
        };
      });
    },
  },
  {
    id: 'chinese-typography',
    severity: 'warning',
    reason:
      'Slanted Chinese is a distorted face, and justified lines tear gaps beside Latin words.',
    source: 'H-19',
    url: 'https://www.w3.org/TR/clreq/',
    find: (context) => {
      if (languageOf(context.issue.language) !== 'zh') return [];
      const style = styleOf(context.html);
      return firstSpeaking(context, (element) => {
        const words = wordsIn(element);
        if (!/\p{Script=Han}/u.test(words)) return undefined;
        if (inherited(element, 'text-align', style) === 'justify')
          return { message: `${quoted(words)} is justified`, hint: 'Write text-align: left.' };
        const slanted = chainOf(element).find(
          (link) => style(link).has('font-style') || /^(em|i|cite)$/.test(link.tag),
        );
        if (!slanted || !/^(italic|oblique)/.test(style(slanted).get('font-style') ?? 'italic'))
          return undefined;
        return {
          message: `${quoted(words)} is set in italics`,
          hint: 'Emphasise Chinese by weight: em { font-style: normal; font-weight: bold; }',
        };
      });
    },
  },
];

function stylesIn({ elements }: HtmlDocument): HtmlElement[] {
  return elements.filter(({ tag }) => tag === 'style');
}

/** Reports the first element, with how many more there are: a template's mistake repeats itself. */
function firstOf(
  context: Context,
  isWrong: (element: HtmlElement) => boolean,
  say: (element: HtmlElement) => Found,
): Found[] {
  const [first, ...more] = context.html.elements.filter(isWrong);
  if (!first) return [];
  const found = say(first);
  const count = more.length > 0 ? ` (and ${more.length} more)` : '';
  return [{ ...placeOf(context, first), ...found, message: found.message + count }];
}

/** The same for elements with words of their own. */
function firstSpeaking(
  context: Context,
  say: (element: HtmlElement) => Found | undefined,
): Found[] {
  const wrong = new Map(
    speaking(context.html).flatMap((element) => {
      const found = say(element);
      return found ? [[element, found] as const] : [];
    }),
  );
  return firstOf(
    context,
    (element) => wrong.has(element),
    (element) => ({ ...placeOfLooks(context, element), ...(wrong.get(element) as Found) }),
  );
}

function brokenStyle(context: Context, css: string, { message, at }: CssProblem): Found {
  const line =
    css
      .slice(css.lastIndexOf('\n', at) + 1)
      .split('\n')[0]
      ?.trim() ?? '';
  return {
    message: `${message}: ${quoted(line)}`,
    ...(inTemplate(context, line.slice(0, 40)) ?? { file: context.templates[0]?.file }),
    hint: 'Mend the style sheet; an editor that knows CSS marks the place.',
  };
}

/** What the frame of the document lacks. */
function frameProblems({ html, email, issue }: Context): string[] {
  const { elements, hasDoctype } = html;
  const find = (tag: string) => elements.find((element) => element.tag === tag);
  const root = find('html')?.attributes ?? {};
  const metas = elements.filter(({ tag }) => tag === 'meta');
  const charset = metas.some(({ attributes: { charset, content } }) =>
    /utf-8/i.test(`${charset ?? ''} ${content ?? ''}`),
  );
  const wrapper = find('body')?.children.find((child) => typeof child !== 'string');
  return [
    hasDoctype ? '' : 'There is no <!doctype html>',
    root.lang === issue.language
      ? ''
      : `<html> has lang="${root.lang ?? ''}", the issue ${issue.language}`,
    root.dir ? '' : '<html> has no dir',
    textIn(find('title') ?? NOTHING).trim() === email.subject.trim()
      ? ''
      : 'The <title> is not the subject',
    charset ? '' : 'There is no <meta charset="utf-8">',
    metas.some(({ attributes }) => attributes.name === 'viewport')
      ? ''
      : 'There is no <meta name="viewport">',
    wrapper && wrapper.attributes.lang === issue.language
      ? ''
      : 'The first element in the body does not repeat lang; webmail drops <html>',
  ].filter((problem) => problem !== '');
}

const NOTHING: HtmlElement = {
  tag: '',
  attributes: {},
  parent: undefined,
  children: [],
  line: 0,
  start: 0,
  end: 0,
};

function headingProblems(context: Context): Found[] {
  const headings = context.html.elements.filter(({ tag }) => /^h[1-6]$/.test(tag));
  const firsts = headings.filter(({ tag }) => tag === 'h1');
  const found: Found[] = [];
  if (firsts.length !== 1) {
    const [, second] = firsts;
    found.push({
      message: `The mail has ${firsts.length} headings of the first level instead of one`,
      ...(second ? placeOf(context, second) : { file: context.templates[0]?.file }),
      hint: 'Set the title as <h1>, everything else below it.',
    });
  }
  const skipped = headings.find(
    ({ tag }, at) => at > 0 && level(tag) > level(headings[at - 1]?.tag ?? '') + 1,
  );
  if (skipped) {
    found.push({
      message: `${quoted(wordsIn(skipped))} is an <${skipped.tag}>, and no <h${level(skipped.tag) - 1}> stands before it`,
      ...placeOf(context, skipped),
      hint: 'Headings go down one level at a time.',
    });
  }
  return found;
}

function level(tag: string): number {
  return Number(tag.slice(1));
}

function hasHeads(children: HtmlElement['children']): boolean {
  return children.some(
    (child) => typeof child !== 'string' && (child.tag === 'th' || hasHeads(child.children)),
  );
}

function remoteStyles(context: Context): Found[] {
  const links = context.html.elements
    .filter(
      ({ tag, attributes }) =>
        tag === 'link' && /stylesheet|font/i.test(`${attributes.rel} ${attributes.as}`),
    )
    .map(({ attributes }) => attributes.href ?? '');
  const imports = stylesIn(context.html).flatMap((style) => {
    const { statements, blocks } = parseSheet(textIn(style));
    const faces = blocks.filter(({ prelude }) => /^@font-face/i.test(prelude));
    const sources = faces.flatMap(({ declarations }) => declarations.map(({ value }) => value));
    return [...statements.filter((each) => /^@import/i.test(each)), ...sources].flatMap(
      (text) => /https?:\/\/[^"')\s]+/i.exec(text)?.[0] ?? [],
    );
  });
  return [...links, ...imports].map((address) => ({
    message: `A style or typeface is fetched from ${address}`,
    ...(inTemplate(context, address) ?? { file: context.templates[0]?.file }),
    hint: 'Use typefaces that readers have; the template lists some.',
  }));
}

function fixedWidth(style: string): number {
  return pixels(/(?:^|;)\s*(?:min-)?width:\s*([\d.]+px)/.exec(style)?.[1]);
}

/** 0 for what is not in pixels. */
function pixels(value: string | undefined): number {
  return Number(/^([\d.]+)px$/.exec(value ?? '')?.[1] ?? 0);
}
