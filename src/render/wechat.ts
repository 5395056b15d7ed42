/**
 * An issue for the editor of a WeChat official account (公众号): it keeps inline styles alone, and of links only
 * those to its own articles, so the others become numbers, with their addresses at the end.
 */
import { parseFragment, serialize, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import type { Issue } from '../issue/issue.ts';
import { markdownToHtml } from '../issue/markdown.ts';
import { safeHtml } from './safe-html.ts';
import { type Imprint, type ItemView, type SectionView, viewOf, type Writer } from './view.ts';

const INK = '#1c1a17';
const GREY = '#6b6459';
const RED = '#a6211b';
const RULE = '#cfc5b3';

/** Of what Markdown writes; the size is the one that the account's articles have. */
const STYLES = {
  p: `margin:0 0 16px;font-size:16px;line-height:1.75;color:${INK}`,
  li: `margin:0 0 8px;font-size:16px;line-height:1.75;color:${INK}`,
  blockquote: `margin:0 0 16px;padding:0 0 0 12px;border-left:3px solid ${RULE};color:${GREY}`,
  strong: `font-weight:700;color:${INK}`,
  img: 'display:block;max-width:100%;height:auto;margin:0 0 16px',
  pre: 'margin:0 0 16px;padding:12px;background:#f3eee3;font-size:14px;overflow-x:auto',
};
const SECTION = `margin:32px 0 16px;padding:0 0 6px;border-bottom:1px solid ${INK};font-size:15px;font-weight:700;letter-spacing:2px;color:${RED}`;
const LEAD = `margin:0 0 12px;font-size:20px;line-height:1.5;font-weight:700;color:${INK}`;
const ITEM = `margin:24px 0 10px;font-size:17px;line-height:1.5;font-weight:700;color:${INK}`;
const NOTE = `margin:0 0 6px;font-size:13px;line-height:1.6;color:${GREY};word-break:break-all`;
const MARK = `font-size:12px;line-height:1;vertical-align:super;color:${RED}`;

/** Links of these are kept by the platform. */
const OWN = /^https:\/\/mp\.weixin\.qq\.com\//;

interface Footnote {
  text: string;
  url: string;
}

/**
 * HTML to be pasted. Held items are left out, as in the mail.
 * @throws BroadsheetError `markup-refused` with the issue's file and line
 */
export function renderForWechat(issue: Issue, imprint: Imprint): string {
  const notes: Footnote[] = [];
  const view = viewOf(issue, imprint, writer(notes));
  const chinese = view.chinese;
  const sections = view.sections.map((section) => sectionHtml(section, notes));
  return [view.opening, ...sections, footnotes(notes, chinese ? '参考链接' : 'Links')]
    .filter(Boolean)
    .join('\n');
}

function sectionHtml({ name, prose, items }: SectionView<string>, notes: Footnote[]): string {
  const heading = name ? `<h2 style="${SECTION}">${escapeText(name)}</h2>` : '';
  return [heading, prose, ...items.map((item) => itemHtml(item, notes))].filter(Boolean).join('\n');
}

function itemHtml({ headline, lead, body, links }: ItemView<string>, notes: Footnote[]): string {
  const sources = links.map(({ text, url }) => `${escapeText(text)}${reference(notes, text, url)}`);
  const line = sources.length > 0 ? `<p style="${NOTE}">${sources.join(' · ')}</p>` : '';
  return [`<h3 style="${lead ? LEAD : ITEM}">${headline}</h3>`, body, line]
    .filter(Boolean)
    .join('\n');
}

function writer(notes: Footnote[]): Writer<string> {
  const write: Writer<string>['block'] = (markdown, where) => {
    const tree = parseFragment(safeHtml(markdownToHtml(markdown), where));
    for (const child of tree.childNodes) dress(child, notes);
    return serialize(tree);
  };
  return {
    block: write,
    inline: (markdown, where) => write(markdown, where).replace(/^<p[^>]*>([\s\S]*)<\/p>$/, '$1'),
  };
}

/** Styles into the elements, links into numbers. */
function dress(node: Tree.ChildNode, notes: Footnote[]): void {
  if (!('attrs' in node)) return;
  for (const child of node.childNodes) dress(child, notes);
  const style = (STYLES as Record<string, string>)[node.tagName];
  if (style) node.attrs.push({ name: 'style', value: style });
  const url = node.attrs.find(({ name }) => name === 'href')?.value ?? '';
  if (node.tagName !== 'a' || OWN.test(url)) return;
  const mark = parseFragment(reference(notes, wordsOf(node), url)).childNodes;
  node.tagName = node.nodeName = 'span';
  node.attrs = [];
  node.childNodes.push(...mark);
}

function wordsOf(node: Tree.ParentNode): string {
  return node.childNodes
    .map((child) => ('value' in child ? child.value : 'childNodes' in child ? wordsOf(child) : ''))
    .join('');
}

/** The number of an address; the same for each use of it. */
function reference(notes: Footnote[], text: string, url: string): string {
  if (!notes.some((note) => note.url === url)) notes.push({ text, url });
  const number = notes.findIndex((note) => note.url === url) + 1;
  return `<span style="${MARK}">[${number}]</span>`;
}

function footnotes(notes: readonly Footnote[], title: string): string {
  if (notes.length === 0) return '';
  const lines = notes.map(({ text, url }, at) => {
    const words = text === url ? '' : `${escapeText(text)}: `;
    return `<p style="${NOTE}">[${at + 1}] ${words}${escapeText(url)}</p>`;
  });
  return [`<h2 style="${SECTION}">${title}</h2>`, ...lines].join('\n');
}

function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
