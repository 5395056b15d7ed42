/** The pictures of the finished mail: addresses, sizes, words in their place. */
import { isPublicSite } from '../config/secrets.ts';
import { plainText } from '../issue/markdown.ts';
import type { HtmlDocument, HtmlElement } from '../render/document.ts';
import { type Check, type Context, OWN_PAGE } from './check.ts';
import { placeOf } from './place.ts';

/** Characters below which a mail with pictures is nothing but pictures (H-14). */
const FEWEST_CHARACTERS = 200;

const GUIDELINES = 'https://github.com/hteumeuleu/email-guidelines';

export const PICTURE_CHECKS: Check[] = [
  {
    id: 'image-address',
    severity: 'error',
    reason:
      'Programs drop pictures that are not on https:, and SVG, WebP and embedded ones in places.',
    source: 'H-10',
    url: 'https://www.caniemail.com/search/?s=image',
    find: (context) =>
      imagesIn(context.html).flatMap((image) => {
        const source = image.attributes.src ?? '';
        const kind = /\.(svg|webp|avif)(?:[?#]|$)/i.exec(source)?.[1]?.toLowerCase();
        if (/^https:\/\//i.test(source) && !kind) return [];
        const place = placeOf(context, image);
        if (kind)
          return [
            {
              message: `The picture ${source} is ${kind.toUpperCase()}, which Outlook or Gmail does not show`,
              severity: kind === 'svg' ? ('error' as const) : ('warning' as const),
              ...place,
              hint: 'Save it as PNG or JPEG.',
            },
          ];
        const message = `The picture "${source.slice(0, 60)}" is not on https:`;
        if (isOnTrial(context, source))
          return [
            {
              message: `${message}: only this machine sees it`,
              severity: 'warning' as const,
              ...place,
              hint: 'No campaign by SMTP starts before site.url in config/newsletter.yaml is public and https:.',
            },
          ];
        return [{ message, ...place, hint: 'Put it on a web server that speaks https:.' }];
      }),
  },
  {
    id: 'image-without-size',
    severity: 'warning',
    reason:
      'Without its size the page jumps while pictures load, and Outlook shows them as large as they are.',
    source: 'H-13',
    url: GUIDELINES,
    find: (context) =>
      imagesIn(context.html)
        .filter(({ attributes }) => !(Number(attributes.width) > 0))
        .map((image) => ({
          message: `The picture ${image.attributes.src} has no width`,
          ...placeOf(context, image),
          hint: 'Put the file beside issue.md and name it: ![what it shows](chart.png). Its size is then known.',
        })),
  },
  {
    id: 'image-without-alt-in-template',
    severity: 'error',
    reason: 'Many programs show no pictures until asked, and some readers never see them.',
    source: 'H-13',
    url: 'https://www.w3.org/TR/WCAG22/#non-text-content',
    find: (context) =>
      imagesIn(context.html)
        .filter(({ attributes: { src = '', alt, role } }) => {
          const isDecoration =
            alt === '' && (role === 'presentation' || /\balt=""/.test(sourceOf(context, src)));
          return !alt?.trim() && !isDecoration && !context.text.includes(src);
        })
        .map((image) => ({
          message: `The picture ${image.attributes.src} of the template has no description`,
          ...placeOf(context, image),
          hint: 'Write alt="what it shows", or alt="" where it is only decoration.',
        })),
  },
  {
    id: 'images-only',
    severity: 'warning',
    reason: 'With pictures off nothing is left, and filters know such mails from spammers.',
    source: 'H-14',
    url: OWN_PAGE,
    find: ({ html, issue }) => {
      const shown = issue.sections.filter(({ held }) => !held);
      const texts = shown.flatMap(({ prose, items }) => [
        prose,
        ...items.filter(({ held }) => !held).map(({ headline, body }) => `${headline}\n\n${body}`),
      ]);
      const words = [issue.opening, ...texts].join('\n\n').replace(/!\[[^\]]*\]\([^)]*\)/g, '');
      const characters = plainText(words).replace(/\s/g, '').length;
      if (imagesIn(html).length === 0 || characters >= FEWEST_CHARACTERS) return [];
      return [
        {
          message: `Beside its pictures the mail has ${characters} characters of text`,
          hint: 'Say in words what the pictures show.',
        },
      ];
    },
  },
];

function imagesIn({ elements }: HtmlDocument): HtmlElement[] {
  return elements.filter(({ tag }) => tag === 'img');
}

/** A picture of ours while the site is no public one: nobody is mailed by SMTP from there anyway (D-13). */
function isOnTrial({ settings: { site } }: Context, source: string): boolean {
  return !isPublicSite(site.url) && source.startsWith(`${site.url.replace(/\/$/, '')}/`);
}

/** The line of a template that names a picture. */
function sourceOf({ templates }: Context, src: string): string {
  const lines = templates.flatMap(({ source }) => source.split('\n'));
  return lines.find((line) => src !== '' && line.includes(src)) ?? '';
}
