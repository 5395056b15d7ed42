/** The public pages around a newsletter: templates/pages, in the words of the reader's language. */
import { inputError } from '../errors.ts';
import { fillTemplate, trusted } from './handlebars.ts';
import { checkTemplates } from './template-check.ts';
import type { TemplateFile, Templates } from './templates.ts';
import { type Language, type Word, word } from './words.ts';

/** What every page says. */
export interface PageData {
  /** The newsletter's name. */
  name: string;
  /** Path of the public site: empty at the root, else such as `/weekly`. */
  base: string;
}

/** What each page says besides. Addresses come masked (W-13). */
export interface Pages {
  /** Asks; the form posts `confirm=unsubscribe` to the page's own address (W-05, W-06). */
  unsubscribe: { address: string };
  /** Done, also for the second time. */
  unsubscribed: { address: string };
  /** A token that is none; readers get an address to write to. */
  'invalid-link': { contact: string };
  /** What has been sent, newest first. */
  home: { issues: { title: string; path: string; day: string }[] };
  'not-found': object;
}

const TITLES: Record<keyof Pages, Word> = {
  unsubscribe: 'unsubscribeTitle',
  unsubscribed: 'unsubscribedTitle',
  'invalid-link': 'invalidLinkTitle',
  home: 'homeTitle',
  'not-found': 'notFoundTitle',
};

/**
 * A whole page: the page's own template inside `layout`. It needs `page.css` (a file of
 * templates/pages, to be served as `BASE/page.css`) and nothing else: no script, no picture (W-07).
 * @throws BroadsheetError `template-missing`, `template-invalid` with file and line
 */
export function renderPage<Name extends keyof Pages>(
  { pages }: Pick<Templates, 'pages'>,
  page: Name,
  data: PageData & Pages[Name],
  language: Language,
): string {
  const [own, layout] = [templateOf(pages, page), templateOf(pages, 'layout')];
  checkTemplates([own, layout], {});
  const locale = language === 'zh' ? 'zh-CN' : 'en';
  const fill = (template: TemplateFile, values: object) =>
    fillTemplate(template, {}, { ...data, ...values }, { language, locale }).output;
  const title = word(language, TITLES[page], { ...data });
  const isIndex = page === 'home';
  return fill(layout, { locale, title, isIndex, content: trusted(fill(own, {})) });
}

/** @throws BroadsheetError `template-missing` */
export function templateOf(pages: Templates['pages'], name: string): TemplateFile {
  const template = pages[name];
  if (template) return template;
  throw inputError('template-missing', 'There is no such page', {
    file: `templates/pages/${name}.hbs`,
    hint: '`broadsheet init` writes the usual pages.',
  });
}
