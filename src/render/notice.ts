/** Mails to one person: plain text, from templates/notices, in the words of the reader's language. */
import { inputError } from '../errors.ts';
import type { Email } from '../issue/email.ts';
import { fillTemplate } from './handlebars.ts';
import { checkTemplates } from './template-check.ts';
import type { Templates } from './templates.ts';
import { languageOf, type Word, word } from './words.ts';

export type NoticeKind = 'confirm' | 'already' | 'link' | 'confirm-move' | 'moved';

/** What a notice may say. Links that the kind does not need are not in its template. */
export interface NoticeData {
  /** The newsletter's name. */
  name: string;
  /** Link to confirm; empty where nothing is to be confirmed. */
  confirm: string;
  unsubscribe: string;
  preferences: string;
  /** Masked; empty where the list does not move. */
  newAddress: string;
  sender: { name: string; postalAddress: string; contact: string };
}

const SUBJECTS: Record<NoticeKind, Word> = {
  confirm: 'confirmMailSubject',
  already: 'alreadyMailSubject',
  link: 'linkMailSubject',
  'confirm-move': 'confirmMoveMailSubject',
  moved: 'movedMailSubject',
};

/**
 * Subject and text of a notice.
 * @param tag BCP 47
 * @throws BroadsheetError `template-missing`, `template-invalid` with file and line
 */
export function renderNotice(
  { notices }: Pick<Templates, 'notices'>,
  kind: NoticeKind,
  data: NoticeData,
  tag: string,
): Pick<Email, 'subject' | 'text'> {
  const [own, layout] = [templateOf(notices, kind), templateOf(notices, 'layout')];
  checkTemplates([own, layout], {});
  const language = languageOf(tag);
  const options = { language, locale: language === 'zh' ? 'zh-CN' : 'en', plain: true };
  const content = fillTemplate(own, {}, data, options).output.trim();
  const { output } = fillTemplate(layout, {}, { ...data, content }, options);
  const text = `${output
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
  return { subject: word(language, SUBJECTS[kind], { name: data.name }), text };
}

function templateOf(notices: Templates['notices'], name: string) {
  const template = notices[name];
  if (template) return template;
  throw inputError('template-missing', 'There is no such mail', {
    file: `templates/notices/${name}.hbs`,
    hint: '`broadsheet init` writes the usual ones.',
  });
}
