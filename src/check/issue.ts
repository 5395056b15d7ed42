/** What stands in the editor's file: unfinished work, empty places, ids, head, language, repetition. */
import type { Item, Section } from '../issue/issue.ts';
import { imagesOf, plainText } from '../issue/markdown.ts';
import { findChecks } from '../issue/parse.ts';
import { columns } from '../render/preheader.ts';
import { languageOf } from '../render/words.ts';
import { type Check, type Context, OWN_PAGE } from './check.ts';
import { inHead, lineAt, quoted } from './place.ts';

/** Columns of a Latin letter's width: what no inbox shows whole, and what a preheader has room for (H-15). */
const LONGEST_SUBJECT = 100;
const PREHEADER = { fewest: 40, most: 140 };

/** What people write when they mean to come back. */
const PLACEHOLDERS = [
  /\blorem ipsum\b/gi,
  /\b(?:TODO|FIXME|TBD|TBC|XXX+)\b/g,
  /\bx{3,}\b/g,
  /\{\{[^{}\n]*\}\}|\$\{[^{}\n]*\}|\[(?:insert|your|name|title|link|date)\b[^\]\n]*\](?!\()/gi,
  /(?<=^|[\s[（(【:：])(?:待定|待补充?|待确认|此处填写|占位符?)(?=$|[\s\])）】。])/gm,
];

/** Letters that show in what language something is written; fewer say nothing. */
const ENOUGH_LETTERS = 80;

const EMOJI = /\p{Extended_Pictographic}(?![\u{fe0e}])/u;

