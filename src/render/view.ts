/** An issue as templates see it: what is held is gone, what may be absent is empty, text is rendered. */
import type { Settings } from '../config/settings.ts';
import type { Problem } from '../errors.ts';
import type { Issue, Item, Link, Section } from '../issue/issue.ts';
import { plainText } from '../issue/markdown.ts';
import { preheaderOf } from './preheader.ts';
import { safeUrl } from './safe-html.ts';
import { languageOf } from './words.ts';

/** What a mail says about its newsletter. */
export type Imprint = Pick<Settings, 'name' | 'sender'>;

/** How a part writes Markdown; `where` is for messages. */
export interface Writer<T> {
  block: (markdown: string, where: Where) => T;
  /** One line, such as a headline: no paragraph around it. */
  inline: (markdown: string, where: Where) => T;
}
type Where = Omit<Problem, 'message'>;

export interface View<T> {
  /** BCP 47. */
  language: string;
  chinese: boolean;
  /** Written in traditional characters. */
  traditional: boolean;
  title: string;
  subject: string;
  preheader: string;
  /** The newsletter's name, set as the nameplate. */
  name: string;
  /** What the title says beyond the name ("2023年9月第3期"); may be empty. */
  edition: string;
  /** The title, when it does not begin with the name; else empty. */
  heading: string;
  /** `YYYY-MM-DD` */
  day: string;
  opening: T | '';
  /** A table of contents is worth its room. */
  contents: boolean;
  sections: SectionView<T>[];
  sender: { name: string; address: string; postalAddress: string; contact: string };
}

export interface SectionView<T> {
  name: string;
  prose: T | '';
  items: ItemView<T>[];
  /** Some item of it belongs into the table of contents. */
  listed: boolean;
}

export interface ItemView<T> {
  id: string;
  /** The id as a URL fragment, without `#`. */
  anchor: string;
  headline: T;
  /** The headline's words alone, for the table of contents. */
  words: string;
  lead: boolean;
  ad: boolean;
  /** Heading level: items of a section without a name stand one higher, so that none is skipped. */
  heading: 'h2' | 'h3';
  body: T | '';
  links: Link[];
}

/** What may follow the name in a title: ` No. 37`, ` 2023年9月第3期`, `第三期`; but no further word. */
const EDITION = /^(第|[^\p{L}].*\d)/u;

/** From so many items on a reader is glad of a table of contents. */
const WORTH_CONTENTS = 4;

export function viewOf<T>(issue: Issue, imprint: Imprint, writer: Writer<T>): View<T> {
  const file = `issues/${issue.id}/issue.md`;
  const sections = issue.sections
    .filter((section) => !section.held)
    .map((section) => sectionView(section, file, writer))
    .filter((section) => section.prose !== '' || section.items.length > 0);
  const listed = sections.flatMap((section) => section.items).filter((item) => !item.ad);
  return {
    language: issue.language,
    chinese: languageOf(issue.language) === 'zh',
    traditional: /^zh-(hant|tw|hk|mo)\b/i.test(issue.language),
    title: issue.title,
    subject: issue.subject ?? issue.title,
    preheader: preheaderOf(issue),
    ...masthead(issue, imprint),
    day: issue.date,
    opening: issue.opening && writer.block(issue.opening, { file }),
    contents: listed.length >= WORTH_CONTENTS,
    sections,
    sender: senderView(imprint),
  };
}

function sectionView<T>(section: Section, file: string, writer: Writer<T>): SectionView<T> {
  const items = section.items
    .filter((item) => !item.held)
    .map((item) => itemView(item, section, file, writer));
  return {
    name: plainText(oneLine(section.name)),
    prose: section.prose && writer.block(section.prose, { file, line: section.line }),
    items,
    listed: items.some((item) => !item.ad),
  };
}

function itemView<T>(item: Item, section: Section, file: string, writer: Writer<T>): ItemView<T> {
  const where = { file, line: item.line };
  const headline = oneLine(item.headline);
  return {
    id: item.id,
    anchor: encodeURIComponent(item.id),
    headline: writer.inline(headline, where),
    words: plainText(headline),
    lead: item.lead,
    ad: item.ad || section.ad,
    heading: section.name ? 'h3' : 'h2',
    body: item.body && writer.block(item.body, where),
    links: item.links.map(({ text, url }) => ({ text, url: safeUrl(url, where) })),
  };
}

/** In a heading `1.` or `-` begins no list. */
function oneLine(markdown: string): string {
  return markdown.replace(/^(\d*)([-+*>.)])(?=\s)/, '$1\\$2');
}

/** A title that begins with the newsletter's name is divided: the name is the nameplate already. */
export function masthead(
  { title }: Pick<Issue, 'title'>,
  { name }: Pick<Imprint, 'name'>,
): Pick<View<never>, 'name' | 'edition' | 'heading'> {
  const rest = title.startsWith(name) ? title.slice(name.length) : null;
  if (rest === null || (rest !== '' && !EDITION.test(rest)))
    return { name, edition: '', heading: title };
  return { name, edition: rest.replace(/^[\s,，:：·|–—-]+/, ''), heading: '' };
}

function senderView({ sender }: Imprint): View<never>['sender'] {
  const { name, address, postalAddress = '', replyTo = address } = sender;
  return { name, address, postalAddress, contact: replyTo };
}

/** Every text of the issue that has to be found in the mail, in order. */
export function textsOf<T>({ opening, sections }: View<T>): (T | string)[] {
  return [
    opening,
    ...sections.flatMap(({ name, prose, items }) => [name, prose, ...items.flatMap(itemTexts)]),
  ];
}

function itemTexts<T>({ headline, body, links }: ItemView<T>): (T | string)[] {
  return [headline, body, ...links.map((link) => link.text)];
}
