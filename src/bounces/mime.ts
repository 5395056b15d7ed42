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
  const whole = await parse(raw);
  if (!isLost(whole)) return messageOf(whole, raw);
  const repaired = repairBoundary(raw);
  return messageOf(repaired ? await parse(repaired) : whole, raw);
}

/** A message with LF at its line ends, whatever it had, and without empty lines before its header, which end it. */
export function withLineEnds(raw: Buffer): Buffer {
  const text = raw.toString('latin1');
  return Buffer.from(text.replace(/\r+\n|\r/g, '\n').replace(/^\n+/, ''), 'latin1');
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
      // Not text where the header is damaged, whatever the types say.
      type: String(contentType || '').toLowerCase(),
      content,
    })),
  };
}

function fromOf(from: AddressObject | undefined): string {
  return (from?.value ?? []).map(({ name, address }) => `${name} <${address ?? ''}>`).join(', ');
}

/** Text of an encoding that is not declared, or wrongly, is read once more as what it may be. */
function textOf(mail: ParsedMail | undefined, raw: Buffer): string {
  const text = damagedText(mail) + (mail?.text || plain(mail?.html || ''));
  const isEmpty = text.trim() === '' && (mail?.attachments.length ?? 0) === 0;
  const damaged = text.includes('\ufffd') || isEmpty;
  return (damaged ? decodeLoosely(bodyOf(raw)) : text).slice(0, LONGEST_TEXT);
}

/** Parts that are text but for a slip in their type, such as a missing `;`. */
function damagedText(mail: ParsedMail | undefined): string {
  const parts = mail?.attachments.filter(({ contentType }) => /^text\/plain\s/i.test(contentType));
  return (parts ?? []).map(({ content }) => `${decodeLoosely(content)}\n`).join('');
}

/** What stands behind the header, decoded where the whole message is one part. */
function bodyOf(raw: Buffer): Buffer {
  const ends = [raw.indexOf('\r\n\r\n'), raw.indexOf('\n\n')].filter((at) => at >= 0);
  const end = ends.length > 0 ? Math.min(...ends) : 0;
  const [encoding = ''] = readFields(headerOf(raw.subarray(0, end).toString('latin1'))).get(
    'content-transfer-encoding',
  ) ?? [''];
  const body = raw.subarray(end, end + 8 * LONGEST_TEXT);
  if (/base64/i.test(encoding)) return Buffer.from(body.toString('latin1'), 'base64');
  if (/quoted-printable/i.test(encoding)) return unquoted(body.toString('latin1'));
  return body;
}

/** RFC 2045 6.7. */
function unquoted(text: string): Buffer {
  const bytes = text
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

function plain(html: string): string {
  return html
    .slice(0, LONGEST_HTML)
    .replace(/<(?:br|\/p|\/div|\/tr|\/li|\/h\d)\b[^<>]{0,200}>/gi, '\n')
    .replace(/<[^<>]{0,2000}>/g, ' ');
}

/** What undeclared bytes may be, the likeliest first; the last one takes any. */
const GUESSES = ['utf-8', 'iso-2022-jp', 'gb18030', 'big5', 'windows-1252'];

/** Frequent in reports; the wrong one of two encodings makes rare characters of them. */
const FREQUENT = /[的不了在有是您你我們们於于此邮郵件信箱收送寄地址人者用户戶無无法滿满]/g;

/** Text of bytes whose encoding nobody told. */
export function decodeLoosely(bytes: Uint8Array): string {
  const some = bytes.subarray(0, 4 * LONGEST_TEXT);
  const wanted = some.includes(0x1b) ? GUESSES.slice(1) : GUESSES;
  const [first = '', ...others] = wanted.flatMap((encoding) => decoded(some, encoding));
  // What is UTF-8 by its form is nothing else.
  if (wanted === GUESSES && decoded(some, 'utf-8').length > 0) return first;
  const score = (text: string) => text.match(FREQUENT)?.length ?? 0;
  return others.reduce((best, text) => (score(text) > score(best) ? text : best), first);
}

function decoded(bytes: Uint8Array, encoding: string): string[] {
  try {
    // As a stream: the cut may fall into a character.
    return [new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true })];
  } catch {
    return [];
  }
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
