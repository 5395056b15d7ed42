/**
 * The one composer. `compile` turns an email into a message program: bytes that are the same for
 * everybody, and slots. `fill` turns the program into the bytes of one reader's message. Preview,
 * checks, test mails and campaigns all go through these two.
 */
import { createHash, createHmac } from 'node:crypto';
import { inputError } from '../errors.ts';
import type { Email } from '../issue/email.ts';
import { addrSpec, headerInvalid, headerUrl } from './address.ts';
import {
  type Head,
  headersOf,
  identityDomain,
  type NoticeHead,
  noticeHeaders,
  unsubscribeUrl,
} from './headers.ts';
import { checkRemains, cutSlots, type Fillings } from './slots.ts';
import {
  encodeText,
  fillSection,
  type PackedSection,
  packSection,
  plainSection,
  type Section,
  unpackSection,
  type Values,
} from './transfer.ts';

export type { Head, NoticeHead } from './headers.ts';

/** A message for everybody, ready to be filled in. It holds a secret: the salt of the Message-IDs. */
export interface Program {
  /** The message from first to last byte. */
  sections: readonly Section[];
  identity: { issue: string; domain: string; salt: Buffer };
  /** Octets that a reader's token can have. */
  longestToken: number;
}

export interface Reader {
  /** Letters, digits and hyphens; unique within the program's issue, and the same for a resend. */
  delivery: string | number;
  /** As typed: what mail is sent to. */
  address: string;
  name: string | null;
  /** Stands in links, so: letters, digits and `-._~`. */
  token: string;
}

/**
 * Compiles an email. Same input, same program (I11).
 * @throws BroadsheetError `slot-broken` for a slot marker that is lost, doubled or damaged;
 *   `header-invalid` or `address-invalid` for a value that would break a header (D-21)
 */
export function compile(email: Email, head: Head): Program {
  const fillings = fillingsOf(head);
  const text = encodeText(cutSlots(email.text, 'text', fillings));
  const html = encodeText(cutSlots(email.html, 'HTML', fillings));
  checkRemains(email.subject, 'subject');
  const { template, longestToken } = headersOf(email.subject, head);
  const boundary = boundaryOf(email);
  const multipart = `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n\r\n`;
  const sections = [
    plainSection([...template, multipart + partHead(boundary, 'text/plain', text)]),
    text,
    plainSection([`\r\n${partHead(boundary, 'text/html', html)}`]),
    html,
    plainSection([`\r\n--${boundary}--\r\n`]),
  ];
  return { sections, identity: identityOf(head), longestToken };
}

/**
 * Compiles a plain mail to one person, such as a request to confirm: no slots, no list headers (D-15). `fill` takes
 * any token for it.
 * @throws BroadsheetError as `compile`
 */
export function compileNotice(notice: Pick<Email, 'subject' | 'text'>, head: NoticeHead): Program {
  const none = { link: undefined };
  const text = encodeText(
    cutSlots(notice.text, 'text', {
      unsubscribe: none,
      preferences: none,
      web: none,
      name: none,
      address: none,
    }),
  );
  checkRemains(notice.subject, 'subject');
  const type = `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${text.encoding}\r\n\r\n`;
  const sections = [plainSection([...noticeHeaders(notice.subject, head), type]), text];
  return { sections, identity: identityOf(head), longestToken: NO_TOKEN.length };
}

/** What stands for the token of a message that has none in it. */
export const NO_TOKEN = 'none';

/**
 * Composes one reader's message: what goes over the wire, CRLF lines, 7-bit unless the address is not.
 * Same input, same bytes.
 * @throws BroadsheetError `reader-invalid` or `address-invalid`: nothing is sent to such a reader
 */
export function fill(program: Program, reader: Reader): Buffer {
  return Buffer.concat(fillPieces(program, reader));
}

/**
 * What `fill` gives, in pieces: most of them belong to the program and are the same buffers for every reader,
 * so that a mail is sent without being copied together. They are not to be written to.
 * @throws BroadsheetError as `fill`
 */
export function fillPieces(program: Program, reader: Reader): Buffer[] {
  const values = valuesOf(program, reader);
  return program.sections.flatMap((section) => fillSection(section, values));
}

