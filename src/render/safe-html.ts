/**
 * The one gate through which HTML of an issue's text goes into a mail: well-formed, from a short list
 * of elements, and with links that work in a mail (H-31, H-32).
 */
import { parseFragment, serialize, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { inputError, type Problem } from '../errors.ts';
import { isAllowedUrl } from '../issue/markdown.ts';

const PLAIN_ELEMENTS =
  'p br hr strong b em i s del u sub sup mark code pre blockquote ul li table thead tbody tr h2 h3 h4 h5 h6';

/** Elements that may pass, and the attributes each may keep. Other attributes are taken off. */
const ALLOWED: Record<string, readonly string[]> = {
  ...Object.fromEntries(PLAIN_ELEMENTS.split(' ').map((tag) => [tag, []])),
  a: ['href', 'title'],
  img: ['src', 'alt', 'title', 'width', 'height'],
  ol: ['start'],
  th: ['style'],
  td: ['style'],
};

/** The only style that Markdown writes: a column of a table is aligned. */
const ALIGNMENT = /^text-align:\s*(left|right|center);?$/;

/**
 * HTML that may stand in a mail. Tables get the class `data`, to be told from those of the layout, and
 * their heads a scope (H-07).
 * @param where of the text in the file, for messages
 * @throws BroadsheetError `markup-refused` for elements and links that have no place in a mail
 */
export function safeHtml(html: string, where: Omit<Problem, 'message'>): string {
  const tree = parseFragment(html);
  for (const child of tree.childNodes) clean(child, where);
  return serialize(tree).trim();
}

/**
 * An address that works in a mail, where nothing is relative.
 * @throws BroadsheetError `markup-refused`
 */
export function safeUrl(url: string, where: Omit<Problem, 'message'>): string {
  if (isAllowedUrl(url)) return url;
  throw inputError('markup-refused', `"${url}" is no address that works in a mail`, {
    ...where,
    hint: 'Write a whole one: https://… or mailto:…',
  });
}

function clean(node: Tree.ChildNode, where: Omit<Problem, 'message'>): void {
  if (!('attrs' in node)) return;
  const allowed = ALLOWED[node.tagName];
  if (!allowed) throw refused(node.tagName, where);
  node.attrs = node.attrs.filter(({ name, value }) => {
    return allowed.includes(name) && (name !== 'style' || ALIGNMENT.test(value));
  });
  for (const { name, value } of node.attrs)
    if (name === 'href' || name === 'src') safeUrl(value, where);
  if (node.tagName === 'img') fluid(node);
  if (node.tagName === 'th') node.attrs.push({ name: 'scope', value: 'col' });
  if (node.tagName === 'table') node.attrs.push({ name: 'class', value: 'data' });
  for (const child of node.childNodes) clean(child, where);
}

/**
 * As wide as its attribute says, and no wider than there is room: `max-width: 100%` alone would not keep the layout's
 * tables from growing to the attribute, above all while the picture is not shown.
 */
function fluid(node: Tree.Element): void {
  const width = node.attrs.find(({ name }) => name === 'width')?.value;
  if (/^\d+$/.test(width ?? ''))
    node.attrs.push({ name: 'style', value: `width:100%;max-width:${width}px` });
}

function refused(tag: string, where: Omit<Problem, 'message'>) {
  return inputError('markup-refused', `<${tag}> has no place in a mail`, {
    ...where,
    hint: 'Write it as Markdown, or leave it out.',
  });
}
