/** What mail programs do not support, beyond what every MJML mail uses (caniemail.com). */
import { type HtmlDocument, type HtmlElement, textIn } from '../render/document.ts';
import { compileMjml } from '../render/mjml.ts';
import type { Check, Context, Found } from './check.ts';
import { inTemplate } from './place.ts';

/** The programs of nearly all readers; those of QQ and NetEase have no data. */
const CLIENTS = [
  'apple-mail.ios',
  'apple-mail.macos',
  'gmail.android',
  'gmail.desktop-webmail',
  'gmail.ios',
  'outlook.ios',
  'outlook.outlook-com',
  'outlook.windows',
  'samsung-email.android',
  'yahoo.desktop-webmail',
] as const;

/** A mail without it looks plainer and loses nothing. */
const HARMLESS = new Set([
  'text-wrap',
  'text-decoration-color',
  'text-decoration-thickness',
  'text-underline-offset',
  'color-scheme meta tag',
  'border-radius',
  'box-shadow',
  'text-shadow',
  'letter-spacing',
  'hyphens',
  'font-kerning',
  ':hover',
  'transition',
  'animation',
  '@media (prefers-color-scheme)',
  'Attribute selector',
  'Child combinator',
  'Adjacent sibling combinator',
  'object-fit',
  // Has a check of its own.
  'Local anchors',
]);

/** MJML's own frame, to which nobody can do anything. */
const FRAME =
  '<mjml lang="en" dir="ltr"><mj-head><mj-title>-</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>-</mj-text></mj-column></mj-section></mj-body></mjml>';

export const SUPPORT_CHECKS: Check[] = [
  {
    id: 'client-support',
    severity: 'warning',
    reason: 'A program that does not know it shows the mail without it, or broken.',
    source: 'H-24',
    url: 'https://www.caniemail.com/',
    find: async (context) => {
      const mail = await ofMail(essenceOf(context.html));
      const frame = await ofFrame();
      return [...mail]
        .filter(([feature]) => !HARMLESS.has(feature))
        .map(([feature, clients]) => ({
          feature,
          clients: [...clients].filter((client) => !frame.get(feature)?.has(client)),
        }))
        .filter(({ clients }) => clients.length > 0)
        .map(({ feature, clients }) => found(context, feature, clients));
    },
  },
];

type Unsupported = ReadonlyMap<string, ReadonlySet<string>>;

function found(context: Context, feature: string, clients: string[]): Found {
  const word = /[a-z][\w-]+/i.exec(feature)?.[0] ?? feature;
  return {
    message: `${feature} does not work in ${clients.join(', ')}`,
    ...(inTemplate(context, word) ?? { file: context.templates[0]?.file }),
    hint: `See whether the mail can be read without it: https://www.caniemail.com/search/?s=${encodeURIComponent(word)}`,
  };
}

/**
 * One element of each kind, and the style sheets: all that support depends on. A mail has the same few
 * kinds over and over, and looking at each again takes ten times as long.
 */
export function essenceOf({ elements }: HtmlDocument): string {
  const sheets = elements.filter(({ tag }) => tag === 'style');
  const styles = sheets.map((sheet) => `<style>${textIn(sheet)}</style>`);
  const kinds = new Set(elements.filter(({ tag }) => !FRAME_TAGS.has(tag)).map(kindOf));
  return `<!doctype html><html><head>${styles.join('')}</head><body>${[...kinds].join('\n')}</body></html>`;
}

const FRAME_TAGS = new Set(['html', 'head', 'body', 'style', 'title']);

/** An element without its words; of an address only what kind it is. */
function kindOf({ tag, attributes }: HtmlElement): string {
  const written = Object.entries(attributes).map(([name, value]) => {
    const kept =
      name === 'href' || name === 'id' ? (/^(mailto:|tel:|#)?/.exec(value)?.[0] ?? '') : value;
    return ` ${name}="${kept.replace(/&/g, '&amp;').replace(/"/g, '&quot;')}"`;
  });
  return `<${tag}${written.join('')}></${tag}>`;
}

let frame: Promise<Unsupported> | undefined;

function ofFrame(): Promise<Unsupported> {
  frame ??= compileMjml(FRAME).then((made) => unsupported('html' in made ? made.html : ''));
  return frame;
}

/** What was found last: words that change, change nothing of it, and the studio asks at every save. */
let last: { essence: string; found: Promise<Unsupported> } | undefined;

function ofMail(essence: string): Promise<Unsupported> {
  if (last?.essence !== essence) last = { essence, found: unsupported(essence) };
  return last.found;
}

/** Feature → programs that know nothing of it. The data is loaded when it is first asked for. */
async function unsupported(html: string): Promise<Unsupported> {
  const { caniemail } = await import('caniemail');
  const features = new Map<string, Set<string>>();
  const look = (clients: readonly (typeof CLIENTS)[number][]) => {
    for (const [client, issues] of caniemail({ clients: [...clients], html }).issues.errors) {
      for (const { title } of issues)
        features.set(title, (features.get(title) ?? new Set()).add(client));
    }
  };
  try {
    look(CLIENTS);
  } catch {
    // It throws where its data lack a program for one feature: then each program by itself.
    features.clear();
    for (const client of CLIENTS) {
      try {
        look([client]);
      } catch {}
    }
  }
  return features;
}
