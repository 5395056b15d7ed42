/** From a place in the finished mail back to the line that somebody can change. */
import { chainOf, type HtmlElement, wordsIn } from '../render/document.ts';
import type { Context, Found } from './check.ts';

export type Place = Pick<Found, 'file' | 'line' | 'column'>;

/** So many characters find a place again and seldom cross a line or a mark of Markdown. */
const NEAR = 8;

/** Line and column, from 1, of an offset in a text. */
export function lineAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split(/\r\n?|\n/);
  return { line: before.length, column: (before.at(-1) as string).length + 1 };
}

/** Where some words, an address or a key stand in the editor's file. */
export function inIssue({ text, file }: Context, words: string): Place | undefined {
  const at = words === '' ? -1 : text.indexOf(words);
  return at === -1 ? undefined : { file, ...lineAt(text, at) };
}

/** A key of the head, such as `subject`; the title where it is not written. */
export function inHead({ text, file }: Context, key: string): Place {
  const lines = text.split(/\r\n?|\n/);
  const find = (name: string) => lines.findIndex((line) => line.startsWith(`${name}:`)) + 1;
  return { file, line: find(key) || find('title') || 1 };
}

/** Where some characters stand in the templates. */
export function inTemplate({ templates }: Context, words: string): Place | undefined {
  const template = templates.find(({ source }) => words !== '' && source.includes(words));
  if (!template) return undefined;
  return { file: template.file, ...lineAt(template.source, template.source.indexOf(words)) };
}

/** The words' line in the issue, else what wrote the element in a template, else the template. */
export function placeOf(context: Context, element: HtmlElement): Place {
  const { id, src, href, style, class: classes } = element.attributes;
  const words = wordsIn(element).trim().slice(0, NEAR).trim();
  const address = src ?? href ?? '';
  return (
    inIssue(context, address) ??
    (words.length > 2 ? inIssue(context, words) : undefined) ??
    inTemplate(context, address) ??
    inTemplate(context, classes ? `class="${classes}"` : '') ??
    inTemplate(context, style ?? '') ??
    inTemplate(context, id ? `id="${id}"` : '') ??
    (words.length > 2 ? inTemplate(context, words) : undefined) ??
    inTemplate(context, `<${element.tag}`) ?? { file: context.templates[0]?.file }
  );
}

/** What gives an element its looks: the line of a template that writes it, or what it stands in. */
export function placeOfLooks(context: Context, element: HtmlElement): Place {
  for (const { attributes } of chainOf(element)) {
    const { class: classes, id, style } = attributes;
    const found =
      inTemplate(context, classes ? `class="${classes}"` : '') ??
      inTemplate(context, id ? `id="${id}"` : '') ??
      inTemplate(context, style ? `style="${style}"` : '');
    if (found) return found;
  }
  return { file: context.templates[0]?.file };
}

/** Some words as a message quotes them. */
export function quoted(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return `"${line.length > 30 ? `${line.slice(0, 29)}…` : line}"`;
}
