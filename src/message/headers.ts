/** The header block of a newsletter message (RFC 5322, 2047, 2369, 2919, 5064, 8058). */
import { inputError } from '../errors.ts';
import {
  addrSpec,
  asciiDomain,
  headerInvalid,
  headerUrl,
  LOCAL_PART,
  needsSmtpUtf8,
  refuseControls,
} from './address.ts';
import { joined, linkTemplate } from './slots.ts';
import type { Template } from './transfer.ts';

/** Everything about a message that is not its content. */
export interface Head {
  from: { name: string; address: string };
  replyTo?: string;
  /** `id` as in RFC 2919, the same for the whole life of the list (D-28). */
  listId: { id: string; name: string };
  /** ms: the campaign's start. */
  date: number;
  helpUrl?: string;
  archivedAt?: string;
  /** `a:b:c:SenderId` (D-33). */
  feedbackId?: string;
  /** `{token}` in a link is the reader's. `unsubscribe` must have it. */
  links: { unsubscribe: string; web?: string; preferences?: string };
  /** `u+{token}@…`, only where somebody reads that mailbox (D-12). */
  mailtoUnsubscribe?: string;
  /** Of the Message-ID `<v1.{issue}.{delivery}.{hmac8}@{domain}>`; the salt is secret. */
  identity: { issue: string; domain: string; salt: Buffer | string };
  autoSubmitted?: boolean;
}

/** Octets: what RFC 5322 2.1.1 asks for, what it insists on. */
const LINE = 78;
const LONGEST_LINE = 998;

/** RFC 2047 2, characters: a line with encoded words, one word, and `=?UTF-8?B??=` around its text. */
const ENCODED_LINE = 76;
const ENCODED_WORD = 75;
const AROUND_WORD = 12;

/** ASCII words no longer than this can be folded at their spaces. */
const FOLDABLE = 60;

/** Octets of the whole header block, and what of them is kept for the reader's fields and a DKIM signature (D-27). */
const BLOCK = 8192;
const RESERVED = 2048;

/** No token is longer. */
const LONGEST_TOKEN = 200;

export interface Headers {
  /** Header lines with CRLF up to where Content-Type has to follow. */
  template: Template;
  /** Octets that a token can have without breaking a rule. */
  longestToken: number;
}

/** What a mail to one person has besides its content: no list, no links to leave it (D-15). */
export type NoticeHead = Pick<Head, 'from' | 'replyTo' | 'date' | 'identity'>;

/**
 * @param subject of the message
 * @throws BroadsheetError `header-invalid` or `address-invalid` for a value that would break a header
 */
export function headersOf(subject: string, head: Head): Headers {
  const template = joined([
    ...commonFields(subject, head),
    ...listFields(head),
    optional('Archived-At', head.archivedAt, (url) => `<${headerUrl('archivedAt', url)}>`),
    optional('Feedback-ID', head.feedbackId, feedbackId),
    head.autoSubmitted ? AUTO_SUBMITTED : '',
  ]);
  checkLength(staticsOf(template));
  return { template, longestToken: longestToken(head) };
}

/**
 * Of a mail that a program writes to one person, such as a request to confirm (RFC 3834, D-31).
 * @throws BroadsheetError as `headersOf`
 */
export function noticeHeaders(subject: string, head: NoticeHead): Template {
  const template = joined([...commonFields(subject, head), AUTO_SUBMITTED]);
  checkLength(staticsOf(template));
  return template;
}

const AUTO_SUBMITTED = 'Auto-Submitted: auto-generated\r\n';

function commonFields(subject: string, head: NoticeHead): Template {
  return [
    `From: ${mailbox('From', 'sender.name', head.from.name, ownAddress(head.from.address))}\r\n`,
    'To: <',
    { field: 'to', html: false },
    '>\r\n',
    optional('Reply-To', head.replyTo, (address) => `<${ownAddress(address)}>`),
    `Subject: ${unstructured('Subject', 'The subject', subject)}\r\n`,
    `Date: ${dateTime(head.date)}\r\n`,
    'Message-ID: <',
    { field: 'messageId', html: false },
    '>\r\n',
    'MIME-Version: 1.0\r\n',
  ];
}

/** What makes it a mailing list's message; a transactional one has none of these (D-15). */
function listFields(head: Head): Template {
  return [
    `List-ID: ${listId(head.listId)}\r\n`,
    ...listUnsubscribe(head),
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n',
    optional('List-Help', head.helpUrl, (url) => `<${headerUrl('helpUrl', url)}>`),
    'Precedence: bulk\r\n',
  ];
}

/** One line, however long: signatures have been broken by folding it (D-39). */
function listUnsubscribe(head: Head): Template {
  const mailto = head.mailtoUnsubscribe
    ? `, <mailto:${mailtoAddress(head.mailtoUnsubscribe)}>`
    : '';
  const value = `<${unsubscribeUrl(head)}>${mailto}`;
  return ['List-Unsubscribe: ', ...linkTemplate(value, false), '\r\n'];
}

/** Links must be `https:` (RFC 8058 3.1); on this machine, where nobody else reads, `http:` will do. */
export function unsubscribeUrl({ links }: Head): string {
  const url = headerUrl('The unsubscribe link', links.unsubscribe);
  if (!url.includes('{token}')) {
    const hint = 'Each reader has a link of their own.';
    throw headerInvalid('The unsubscribe link', url, 'has no {token}', hint);
  }
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) return url;
  const hint = 'Mailbox providers accept https: only (RFC 8058). Change site.url.';
  throw headerInvalid('The unsubscribe link', url, 'is not https:', hint);
}