/**
 * `v1.{issue}.{delivery}.{hmac8}@{domain}` without its angle brackets, the same whenever this delivery
 * is composed (D-18). The last part is 40 bits of HMAC-SHA256 in base32hex: nobody else can make one.
 */
export function messageId({ identity }: Program, { delivery }: Pick<Reader, 'delivery'>): string {
  if (!/^[\w-]{1,40}$/.test(`${delivery}`)) throw readerInvalid('delivery', `${delivery}`);
  const name = `v1.${identity.issue}.${delivery}`;
  const mac = createHmac('sha256', identity.salt).update(name).digest();
  return `${name}.${mac.readUIntBE(0, 5).toString(32).padStart(8, '0')}@${identity.domain}`;
}

/** The program as bytes, to be kept with a campaign: what has been encoded stays as it is. */
export function serialise({ sections, identity, longestToken }: Program): Buffer {
  const packed: PackedProgram = {
    format: 1,
    identity: { ...identity, salt: identity.salt.toString('base64') },
    longestToken,
    sections: sections.map(packSection),
  };
  return Buffer.from(JSON.stringify(packed));
}

/**
 * The program that `serialise` was given.
 * @throws BroadsheetError `program-unknown` for what another version of Broadsheet wrote
 */
export function deserialise(buffer: Buffer): Program {
  const { format, identity, longestToken, sections }: PackedProgram = JSON.parse(buffer.toString());
  if (format !== 1) {
    const message = `A message program has the format ${format}; this version knows 1`;
    const hint = 'Finish the campaign with the version of Broadsheet that planned it.';
    throw inputError('program-unknown', message, { hint });
  }
  return {
    sections: sections.map(unpackSection),
    identity: { ...identity, salt: Buffer.from(identity.salt, 'base64') },
    longestToken,
  };
}

interface PackedProgram {
  format: number;
  identity: { issue: string; domain: string; salt: string };
  longestToken: number;
  sections: PackedSection[];
}

/** Names exactly what would be sent to anybody: content, headers, identity. */
export function programHash(program: Program): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(serialise(program)).digest('hex')}`;
}

function fillingsOf(head: Head): Fillings {
  const { web, preferences } = head.links;
  return {
    unsubscribe: { link: unsubscribeUrl(head) },
    preferences: { link: preferences && headerUrl('The preferences link', preferences) },
    web: { link: web && headerUrl('The web link', web) },
    name: { field: 'name' },
    address: { field: 'address' },
  };
}

/** `=_` occurs in no quoted-printable and no base64 text, so the boundary occurs in no part. */
function boundaryOf({ subject, html, text }: Email): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([subject, html, text]))
    .digest('hex');
  return `=_${digest.slice(0, 24)}`;
}

/** Opens a part; its first line is the boundary's. */
function partHead(boundary: string, type: string, { encoding }: Section): string {
  return `--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
}

function identityOf({ identity: { issue, domain, salt } }: NoticeHead): Program['identity'] {
  if (!/^[\w-]{1,64}$/.test(issue)) {
    const hint = 'Name the folder with small letters, digits and hyphens.';
    throw headerInvalid("The issue's id", issue, 'cannot stand in a Message-ID', hint);
  }
  const bytes = typeof salt === 'string' ? Buffer.from(salt) : salt;
  return { issue, domain: identityDomain(domain), salt: bytes };
}

function valuesOf(program: Program, reader: Reader): Values {
  const { token, address, name } = reader;
  if (!/^[\w.~-]+$/.test(token) || token.length > program.longestToken)
    throw readerInvalid('token', token);
  return {
    to: addrSpec(address),
    messageId: messageId(program, reader),
    token,
    name: oneLine(name ?? ''),
    address,
  };
}

/** A name has no lines, whatever a CSV file says. */
function oneLine(name: string): string {
  return name
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

function readerInvalid(what: string, value: string) {
  const message = `The ${what} ${JSON.stringify(value.slice(0, 60))} cannot stand in a message`;
  const hint = 'This is not for people to mend: report it with the subscriber it concerns.';
  return inputError('reader-invalid', message, { hint });
}
