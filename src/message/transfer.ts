/**
 * Content-Transfer-Encoding (RFC 2045) of texts with slots in them. What is the same for everybody
 * is encoded once; a message then only joins buffers and encodes what one reader has in the slots.
 *
 * Every line is one that no transport needs to touch: at most 76 octets, no leading dot (so there is
 * no dot-stuffing), no tab, no space at its end, no two spaces in a row. The bytes on the wire are
 * therefore the bytes that DKIM's relaxed form signs.
 */

/** What can differ between two readers. `to` and `messageId` stand in the header block only. */
export const FIELDS = ['to', 'messageId', 'token', 'name', 'address'] as const;
export type Field = (typeof FIELDS)[number];
export type Values = Record<Field, string>;

export interface Slot {
  field: Field;
  /** Whether it stands in HTML, where some characters are escaped. */
  html: boolean;
}

/** A text, cut at its slots. */
export type Template = (string | Slot)[];

/** One stretch of a message. `7bit` is header lines and boundaries: ASCII that stands as it is. */
export type Section =
  | { encoding: '7bit' | 'quoted-printable'; pieces: (Buffer | Slot)[] }
  | { encoding: 'base64'; pieces: (Aligned | Slot)[] };

/** Unencoded bytes, and what base64 makes of them for each number of bytes lent to the slot before. */
interface Aligned {
  bytes: Buffer;
  /** By bytes lent: the whole triples after them, as lines. One or two bytes may be left over. */
  lines: readonly Buffer[];
}

/** Base64 has to be this much smaller to be worth it: it cannot be read or searched by people, and filters distrust it. */
const WORTH = 0.9;

/** Encodes a body text as quoted-printable, or as base64 where that is clearly smaller (D-24). */
export function encodeText(template: Template): Section {
  const quoted = quotedSection(template);
  const aligned = base64Section(template.map(canonicalLines));
  return sizeOf(aligned) < WORTH * sizeOf(quoted) ? aligned : quoted;
}

/** Lines of text end with CRLF before they are base64 (RFC 2045 6.8). */
function canonicalLines(piece: string | Slot): string | Slot {
  return typeof piece === 'string' ? piece.replaceAll('\n', '\r\n') : piece;
}

/** Header lines and boundaries. */
export function plainSection(template: Template): Section {
  return { encoding: '7bit', pieces: template.map(bytesOf) };
}

function bytesOf(piece: string | Slot): Buffer | Slot {
  return typeof piece === 'string' ? Buffer.from(piece) : piece;
}

/**
 * A stretch of text ends with a soft line break and so does a slot's value. Each begins at column 0,
 * and whatever a reader has between two stretches changes neither of them.
 */
function quotedSection(template: Template): Section {
  const pieces = template.map((piece, i) => {
    if (typeof piece !== 'string') return piece;
    const followed = i < template.length - 1 && !piece.endsWith('\n');
    return Buffer.from(quotedPrintable(piece) + (followed ? '=\r\n' : ''));
  });
  return { encoding: 'quoted-printable', pieces };
}

function base64Section(template: Template): Section {
  const pieces = template.map((piece) =>
    typeof piece === 'string' ? align(Buffer.from(piece)) : piece,
  );
  return { encoding: 'base64', pieces };
}

function align(bytes: Buffer): Aligned {
  const lines = [0, 1, 2].map((lent) =>
    base64Lines(bytes.subarray(lent, endOfTriples(bytes, lent))),
  );
  return { bytes, lines };
}

function endOfTriples({ length }: Buffer, lent: number): number {
  return length - ((length - lent) % 3);
}

/** A section as JSON keeps it: base64's stretches as their text, the others as they are on the wire. */
export interface PackedSection {
  encoding: Section['encoding'];
  pieces: Template;
}

export function packSection({ encoding, pieces }: Section): PackedSection {
  const packed = pieces.map((piece) => {
    if ('field' in piece) return piece;
    return 'lines' in piece ? piece.bytes.toString() : piece.toString();
  });
  return { encoding, pieces: packed };
}