/** An address of the sender; one outside ASCII would need SMTPUTF8 of every server (D-26). */
function ownAddress(address: string): string {
  if (!needsSmtpUtf8(address)) return addrSpec(address);
  const hint = 'Use letters of ASCII before the @.';
  throw headerInvalid('The sender address', address, 'cannot be mailed everywhere', hint);
}

function mailtoAddress(address: string): string {
  const [, prefix, domain] = /^([\w.+-]*)\{token\}@(.+)$/.exec(address) ?? [];
  const ascii = asciiDomain(domain ?? '');
  if (ascii) return `${prefix}{token}@${ascii}`;
  const hint = 'It looks like u+{token}@news.example.com.';
  throw headerInvalid('The unsubscribe address', address, 'is not usable', hint);
}

/** The line has at most 998 octets, a mailbox's local part 64 (D-12). */
function longestToken(head: Head): number {
  const pieces = listUnsubscribe(head);
  const uses = pieces.filter((piece) => typeof piece !== 'string').length;
  const room = Math.floor((LONGEST_LINE - staticsOf(pieces).length) / uses);
  const [local = ''] = head.mailtoUnsubscribe?.replace('{token}', '').split('@') ?? [];
  return Math.min(LONGEST_TOKEN, room, head.mailtoUnsubscribe ? LOCAL_PART - local.length : room);
}

function listId({ id, name }: Head['listId']): string {
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/i.test(id) && id.length <= 255)
    return mailbox('List-ID', 'The list name', name, id);
  const hint = 'It looks like a domain of your own: weekly.news.example.com (RFC 2919).';
  throw headerInvalid('The List-ID', id, 'is not usable', hint);
}

function feedbackId(id: string): string {
  const fields = id.split(':').filter((field) => field !== '');
  const different = new Set(fields).size === fields.length;
  if (different && /^([!-9;-~]*:){0,3}[!-9;-~]{5,15}$/.test(id)) return id;
  const hint =
    'It looks like issue:weekly:news:sender, the last of 5 to 15 characters, none twice.';
  throw headerInvalid('The Feedback-ID', id, 'is not usable', hint);
}

/** RFC 5322 3.3, in UTC. */
function dateTime(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new RangeError(`${ms} is no time`);
  return date.toUTCString().replace('GMT', '+0000');
}

function optional(
  field: string,
  value: string | undefined,
  format: (value: string) => string,
): string {
  return value === undefined ? '' : `${field}: ${format(value)}\r\n`;
}

/**
 * A name and an address or id: `"Weekly" <a@example.com>`, folded between the two where it gets long.
 * @param field whose line it begins
 * @param label of the name, for errors
 */
export function mailbox(field: string, label: string, name: string, inAngles: string): string {
  const text = wellFormed(label, name);
  if (text === '') return `<${inAngles}>`;
  const start = field.length + 2;
  const short = isFoldable(text) && text.length <= FOLDABLE;
  const phrase = short ? quotedString(text) : encodedWords(text, start);
  const lastLine = phrase.includes('\n')
    ? phrase.slice(phrase.lastIndexOf('\n') + 1)
    : ' '.repeat(start) + phrase;
  const space = lastLine.length + inAngles.length + 3 > ENCODED_LINE ? '\r\n ' : ' ';
  return `${phrase}${space}<${inAngles}>`;
}

/** The value of a field that is text and nothing else. */
export function unstructured(field: string, label: string, value: string): string {
  const text = wellFormed(label, value);
  if (text === '') throw headerInvalid(label, value, 'is empty', 'Say what the mail is about.');
  const column = field.length + 2;
  return isFoldable(text) ? foldWords(text, column) : encodedWords(text, column);
}

function wellFormed(label: string, value: string): string {
  return refuseControls(label, value).toWellFormed().trim();
}

/** Short printable ASCII words with single spaces, and nothing that a reader would decode. */
function isFoldable(text: string): boolean {
  return (
    /^[!-~]+( [!-~]+)*$/.test(text) &&
    !text.includes('=?') &&
    text.split(' ').every(({ length }) => length <= FOLDABLE)
  );
}

function quotedString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** @param column where the text begins on its line */
function foldWords(text: string, column: number): string {
  const lines = [''];
  let room = LINE - column;
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string;
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(word);
      room = LINE - 1;
    } else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\r\n ');
}

/** RFC 2047 words of at most 75 characters, one a line; no character is split (D-20). */
export function encodedWords(text: string, column: number): string {
  const words = [''];
  let room = octetsOfWord(Math.min(ENCODED_LINE - column, ENCODED_WORD));
  for (const character of text) {
    const word = words.at(-1) as string;
    if (Buffer.byteLength(word + character) > room) {
      words.push(character);
      room = octetsOfWord(ENCODED_WORD);
    } else words[words.length - 1] = word + character;
  }
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

/** Octets of text that fit into an encoded word of that many characters. */
function octetsOfWord(characters: number): number {
  return Math.floor((characters - AROUND_WORD) / 4) * 3;
}

function staticsOf(template: Template): string {
  return template.filter((piece) => typeof piece === 'string').join('');
}

function checkLength(statics: string): void {
  const longest = Math.max(...statics.split('\r\n').map(({ length }) => length));
  if (statics.length <= BLOCK - RESERVED && longest <= LONGEST_LINE) return;
  const message = `The header is too long: ${statics.length} octets, ${longest} in one line`;
  const hint = 'Shorten the subject, the names or the links.';
  throw inputError('header-invalid', message, { hint });
}

/** The domain of a Message-ID. */
export function identityDomain(domain: string): string {
  const ascii = asciiDomain(domain);
  if (ascii) return ascii;
  const hint = 'Use a domain of your own.';
  throw headerInvalid('The domain of the Message-ID', domain, 'is none', hint);
}
