/** What the groups of public routes share: a newsletter, and its pages in the language of a request. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Newsletter } from '../../newsletter/newsletter.ts';
import { type PageData, type Pages, renderPage } from '../../render/page.ts';
import { loadTemplates } from '../../render/templates.ts';
import { type Language, languageOf } from '../../render/words.ts';

export interface Site {
  newsletter: Newsletter;
  show: Show;
}

/** Shows a page in the language of the request. */
export type Show = <Name extends keyof Pages>(
  request: FastifyRequest,
  reply: FastifyReply,
  page: Name,
  data: Pages[Name],
) => FastifyReply;

/** Templates are read once, when the server is made. */
export function siteOf(newsletter: Newsletter): Site {
  const { dir, settings } = newsletter;
  const templates = loadTemplates(dir, settings.template);
  const data: PageData = {
    name: settings.name,
    base: new URL(settings.site.url).pathname.replace(/\/$/, ''),
  };
  const show: Show = (request, reply, page, own) =>
    reply
      .header(
        'Content-Security-Policy',
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
      )
      .header('X-Robots-Tag', 'noindex')
      .header('Cache-Control', 'no-store')
      .header('Vary', 'Accept-Language')
      .type('text/html; charset=utf-8')
      .send(
        renderPage(templates, page, { ...data, ...own }, languageFor(request, settings.language)),
      );
  return { newsletter, show };
}

/** The first language of the browser that we speak, else the list's (W-16). */
export function languageFor(request: FastifyRequest, list: string): Language {
  const wanted = String(request.headers['accept-language'] ?? '')
    .split(',')
    .map((part) => part.trim().toLowerCase());
  const spoken = wanted.find((tag) => /^(zh|en)\b/.test(tag));
  return languageOf(spoken ?? list);
}