export const ISSUE_CHECKS: Check[] = [
  {
    id: 'unfinished-check',
    severity: 'error',
    reason: 'The draft was unsure here and asks for a person; nobody has answered yet.',
    source: 'H-25',
    url: OWN_PAGE,
    find: ({ text }) =>
      findChecks(text).map(({ text: question, line, column }) => ({
        message: `Left to check: ${question}`,
        line,
        column,
        hint: 'Settle it and delete the <!-- check: … --> mark.',
      })),
  },
  {
    id: 'issue-empty',
    severity: 'error',
    reason: 'A mail without a story is a mistake.',
    source: 'H-25',
    url: OWN_PAGE,
    find: ({ issue: { opening, sections } }) =>
      opening || sections.some((section) => isFilled(section))
        ? []
        : [
            {
              message: 'There is nothing to send in it',
              hint: 'Take .held off a story, or write one.',
            },
          ],
  },
  {
    id: 'section-empty',
    severity: 'warning',
    reason: 'A section without prose and stories leaves no trace in the mail.',
    source: 'H-25',
    url: OWN_PAGE,
    find: ({ issue: { sections } }) =>
      sections
        .filter((section) => !section.held && !isFilled(section))
        .map(({ name, line }) => ({
          message: `The section ${quoted(name)} is empty and will not be shown`,
          line,
          hint: 'Write something under it, delete it, or mark it {.held}.',
        })),
  },
  {
    id: 'item-empty',
    severity: 'error',
    reason: 'A headline without a word under it looks like a fault of the mail.',
    source: 'H-25',
    url: OWN_PAGE,
    find: (context) =>
      sentItems(context)
        .filter(
          ({ body, links }) =>
            plainText(body) === '' && imagesOf(body).length === 0 && links.length === 0,
        )
        .map(({ headline, line }) => ({
          message: `${quoted(headline)} has no text`,
          line,
          hint: 'Write it, or mark it {.held} to keep it back.',
        })),
  },
  {
    id: 'placeholder',
    severity: 'error',
    reason: 'Words that only held a place were left standing; readers would get them as they are.',
    source: 'H-25',
    url: OWN_PAGE,
    find: ({ text }) => {
      const words = withoutCode(text);
      return PLACEHOLDERS.flatMap((pattern) => [...words.matchAll(pattern)]).map((match) => ({
        message: `${quoted(match[0])} looks like a placeholder`,
        ...lineAt(words, match.index),
        hint: 'Write what belongs there. What is meant literally can stand in `code`.',
      }));
    },
  },
  {
    id: 'id-missing',
    severity: 'info',
    reason: 'An id made from the position changes when stories are moved, and links to it break.',
    source: 'H-25',
    url: OWN_PAGE,
    find: (context) => {
      const items = sentItems(context).filter(({ id }) => /^item-\d+(-\d+)?$/.test(id));
      const [first] = items.filter(({ line }) => !/\{[^{}]*#/.test(lineOf(context, line)));
      if (!first) return [];
      const count = items.length === 1 ? '' : `, and ${items.length - 1} more`;
      return [
        {
          message: `${quoted(first.headline)}${count}: the id comes from the position`,
          line: first.line,
          hint: 'Write one at the end of the heading: {#falcon-180b}',
        },
      ];
    },
  },
  {
    id: 'item-without-link',
    severity: 'warning',
    reason: 'A reader who wants to know more, or doubts it, has nowhere to go.',
    source: 'H-25',
    url: OWN_PAGE,
    find: (context) =>
      sentItems(context)
        .filter(
          ({ ad, links, body }) =>
            !ad && body !== '' && links.length === 0 && !/https?:\/\//.test(body),
        )
        .map(({ headline, line }) => ({
          message: `${quoted(headline)} names no source`,
          line,
          hint: 'End the item with a line of links: [where it comes from](https://…)',
        })),
  },
  {
    id: 'repeated-story',
    severity: 'warning',
    reason: 'Readers notice when a story that they have read comes again as news.',
    source: 'H-25',
    url: OWN_PAGE,
    find: (context) =>
      context.told.flatMap(({ id, issue, headline }) => {
        const item = sentItems(context).find((each) => each.id === id);
        if (!item) return [];
        return [
          {
            message: `${quoted(item.headline)} was told in ${issue}: ${quoted(headline)}`,
            line: item.line,
            hint: 'Say what is new in it, or leave it out.',
          },
        ];
      }),
  },
  {
    id: 'language-mismatch',
    severity: 'warning',
    reason:
      'The language chooses typefaces, line height, the words around the text and how it is read aloud.',
    source: 'H-06',
    url: 'https://www.w3.org/TR/WCAG22/#language-of-page',
    find: (context) => {
      const words = sentItems(context)
        .map(({ headline, body }) => plainText(`${headline}\n\n${body}`))
        .join('');
      const han = words.match(/\p{Script=Han}/gu)?.length ?? 0;
      const latin = words.match(/\p{Script=Latin}/gu)?.length ?? 0;
      if (han + latin < ENOUGH_LETTERS) return [];
      const { language } = context.issue;
      // A Chinese character says about as much as three letters.
      const isChinese = han * 3 > latin;
      if (isChinese === (languageOf(language) === 'zh') || /^(ja|ko)\b/.test(language)) return [];
      return [
        {
          message: `The issue says that its language is ${language}, but most of it is ${isChinese ? 'Chinese' : 'in Latin letters'}`,
          ...inHead(context, 'language'),
          hint: `Write in the head: language: ${isChinese ? 'zh-CN' : 'en'}`,
        },
      ];
    },
  },
  {
    id: 'subject-pretends',
    severity: 'error',
    reason: 'A subject that pretends to be an answer is taken for deceit by readers and filters.',
    source: 'D-29',
    url: 'https://support.google.com/mail/answer/81126',
    find: (context) =>
      /^(re|fwd?|aw|wg|回复|转发|答复)\s*[:：]/i.test(context.email.subject)
        ? [
            {
              message: `The subject ${quoted(context.email.subject)} pretends to be an answer or a forwarded mail`,
              ...inHead(context, 'subject'),
              hint: 'Begin with what the issue is about.',
            },
          ]
        : [],
  },
  {
    id: 'subject-long',
    severity: 'warning',
    reason: 'Phones show some 40 columns of a subject, a desk some 80; the rest is not read.',
    source: 'H-15',
    url: OWN_PAGE,
    find: (context) => {
      const width = columns(context.email.subject);
      if (width <= LONGEST_SUBJECT) return [];
      return [
        {
          message: `The subject is ${width} columns wide (a Chinese character has 2); inboxes cut it off`,
          ...inHead(context, 'subject'),
          hint: 'Put the strongest story first, and leave the others to the preheader.',
        },
      ];
    },
  },
  {
    id: 'subject-shouts',
    severity: 'warning',
    reason: 'Capitals and rows of exclamation marks are what filters and readers know spam by.',
    source: 'D-29',
    url: 'https://support.google.com/mail/answer/81126',
    find: (context) => {
      const { subject } = context.email;
      const letters = subject.match(/\p{L}/gu)?.join('') ?? '';
      const shouts = /^[\p{Lu}]{12,}$/u.test(letters) || /[!！]{2,}/.test(subject);
      return shouts
        ? [
            {
              message: `The subject ${quoted(subject)} shouts`,
              ...inHead(context, 'subject'),
              hint: 'Say it calmly.',
            },
          ]
        : [];
    },
  },
  {
    id: 'preheader-length',
    severity: 'warning',
    reason:
      'Too short, and inboxes go on with whatever words come next; too long, and they cut it.',
    source: 'H-15',
    url: OWN_PAGE,
    find: (context) => {
      const width = columns(context.email.preheader);
      const { fewest, most } = PREHEADER;
      // A derived one is as long as the issue has words for.
      const isShort = width === 0 || (context.issue.preheader !== undefined && width < fewest);
      if (!isShort && width <= most) return [];
      return [
        {
          message: `The preheader is ${width} columns wide (a Chinese character has 2); ${fewest} to 90 are read`,
          ...inHead(context, 'preheader'),
          hint: 'Write in the head: preheader: what the subject does not say yet',
        },
      ];
    },
  },
  {
    id: 'preheader-repeats',
    severity: 'warning',
    reason:
      'The line after the subject is the second chance to be opened; the subject again wastes it.',
    source: 'H-15',
    url: OWN_PAGE,
    find: (context) => {
      const { subject, preheader } = context.email;
      if (preheader.trim() === '' || !sameWords(preheader).startsWith(sameWords(subject)))
        return [];
      return [
        {
          message: 'The preheader says the subject again',
          ...inHead(context, 'preheader'),
          hint: 'Name another story.',
        },
      ];
    },
  },
  {
    id: 'sender-name',
    severity: 'warning',
    reason:
      'Gmail asks for a sender name that is the sender and nothing else: no picture, no address.',
    source: 'D-29',
    url: 'https://support.google.com/mail/answer/81126',
    find: ({ settings: { sender } }) =>
      EMOJI.test(sender.name) || /@|https?:/.test(sender.name)
        ? [
            {
              message: `The sender's name ${quoted(sender.name)} holds more than a name`,
              file: 'config/newsletter.yaml',
              hint: 'Write only who it is: sender.name',
            },
          ]
        : [],
  },
  {
    id: 'image-without-alt',
    severity: 'error',
    reason: 'Many programs show no pictures until asked, and some readers never see them.',
    source: 'H-13',
    url: 'https://www.w3.org/TR/WCAG22/#non-text-content',
    find: ({ text }) =>
      imagesOf(text)
        .filter(({ alt }) => alt.trim() === '')
        .map(({ src, line }) => ({
          message: `The picture ${src} has no description`,
          line,
          hint: 'Write ![what it shows](address): many readers see only the words.',
        })),
  },
];

function isFilled({ held, prose, items }: Section): boolean {
  return !held && (prose !== '' || items.some((item) => !item.held));
}

/** What is sent; an item of a section that is an advertisement is one, too. */
export function sentItems({ issue }: Pick<Context, 'issue'>): Item[] {
  return issue.sections
    .filter(({ held }) => !held)
    .flatMap(({ ad, items }) => items.map((item) => ({ ...item, ad: ad || item.ad })))
    .filter(({ held }) => !held);
}

function lineOf({ text }: Context, line: number): string {
  return text.split(/\r\n?|\n/)[line - 1] ?? '';
}

/** Code, comments, addresses and ids as spaces: everything keeps its place. */
function withoutCode(text: string): string {
  return text.replace(
    /<!--[\s\S]*?-->|^(`{3,}|~{3,})[\s\S]*?^\1|`[^`\n]+`|https?:\/\/\S+|\{[#.][^{}\n]*\}[ \t]*$/gm,
    (code) => code.replace(/[^\n]/g, ' '),
  );
}

function sameWords(text: string): string {
  return text.toLowerCase().replace(/[\s\p{P}]/gu, '');
}
