/**
 * A raw message becomes a report: what kind it is, what it says of each recipient, and what may name the delivery.
 * Nothing here is believed yet, and nothing here throws: reports come from anybody.
 */
import { createHash } from 'node:crypto';
import { addressesIn, type Fields, field, headerOf, readFields } from './fields.ts';
import {
  addressesOf,
  decodeLoosely,
  type Message,
  type Part,
  takeApart,
  withLineEnds,
} from './mime.ts';
import {
  type Halves,
  halvesOf,
  isDelayNotice,
  isFailureNotice,
  isMailServer,
  quotedReply,
  type Statement,
  statementsOf,
} from './notice.ts';
import { sesContent } from './ses-event.ts';
import { meaningsOf } from './words.ts';

/** Bytes of a report; our own mails are far smaller than this. */
export const LONGEST_REPORT = 10 * 1024 * 1024;

/** Recipients of one report that are looked at; a mail of ours has one. */
const MOST_RECIPIENTS = 100;

export type Form =
  /** RFC 3464, or its fields in a damaged message. */
  | 'delivery-status'
  /** A server says in words that a mail was not delivered. */
  | 'notice'
  /** RFC 5965, or what mailbox providers send instead. */
  | 'feedback'
  /** Vacation, challenge, receipt (RFC 3834, RFC 8098): counted nowhere (D-57). */
  | 'auto-reply'
  /** A person, or whoever else. */
  | 'mail';

export interface Report {
  form: Form;
  /** SHA-256 of the message whatever its line ends, hex. */
  hash: string;
  subject: string;
  /** Addresses that it came to. */
  cameTo: readonly string[];
  recipients: readonly Recipient[];
  /** A header field names them (`X-Failed-Recipients`): that they failed is certain, if not why. */
  isCertain: boolean;
  /** `abuse`, `opt-out`, …: of a feedback report. */
  feedback: string;
  returned: Returned;
  /** What the server says to people. */
  notice: string;
}

/** RFC 3464 2.3.3; empty: not said. */
export type Action = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded' | '';

/** What a report says of one recipient; empty: not said. */
export interface Recipient {
  action: Action;
  status: string;
  diagnostic: string;
  /** What the words for people say of this recipient. */
  said: string;
  finalRecipient: string;
  originalRecipient: string;
  remoteMta: string;
}

/** What the returned mail says of itself, or a report of it. */
export interface Returned {
  /** Without angle brackets. */
  messageIds: readonly string[];
  /** Values of List-Unsubscribe. */
  unsubscribe: readonly string[];
  /** Addresses that it was sent from. */
  returnPaths: readonly string[];
  archivedAt: string;
}

/** Reads a message. */
export async function parseReport(raw: Buffer): Promise<Report> {
  const whole = withLineEnds(raw);
  const hash = hashOf(whole);
  if (raw.length > LONGEST_REPORT) return { ...EMPTY, hash };
  const message = await takeApart(whole);
  const halves = halvesOf(message.text);
  const cameTo = addressesOf(message.fields);
  const inside = reportInside(message, halves);
  if (inside) return { ...reportOf(await takeApart(inside)), hash, cameTo };
  return { ...reportOf(message, halves), hash, cameTo };
}

function reportOf(message: Message, halves = halvesOf(message.text)): Omit<Report, 'hash'> {
  const returned = returnedOf(message, halves);
  const base = { ...EMPTY, subject: message.subject, notice: halves.notice, returned };
  return { ...base, ...contentOf(message, halves) };
}

/** A gateway that says nothing itself and sends the report of another on; null where there is none. */
function reportInside({ from, parts }: Message, { notice }: Halves): Buffer | null {
  if (!isMailServer(from) || parts.some(({ type }) => STATUS_PARTS.test(type))) return null;
  if (quotedReply(notice) !== '' || meaningsOf(notice).length > 0) return null;
  const isReport = ({ type, content }: Part) =>
    type === 'message/rfc822' &&
    /^content-type:\s*multipart\/report\b/im.test(headerOf(content.toString('latin1')));
  return parts.find(isReport)?.content ?? null;
}

/** A report that says nothing. */
export const EMPTY: Omit<Report, 'hash'> = {
  form: 'mail',
  subject: '',
  cameTo: [],
  recipients: [],
  isCertain: false,
  feedback: '',
  returned: { messageIds: [], unsubscribe: [], returnPaths: [], archivedAt: '' },
  notice: '',
};

