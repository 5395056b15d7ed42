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

/** A page whose form a stranger may fill in. */
interface Form {
  /** As it was typed; empty at first. */
  address: string;
  /** What is to be done about it: it is no address. */
  invalid: boolean;
}

/** What each page says besides. Addresses come masked (W-13), but for those that were just typed. */
export interface Pages {
  /** Asks for an address (W-10). */
  subscribe: Form & {
    open: boolean;
    /** When the form was shown, signed. */
    issued: string;
    /** Once more, because it came from elsewhere or too fast. */
    again: boolean;
    /** What was probably meant; empty where nothing looks wrong (W-18). */
    suggestion: string;
    /** What the reader agrees to. */
    consent: string;
    /** Link to the privacy notice; may be empty. */
    privacy: string;
  };
  /** The same for every address (W-04). */
  asked: object;
  'too-many': object;
  /** Asks; the form posts to the page's own address (W-02). */
  confirm: { address: string; moves: boolean };
  confirmed: { address: string; moves: boolean };
  /** The link has done its work before (W-03). */
  used: { address: string };
  expired: object;
  /** Asks; the form posts `confirm=unsubscribe` to the page's own address (W-05, W-06). */
  unsubscribe: { address: string; preferencesToken: string };
  /** Done, also for the second time; may be taken back for a while. */
  unsubscribed: { address: string; undoToken: string };
  undone: { address: string };
  /** Asks where to mail the links to leave and to the preferences (W-12). */
  link: Form;
  preferences: {
    address: string;
    /** Of the address that the forms post to. */
    token: string;
    subscribed: boolean;
    saved: boolean;
    chinese: boolean;
    invalid: boolean;
    unsubscribeToken: string;
  };
  /** A token that is none; readers get an address to write to, and may have a fresh link mailed. */
  'invalid-link': { contact: string };
  /** What has been sent, newest first. */
  home: { issues: { title: string; path: string; day: string }[]; open: boolean };
  'not-found': object;
}

const TITLES: Record<keyof Pages, Word> = {
  subscribe: 'subscribeTitle',
  asked: 'askedTitle',
  'too-many': 'tooManyTitle',
  confirm: 'confirmTitle',
  confirmed: 'confirmedTitle',
  used: 'usedTitle',
  expired: 'expiredTitle',
  unsubscribe: 'unsubscribeTitle',
  unsubscribed: 'unsubscribedTitle',
  undone: 'undoneTitle',
  link: 'linkTitle',
  preferences: 'preferencesTitle',
  'invalid-link': 'invalidLinkTitle',
  home: 'homeTitle',
  'not-found': 'notFoundTitle',
};

/** Where the address changes, the same pages say so. */
const MOVING: Partial<Record<keyof Pages, Word>> = {
  confirm: 'confirmMoveTitle',
  confirmed: 'movedTitle',
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
  const moves = 'moves' in data && data.moves;
  const title = word(language, (moves && MOVING[page]) || TITLES[page], { ...data });
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
