/**
 * An issue rendered for everybody: what `render` makes and `message` compiles.
 * Places that differ from reader to reader are slots; a marker stands where each will be filled in.
 */

export interface Email {
  subject: string;
  /** BCP 47. */
  language: string;
  preheader: string;
  html: string;
  text: string;
}

/** What can differ from reader to reader. The first three are absolute URLs. */
export const SLOT_NAMES = ['unsubscribe', 'preferences', 'web', 'name', 'address'] as const;
export type SlotName = (typeof SLOT_NAMES)[number];

const MARKER = /xslot-(unsubscribe|preferences|web|name|address)-(\d+)-tolsx/g;

/**
 * The marker for the n-th use of a slot in one part. ASCII letters, digits and hyphens only, so that
 * neither HTML escaping, nor MJML, nor an attribute, nor a URL changes it.
 */
export function slotMarker(name: SlotName, n: number): string {
  return `xslot-${name}-${n}-tolsx`;
}

export interface FoundSlot {
  name: SlotName;
  n: number;
  /** UTF-16 offsets of the marker in the text. */
  start: number;
  end: number;
}

/** All markers in a text, in order. */
export function findSlots(text: string): FoundSlot[] {
  return [...text.matchAll(MARKER)].map((match) => ({
    name: match[1] as SlotName,
    n: Number(match[2]),
    start: match.index,
    end: match.index + match[0].length,
  }));
}