export function unpackSection({ encoding, pieces }: PackedSection): Section {
  if (encoding === 'base64') return base64Section(pieces);
  return { encoding, pieces: pieces.map(bytesOf) };
}

function sizeOf(section: Section): number {
  const empty: Values = { to: '', messageId: '', token: '', name: '', address: '' };
  return fillSection(section, empty).reduce((sum, { length }) => sum + length, 0);
}

/** The section's bytes for one reader, to be joined. */
export function fillSection(section: Section, values: Values): Buffer[] {
  if (section.encoding === 'base64') return fillBase64(section.pieces, values);
  const quoted = section.encoding === 'quoted-printable';
  return section.pieces.map((piece) => {
    if (Buffer.isBuffer(piece)) return piece;
    const value = textOf(piece, values);
    return Buffer.from(quoted && value ? `${quotedPrintable(value)}=\r\n` : value);
  });
}

/**
 * Base64 turns triples of bytes into text, and a value's length shifts the triples after it. A slot's
 * value therefore borrows from the stretch after it the bytes that make its own last triple whole;
 * the rest of the stretch has been encoded beforehand for each of the three cases. What is encoded
 * per message is the value and a few bytes around it, wherever the slot stands.
 */
function fillBase64(pieces: readonly (Aligned | Slot)[], values: Values): Buffer[] {
  const filled: Buffer[] = [];
  let open: Buffer = Buffer.alloc(0);
  for (const piece of pieces) {
    if ('field' in piece) {
      open = Buffer.concat([open, Buffer.from(textOf(piece, values))]);
      continue;
    }
    const { bytes, lines } = piece;
    const lent = (3 - (open.length % 3)) % 3;
    if (bytes.length < lent) {
      open = Buffer.concat([open, bytes]);
      continue;
    }
    filled.push(base64Lines(Buffer.concat([open, bytes.subarray(0, lent)])), lines[lent] as Buffer);
    open = bytes.subarray(endOfTriples(bytes, lent));
  }
  return [...filled, base64Lines(open)];
}

function textOf({ field, html }: Slot, values: Values): string {
  return html ? escapeHtml(values[field]) : values[field];
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For element content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/** Lines of 76 characters, each with its CRLF. No bytes give no line. */
function base64Lines(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64').replace(/.{1,76}/g, '$&\r\n'));
}

/** Octets of an encoded line; a guarded first character adds two, the `=` of a soft break one: 76. */
const QUOTED_LINE = 73;

/** Neither printable nor a single space between other characters. */
const UNSAFE = /[^ !-<>-~]| (?= |$)/gu;

/** A dot could be taken for the end of the mail, `From ` for the start of the next one in a mailbox file. */
const UNSAFE_START = /^(?:\.|F(?=rom ))/;

/**
 * @param text well-formed, lines separated by `\n`
 * @returns quoted-printable (RFC 2045 6.7) with CRLF between the lines
 */
export function quotedPrintable(text: string): string {
  return text.split('\n').map(quoteLine).join('\r\n');
}

function quoteLine(line: string): string {
  const encoded = line.replace(UNSAFE, octets);
  const lines: string[] = [];
  let start = 0;
  while (encoded.length - start > QUOTED_LINE) {
    const end = characterStart(encoded, start + QUOTED_LINE);
    lines.push(guard(encoded.slice(start, end)));
    start = end;
  }
  lines.push(guard(encoded.slice(start)));
  return lines.join('=\r\n');
}

/** Where the character that stands at `end` begins: no `=XX` and no UTF-8 sequence is cut. */
function characterStart(encoded: string, end: number): number {
  const octet = encoded.lastIndexOf('=', end);
  let start = octet !== -1 && octet > end - 3 ? octet : end;
  while (/^=[89AB]/.test(encoded.slice(start, start + 2))) start -= 3;
  return start;
}

function guard(line: string): string {
  return line.replace(UNSAFE_START, (character) => `=${hex(character)}`);
}

function octets(character: string): string {
  return encodeURIComponent(character).replaceAll('%', '=');
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase();
}
