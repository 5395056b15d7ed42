/** A raw message taken apart: fields, text, parts. Reports are often damaged, so nothing here throws. */
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import { addressesIn, type Fields, headerOf, readFields } from './fields.ts';

export interface Message {
  /** As they stand, unfolded. */
  fields: Fields;
  /** Decoded. */
  subject: string;
  /** Decoded: name and address. */
  from: string;
  /** What a person would read, decoded; empty where there is nothing. */
  text: string;
  /** All others: reports, returned messages. */
  parts: readonly Part[];
}

export interface Part {
  /** `message/delivery-status`, lower case. */
  type: string;
  content: Buffer;
}

/** Characters of text that are worth reading: what explains a report stands at its beginning. */
const LONGEST_TEXT = 64 * 1024;
/** Of HTML, before it becomes text. */
const LONGEST_HTML = 512 * 1024;

/** Takes a message apart. */
export async function takeApart(raw: Buffer): Promise<Message> {
  const message = withLineEnds(raw);
  const whole = await parse(message);
  if (!isLost(whole)) return messageOf(whole, message);
  const repaired = repairBoundary(message);
  return messageOf(repaired ? await parse(repaired) : whole, message);
}

/** Empty lines before a header would end it. */
function withLineEnds(raw: Buffer): Buffer {
  let start = 0;
  while (raw[start] === 0x0a || raw[start] === 0x0d) start += 1;
  return raw.subarray(start);
}

async function parse(raw: Buffer): Promise<ParsedMail | undefined> {
  try {
    return await simpleParser(raw, {
      keepDeliveryStatus: true,
      skipImageLinks: true,
      skipTextLinks: true,
      skipTextToHtml: true,
      maxHtmlLengthToParse: LONGEST_HTML,
    });
  } catch {
    return undefined;
  }
}

/** Whether parts were not found: nothing is there, or their heads stand in the text. */
function isLost(mail: ParsedMail | undefined): boolean {
  if ((mail?.attachments.length ?? 0) > 0) return false;
  const text = mail?.text?.slice(0, LONGEST_TEXT) ?? '';
  return (text === '' && !mail?.html) || /^--\S{1,70}\r?\nContent-Type: message\//im.test(text);
}

function messageOf(mail: ParsedMail | undefined, raw: Buffer): Message {
  const header = mail?.headerLines.map(({ line }) => line).join('\n');
  const fields = readFields(header ?? headerOf(decodeLoosely(raw)));
  return {
    fields,
    subject: mail?.subject ?? '',
    from: fromOf(mail?.from) || (fields.get('from')?.[0] ?? ''),
    text: textOf(mail, raw),
    parts: (mail?.attachments ?? []).map(({ contentType, content }) => ({
      type: (contentType ?? '').toLowerCase(),
      content,
    })),
  };
}

function fromOf(from: AddressObject | undefined): string {
  return (from?.value ?? []).map(({ name, address }) => `${name} <${address ?? ''}>`).join(', ');
}

/** Text of an encoding that is not declared, or wrongly, is read once more as what it may be. */
function textOf(mail: ParsedMail | undefined, raw: Buffer): string {
  const text = mail?.text || plain(mail?.html || '');
  const isEmpty = text.trim() === '' && (mail?.attachments.length ?? 0) === 0;
  const damaged = text.includes('\ufffd') || isEmpty;
  return (damaged ? decodeLoosely(bodyOf(raw)) : text).slice(0, LONGEST_TEXT);
}

function bodyOf(raw: Buffer): Buffer {
  const [end = 0] = [raw.indexOf('\r\n\r\n'), raw.indexOf('\n\n')].filter((at) => at >= 0);
  return raw.subarray(end);
}

function plain(html: string): string {
  return html
    .slice(0, LONGEST_HTML)
    .replace(/<(?:br|\/p|\/div|\/tr|\/li|\/h\d)\b[^<>]{0,200}>/gi, '\n')
    .replace(/<[^<>]{0,2000}>/g, ' ');
}

/** What undeclared bytes may be, the likeliest first; the last one takes any. */
const GUESSES = ['utf-8', 'iso-2022-jp', 'gb18030', 'big5', 'windows-1252'];

/** Text of bytes whose encoding nobody told. */
export function decodeLoosely(bytes: Uint8Array): string {
  const some = bytes.subarray(0, 4 * LONGEST_TEXT);
  const wanted = some.includes(0x1b) ? GUESSES.slice(1) : GUESSES;
  for (const encoding of wanted) {
    try {
      // As a stream: the cut may fall into a character.
      return new TextDecoder(encoding, { fatal: true }).decode(some, { stream: true });
    } catch {
      // The next one.
    }
  }
  return Buffer.from(some).toString('latin1');
}

/**
 * The same message with the boundary that its parts really have, where its header names none or another one.
 * @returns null where there are no parts
 */
function repairBoundary(raw: Buffer): Buffer | null {
  const text = raw.toString('latin1');
  const [, boundary] = /^--(\S[^\r\n]{0,69})\r?\n(?:[\w-]{1,40}:|\r?\n)/m.exec(text) ?? [];
  if (!boundary) return null;
  const header = headerOf(text);
  const others = header
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .filter((line) => !/^content-(?:type|transfer-encoding)\s*:/i.test(line));
  const type = `Content-Type: multipart/mixed; boundary="${boundary.trimEnd()}"`;
  const rest = text.slice(header.length);
  return Buffer.from([...others, type].join('\r\n') + rest, 'latin1');
}

/** The addresses that a message came to, as its header tells. */
export function addressesOf(fields: Fields): string[] {
  const names = [
    'delivered-to',
    'x-delivered-to',
    'x-original-to',
    'envelope-to',
    'x-envelope-to',
    'x-rcpt-to',
    'to',
    'cc',
    'apparently-to',
  ];
  const said = names.flatMap((name) => fields.get(name) ?? []);
  const received = (fields.get('received') ?? []).flatMap(
    (trace) => /\bfor\s+(<[^<>]{1,320}>|\S{1,320})/i.exec(trace)?.[1] ?? [],
  );
  return [...new Set([...said, ...received].flatMap(addressesIn))];
}
