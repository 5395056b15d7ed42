/** The issue as a page that anybody may open: the mail's own HTML without anything personal (W-19). */
import { parse, serialize, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { type Email, findSlots } from '../issue/email.ts';

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

function neutralise(parent: Tree.ParentNode): void {
  parent.childNodes = parent.childNodes.filter((node) => !isPersonal(node));
  for (const node of parent.childNodes) {
    if ('attrs' in node)
      for (const attribute of node.attrs) attribute.value = withoutSlots(attribute.value);
    if ('value' in node) node.value = withoutSlots(node.value);
    if ('data' in node) node.data = withoutSlots(node.data);
    if ('childNodes' in node) neutralise(node);
  }
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
