/** The issue as a page that anybody may open: the mail's own HTML without anything personal (W-19). */
import { parse, serialize, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { type Email, findSlots } from '../issue/email.ts';
import { fillTemplate } from './handlebars.ts';
import { templateOf } from './page.ts';
import { checkTemplates } from './template-check.ts';
import type { TemplateFile, Templates } from './templates.ts';
import { languageOf } from './words.ts';

/** An issue among the others, at its public address. */
export interface Surroundings {
  /** The newsletter's name. */
  name: string;
  /** Path of the public site: empty at the root, else such as `/weekly`. */
  base: string;
  /** Its own address, in full. */
  url: string;
  /** Of the picture that stands for it where it is shared, 1200 × 630. */
  card: string;
  /** ISO 8601. */
  published: string;
  /** Paths of its neighbours in time; empty at the ends. */
  previous: string;
  next: string;
}

/**
 * The whole page of a sent issue: the neutral mail, its head with what search engines, feed readers and other sites
 * ask for, the ways on at its end (templates/pages/issue-head.hbs and issue-end.hbs).
 */
export function issuePage(
  email: Pick<Email, 'html' | 'subject' | 'preheader' | 'language'>,
  around: Surroundings,
  { pages }: Pick<Templates, 'pages'>,
): string {
  const { subject: title, preheader: description, language: locale } = email;
  const parts = [templateOf(pages, 'issue-head'), templateOf(pages, 'issue-end')] as const;
  checkTemplates(parts, {});
  const fill = (template: TemplateFile) =>
    fillTemplate(
      template,
      {},
      { ...around, title, description, locale },
      { language: languageOf(locale), locale },
    ).output;
  const [head, end] = parts.map(fill);
  const html = neutralHtml(email);
  const [headEnd, bodyEnd] = [html.indexOf('</head>'), html.lastIndexOf('</body>')];
  return html.slice(0, headEnd) + head + html.slice(headEnd, bodyEnd) + end + html.slice(bodyEnd);
}

/** Marks what only the receiver of a mail may see; it goes with all that stands in it. */
const PERSONAL = 'data-personal';

/**
 * HTML of the web version. Links to the web version become links within the page; whatever else is
 * a slot goes: a link as a whole, or the element around it that is marked `data-personal`.
 */
export function neutralHtml(email: Pick<Email, 'html'>): string {
  const document = parse(email.html);
  neutralise(document);
  return serialize(document);
}

/** Also takes out of the tree whatever is personal. */
export function neutralise(parent: Tree.ParentNode): void {
  parent.childNodes = parent.childNodes.filter((node) => !isPersonal(node));
  for (const node of parent.childNodes) {
    if ('attrs' in node) asPage(node);
    if ('attrs' in node)
      for (const attribute of node.attrs) attribute.value = withoutSlots(attribute.value);
    if ('value' in node) node.value = withoutSlots(node.value);
    if ('data' in node) node.data = withoutSlots(node.data);
    if ('childNodes' in node) neutralise(node);
  }
}

/** MJML calls the whole an email; here it is the page's main part. */
function asPage(node: Tree.Element): void {
  const isMail = node.attrs.some(({ name }) => name === 'aria-roledescription');
  if (!isMail) return;
  node.attrs = node.attrs.filter(({ name }) => !/^(role|aria-.*)$/.test(name));
  node.attrs.push({ name: 'role', value: 'main' });
}

function isPersonal(node: Tree.ChildNode): boolean {
  if (!('attrs' in node)) return false;
  return node.attrs.some(({ name, value }) => {
    return (
      name === PERSONAL || (name === 'href' && findSlots(value).some((slot) => slot.name !== 'web'))
    );
  });
}

/** `MARKER#item` becomes `#item`: the page is the web version. */
function withoutSlots(text: string): string {
  return findSlots(text).reduceRight(
    (rest, { start, end }) => rest.slice(0, start) + rest.slice(end),
    text,
  );
}
