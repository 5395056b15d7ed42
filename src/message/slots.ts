/** Cuts a rendered part at its slot markers. */
import { type BroadsheetError, inputError } from '../errors.ts';
import { type FoundSlot, findSlots, type SlotName } from '../issue/email.ts';
import { escapeHtml, type Field, type Template } from './transfer.ts';

/** What stands for a slot: a field of the reader, or a link, in which `{token}` is the reader's. */
export type Fillings = Record<SlotName, { field: Field } | { link: string | undefined }>;

/** What is left of a marker that something has changed. */
const REMAINS = /xslot-[a-z]*-?\d|\d-tolsx/i;

/**
 * @param name of the part, for errors
 * @returns the part as a template, line breaks as `\n`, the last line ended
 * @throws BroadsheetError `slot-broken` for a marker that is lost, doubled or damaged, or a link that
 *   the newsletter does not have
 */
export function cutSlots(part: string, name: 'HTML' | 'text', fillings: Fillings): Template {
  const html = name === 'HTML';
  const text = part.toWellFormed().replace(/\r\n?/g, '\n').replace(/\n?$/, '\n');
  const found = findSlots(text);
  checkNumbers(found, name);
  const template: Template = [];
  let end = 0;
  for (const slot of found) {
    template.push(text.slice(end, slot.start), ...fillingOf(slot, fillings, html));
    end = slot.end;
  }
  template.push(text.slice(end));
  checkRemains(template.filter((piece) => typeof piece === 'string').join(' '), name);
  return joined(template);
}

function fillingOf({ name }: FoundSlot, fillings: Fillings, html: boolean): Template {
  const filling = fillings[name];
  if ('field' in filling) return [{ field: filling.field, html }];
  if (filling.link !== undefined) return linkTemplate(filling.link, html);
  throw broken(`The template uses the slot "${name}", but there is no such link`);
}

/** A link whose `{token}` is filled in; one without is the same for everybody. */
export function linkTemplate(link: string, html: boolean): Template {
  const pieces = link.split('{token}').map((piece) => (html ? escapeHtml(piece) : piece));
  return pieces.flatMap((piece, i) => (i === 0 ? [piece] : [{ field: 'token', html }, piece]));
}

/** Each slot's uses are numbered 1, 2, … in a part, and each number is there once. */
function checkNumbers(found: readonly FoundSlot[], part: string): void {
  for (const [name, slots] of Map.groupBy(found, (slot) => slot.name)) {
    const numbers = slots.map(({ n }) => n).sort((a, b) => a - b);
    const wrong = numbers.findIndex((n, i) => n !== i + 1);
    if (wrong === -1) continue;
    const [use, what] =
      numbers[wrong]! <= wrong ? [numbers[wrong], 'twice'] : [wrong + 1, 'no longer'];
    throw broken(`Use ${use} of the slot "${name}" is ${what} in the ${part}`);
  }
}

/** Throws where a damaged marker would be sent as text. */
export function checkRemains(text: string, part: string): void {
  const remains = REMAINS.exec(text);
  if (!remains) return;
  const around = text.slice(remains.index, remains.index + 40);
  throw broken(`A slot was damaged in the ${part}: "${around}"`);
}

/** Neighbouring strings become one; empty ones go. */
export function joined(template: Template): Template {
  const result: Template = [];
  for (const piece of template) {
    const last = result.at(-1);
    if (typeof piece !== 'string' || typeof last !== 'string') result.push(piece);
    else result[result.length - 1] = last + piece;
  }
  return result.filter((piece) => piece !== '');
}

function broken(message: string): BroadsheetError {
  return inputError('slot-broken', message, {
    hint: "A slot has to come through as {{slot '…'}} printed it: in text or in an attribute, once.",
  });
}
