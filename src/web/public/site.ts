/** What the groups of public routes share: a newsletter, and its pages in the language of a request. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Newsletter } from '../../newsletter/newsletter.ts';
import { type PageData, type Pages, renderPage } from '../../render/page.ts';
import { loadTemplates } from '../../render/templates.ts';
import { type Language, languageOf } from '../../render/words.ts';

export interface Site {
  newsletter: Newsletter;
  show: Show;
  languageFor(request: FastifyRequest): Language;
}

/** Shows a page, in the language of the request unless it is given one. */
export type Show = <Name extends keyof Pages>(
  request: FastifyRequest,
  reply: FastifyReply,
  page: Name,
  data: Pages[Name],
  language?: Language,
) => FastifyReply;

/** Templates are read once, when the server is made. */
export function siteOf(newsletter: Newsletter): Site {
  const { dir, settings } = newsletter;
  const templates = loadTemplates(dir, settings.template);
  const data: PageData = {
    name: settings.name,
    base: new URL(settings.site.url).pathname.replace(/\/$/, ''),
  };
  const languageFor = (request: FastifyRequest) => spoken(request, settings.language);
  const show: Show = (request, reply, page, own, language = languageFor(request)) =>
    reply
      .header('Content-Security-Policy', PAGE_POLICY)
      .header('X-Robots-Tag', 'noindex')
      .header('Cache-Control', 'no-store')
      .header('Vary', 'Accept-Language')
      .type('text/html; charset=utf-8')
      .send(renderPage(templates, page, { ...data, ...own }, language));
  return { newsletter, show, languageFor };
}

/** A page with a form, one style sheet and nothing else (W-07). */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'";

/** What a link that is none leads to: an address to write to, and a form that mails a fresh one (W-12). */
export function invalidLink(
  { newsletter, show }: Site,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const { sender } = newsletter.settings;
  const contact = sender.replyTo ?? sender.address;
  return show(request, reply.code(404), 'invalid-link', { contact });
}

/** The first language of the browser that we speak, else the list's (W-16). */
export function spoken(request: FastifyRequest, list: string): Language {
  const wanted = String(request.headers['accept-language'] ?? '')
    .split(',')
    .map((part) => part.trim().toLowerCase());
  return languageOf(wanted.find((tag) => /^(zh|en)\b/.test(tag)) ?? list);
}