/** Copies of a message differ in their line ends, and an mbox adds empty ones. */
function hashOf(message: Buffer): string {
  const text = message.toString('latin1').trim();
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

type Content = Pick<Report, 'form'> & Partial<Report>;

function contentOf(message: Message, halves: Halves): Content {
  const content =
    feedbackOf(message, halves) ??
    statusOf(message, halves) ??
    sesNotice(message) ??
    receiptOf(message) ??
    noticeOf(message, halves);
  return content ?? { form: isAutoReply(message) ? 'auto-reply' : 'mail' };
}

/** RFC 5965 3; else Microsoft's JMRP, which sends the mail back and says so in a subject. */
function feedbackOf({ parts, subject, from, text }: Message, { notice }: Halves): Content | null {
  const part = parts.find(({ type }) => type === 'message/feedback-report');
  const inText =
    /^feedback-type:[^\n]*$/im.test(notice) && /^(?:user-agent|version):/im.test(notice);
  const fields = part ? readFields(decodeLoosely(part.content)) : inText ? readFields(text) : null;
  if (fields)
    return { form: 'feedback', feedback: feedbackType(fields), recipients: complainer(fields) };
  const isJmrp =
    /^complaint about message from /i.test(subject) &&
    /@(?:\w+\.)?(?:hotmail|outlook|microsoft)\./i.test(from);
  return isJmrp ? { form: 'feedback', feedback: 'abuse' } : null;
}

/** Mostly redacted (D-55). */
function complainer(fields: Fields): Recipient[] {
  const [finalRecipient] = addressesIn(field(fields, 'original-rcpt-to'));
  return finalRecipient === undefined ? [] : [{ ...NOBODY, finalRecipient }];
}

const NOBODY: Recipient = {
  action: '',
  status: '',
  diagnostic: '',
  said: '',
  finalRecipient: '',
  originalRecipient: '',
  remoteMta: '',
};

function feedbackType(fields: Fields): string {
  return /^[\w-]+/.exec(field(fields, 'feedback-type'))?.[0].toLowerCase() ?? '';
}

/** RFC 3464, and RFC 6533 for addresses outside ASCII. */
function statusOf(message: Message, halves: Halves): Content | null {
  const parts = message.parts.filter(({ type }) => STATUS_PARTS.test(type));
  const texts = parts.map(({ content }) => decodeLoosely(content));
  if (texts.length === 0) texts.push(...statusInText(message, halves));
  if (texts.length === 0) return null;
  const recipients = texts.flatMap(recipientsOf).slice(0, MOST_RECIPIENTS);
  if (recipients.length > 0)
    return { form: 'delivery-status', recipients: withWords(recipients, halves.notice) };
  // A report without a recipient: its words have to do.
  return { form: 'notice', recipients: statementsIn(message, halves), isCertain: names(message) };
}

/** Some servers explain a failure to people only (OpenSMTPD), and most tell only them at which command it was. */
function withWords(recipients: Recipient[], notice: string): Recipient[] {
  const statements = statementsOf(notice);
  const alone = recipients.length === 1 && statements.length === 1 ? statements[0] : undefined;
  return recipients.map((recipient) => {
    const about = [recipient.finalRecipient, recipient.originalRecipient]
      .map(lower)
      .filter(Boolean);
    const own = statements.find(({ address }) => about.includes(lower(address))) ?? alone;
    if (!own) return recipient;
    return {
      ...recipient,
      diagnostic: recipient.diagnostic || besideAddress(own),
      said: own.words,
    };
  });
}

/** `anna@example.net: 550 5.1.1 User unknown`: what stands on the line of the address. */
function besideAddress({ address, words }: Statement): string {
  if (address === '') return '';
  const rest = words.slice(words.indexOf(address) + address.length);
  return /^[>'")]?:?[ \t]+(\S[^\n]*(?:\n[ \t]+\S[^\n]*)*)/.exec(rest)?.[1] ?? '';
}

function lower(address: string): string {
  return address.toLowerCase();
}

/** A status block without a part of its own; behind a mail that is given back only where a mail server writes. */
function statusInText({ from, text }: Message, { notice }: Halves): string[] {
  const places = isMailServer(from) ? [notice, text] : [notice];
  const found = places.find(
    (place) =>
      /^(?:final|original)-recipient[ \t]*:/im.test(place) && /^action[ \t]*:/im.test(place),
  );
  return found === undefined ? [] : [found];
}

const STATUS_PARTS = /^message\/(?:global-|x-)?delivery-status$/;

/** The blocks about recipients; the first one is about the message, unless a server joined them. */
function recipientsOf(text: string): Recipient[] {
  const blocks = text.replace(/\r\n?/g, '\n').split(/\n[ \t]*\n/);
  return blocks.flatMap(eachRecipient).flatMap((block) => {
    const fields = readFields(block);
    const isOne = ['final-recipient', 'original-recipient', 'action', 'diagnostic-code'].some(
      (name) => fields.has(name),
    );
    return isOne ? [recipientOf(fields)] : [];
  });
}

/** A block that names several recipients lacks the empty lines between them. */
function eachRecipient(block: string): string[] {
  const many = (block.match(/^final-recipient[ \t]*:/gim)?.length ?? 0) > 1;
  return many ? block.split(/^(?=final-recipient[ \t]*:)/im) : [block];
}

function recipientOf(fields: Fields): Recipient {
  const status = /[245]\.\d{1,3}\.\d{1,3}/.exec(field(fields, 'status'))?.[0] ?? '';
  return {
    action: actionOf(field(fields, 'action')),
    status,
    diagnostic: decodeWords(diagnosticOf(fields)),
    said: '',
    finalRecipient: typedAddress(field(fields, 'final-recipient')),
    originalRecipient: typedAddress(field(fields, 'original-recipient')),
    remoteMta: field(fields, 'remote-mta').replace(/^[\w-]+;\s*/, ''),
  };
}

const ACTIONS: readonly Action[] = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'];

function actionOf(value: string): Action {
  const said = value.toLowerCase();
  if (/^(?:fail|error|expired|deferral expired)/.test(said)) return 'failed';
  return ACTIONS.find((action) => said.startsWith(action)) ?? '';
}

/** Several fields of that name tell one story; without any, the comment behind the status does (RFC 3464 2.3.4). */
function diagnosticOf(fields: Fields): string {
  const names = ['diagnostic-code', 'x-smtp-error', 'x-supplementary-info'];
  const said = names
    .flatMap((name) => fields.get(name) ?? [])
    .join(' ')
    .trim();
  return said || (/\(([^()]{3,500})\)/.exec(field(fields, 'status'))?.[1] ?? '');
}

/** `rfc822; <anna@example.net>`, `utf-8; …`: the address (RFC 3464 2.3.2; xtext of RFC 3461 4). */
function typedAddress(value: string): string {
  const text = value.replace(/^\s*[\w-]{1,20}\s*;/, '');
  const plain = text.replace(/\+([0-9A-F]{2})/g, (_, hex) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return addressesIn(text)[0] ?? addressesIn(plain)[0] ?? '';
}

/** Encoded words do not belong here (RFC 2047 5), and come all the same. */
function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?([\w-]{1,40})\?([bq])\?([^?\s]{0,2000})\?=/gi, (word, charset, kind, coded) => {
      const bytes = /b/i.test(kind)
        ? Buffer.from(coded, 'base64')
        : Buffer.from(
            coded
              .replaceAll('_', ' ')
              .replace(/=([0-9a-f]{2})/gi, (_: string, hex: string) =>
                String.fromCharCode(parseInt(hex, 16)),
              ),
            'latin1',
          );
      try {
        return new TextDecoder(charset).decode(bytes);
      } catch {
        return word;
      }
    });
}

/** A notification of Amazon SES by mail: the words of SNS follow behind it. Sendmail breaks long lines with a `!`. */
function sesNotice({ from, text }: Message): Content | null {
  if (!/@sns\.amazonaws\.com\b/i.test(from.slice(0, 1_000))) return null;
  const json = text.slice(0, text.lastIndexOf('}') + 1).replace(/!\r?\n /g, '');
  return sesContent(json);
}

/** A receipt (RFC 8098) is a kind of automatic answer. */
function receiptOf({ parts }: Message): Content | null {
  const isReceipt = parts.some(({ type }) => type === 'message/disposition-notification');
  return isReceipt ? { form: 'auto-reply' } : null;
}

/** What a mail server says in words. */
function noticeOf(message: Message, halves: Halves): Content | null {
  const { fields, from, subject } = message;
  const [returnPath = ''] = fields.get('return-path') ?? [];
  const appearance = { from, subject, returnPath, notice: halves.notice };
  const named = names(message);
  if (!named && (isAutoReplySubject(subject) || !isFailureNotice(appearance))) return null;
  return { form: 'notice', recipients: statementsIn(message, halves), isCertain: named };
}

/** Gmail and Exim name those who failed in the header. */
function names({ fields }: Message): boolean {
  return fields.has('x-failed-recipients');
}

function statementsIn({ fields, from, subject }: Message, { notice }: Halves): Recipient[] {
  const action: Action = isDelayNotice({ from, subject, returnPath: '', notice })
    ? 'delayed'
    : 'failed';
  const failed = addressesIn(field(fields, 'x-failed-recipients'));
  const statements = statementsOf(notice)
    .slice(0, MOST_RECIPIENTS)
    .filter(({ address }) => failed.length === 0 || address === '' || failed.includes(address));
  const whole = quotedReply(notice);
  const remoteMta = /\bhost ([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})/i.exec(notice)?.[1] ?? from;
  const made = (address: string, words: string): Recipient => ({
    ...NOBODY,
    action,
    diagnostic: quotedReply(words) || whole || words,
    said: words,
    finalRecipient: address,
    remoteMta,
  });
  if (statements.length > 0)
    return statements.map(({ address, words }) => made(address || (failed[0] ?? ''), words));
  return failed.map((address) => made(address, notice));
}

/** Subjects of automatic answers. */
const AUTO_SUBJECT =
  /^\s*(?:(?:re|aw|sv|antw?|rif|res|回复|回覆|答复)\s*[::]\s*)?[[(【]?(?:auto(?:matic|mated|matisch\w*|matique|m[aá]tica?|matica)?[ -]?(?:reply|re|response|respons|responder|antwort\w*|svar)?\s*[::)\]】]|auto(?:matic|mated)?[ -]?(?:reply|response)|automatische? antw|automatisk|autoreply|autosvar|autorespond|vacation|out[- ]of[- ](?:the[- ])?office|(?:i am |i'm )?(?:away|on (?:vacation|leave|holiday))|ooo\b|abwesen|außer haus|r[ée]ponse automatique|absen|hors du bureau|respuesta autom|fuera de (?:la )?oficina|resposta autom|fora do escrit|risposta autom|fuori sede|автоответ|автоматический ответ|нет на месте|자동 ?(?:회신|응답)|부재|自动(?:回复|答复)|自動(?:回覆|返信|応答|回復)|不在|休假|外出|thank you for (?:contacting|your)|ticket received|automatyczna odp|odpowiedź auto|otomatik yan)/iu;

function isAutoReplySubject(subject: string): boolean {
  return AUTO_SUBJECT.test(subject);
}

/** RFC 3834 5, and what answering programs used before it; also those who want senders to prove themselves. */
function isAutoReply({ fields, subject, from }: Message): boolean {
  const submitted = field(fields, 'auto-submitted').toLowerCase();
  if (submitted !== '' && !submitted.startsWith('no')) return true;
  const marks = [
    'x-autoreply',
    'x-autorespond',
    'x-autoresponse',
    'x-vacation',
    'x-mail-autoreply',
    'x-auto-reply',
  ];
  if (marks.some((name) => fields.has(name))) return true;
  if (/auto[_-]?reply|junk.*auto/i.test(field(fields, 'precedence'))) return true;
  const isChallenge =
    /(?:please )?(?:confirm|verify|approve).{0,40}(?:your (?:message|e-?mail|mail)|you are human|sender)|\b(?:message|e-?mail) (?:held|requires (?:your )?(?:confirmation|verification))|sender verification|boxbe|spam ?arrest|challenge/i;
  return (
    isAutoReplySubject(subject) ||
    isChallenge.test(subject) ||
    /auto-?(?:reply|respond)/i.test(from)
  );
}

/** What the returned mail says of itself: in its own part, or behind the words of the report. */
function returnedOf({ parts }: Message, halves: Halves): Returned {
  const texts = parts
    .filter(({ type }) => !STATUS_PARTS.test(type) && type !== 'message/feedback-report')
    .map(({ content }) => headerOf(content.subarray(0, 128 * 1024).toString('latin1')));
  const all = [...texts, tailHeader(halves.returned)].map(readFields);
  const values = (name: string) => all.flatMap((fields) => fields.get(name) ?? []);
  return {
    messageIds: values('message-id').flatMap(
      (value) => /<?([^<>\s]{3,300}@[^<>\s]{1,255})>?/.exec(value)?.[1] ?? [],
    ),
    unsubscribe: values('list-unsubscribe'),
    returnPaths: ['return-path', 'x-envelope-from', 'sender'].flatMap(values).flatMap(addressesIn),
    archivedAt: values('archived-at')[0] ?? '',
  };
}

/** The header in a text that begins with words about it, perhaps indented or quoted. */
function tailHeader(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^(?:> ?|\t| {1,4}(?=[A-Z][\w-]*:))/, ''));
  const first = lines.findIndex((line) => /^[A-Z][\w-]{1,60}:/.test(line));
  return first < 0 ? '' : headerOf(lines.slice(first).join('\n'));
}
