/** DKIM (RFC 6376), as much of it as newsletters need: rsa-sha256, relaxed/relaxed. */
import {
  createHash,
  createPrivateKey,
  hash,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type BroadsheetError, failedError, inputError } from '../errors.ts';
import { asciiDomain } from './address.ts';

/**
 * Signed where they are present (D-37), each named once more than it occurs: another field of that
 * name, added on the way, breaks the signature. Absent ones are not named, because some relays add
 * them (Amazon SES adds Feedback-ID).
 */
export const SIGNED_FIELDS = [
  'From',
  'Reply-To',
  'Subject',
  'Date',
  'Message-ID',
  'To',
  'MIME-Version',
  'Content-Type',
  'List-ID',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'List-Help',
  'Feedback-ID',
] as const;

/** RFC 8301: what receivers accept at least. 2048 is what to make. */
const SHORTEST_KEY = 1024;

/** Characters of a folded line of the signature. */
const FOLD = 70;

export interface Signer {
  /** `d=` */
  domain: string;
  /** `s=` */
  selector: string;
  key: KeyObject;
}

/**
 * @param pem RSA private key, PKCS #8 or PKCS #1
 * @throws BroadsheetError `dkim-key-invalid` for what is no key, no RSA key, or too short; or a domain or selector that is none
 */
export function loadSigner(given: { domain: string; selector: string; pem: string }): Signer {
  const domain = asciiDomain(given.domain);
  const selector = asciiDomain(given.selector);
  if (!domain) throw keyInvalid(`"${given.domain}" is no domain`, 'Look at dkim.domain.');
  if (!selector) throw keyInvalid(`"${given.selector}" is no selector`, 'Look at dkim.selector.');
  const key = privateKey(given.pem);
  checkKey(key);
  return { domain, selector, key };
}

function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    // The error of OpenSSL says nothing of the key itself.
    throw keyInvalid(`The DKIM key cannot be read: ${(error as Error).message}`, MAKE_A_KEY);
  }
}

function checkKey({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): void {
  if (type === 'ed25519') {
    throw keyInvalid(
      'The DKIM key is Ed25519, which large providers do not verify: to them the mail would be unsigned',
      MAKE_A_KEY,
    );
  }
  if (type !== 'rsa') throw keyInvalid(`The DKIM key is ${type}, not RSA`, MAKE_A_KEY);
  const bits = details?.modulusLength ?? 0;
  if (bits < SHORTEST_KEY)
    throw keyInvalid(`The DKIM key has ${bits} bits, which nobody accepts`, MAKE_A_KEY);
}

const MAKE_A_KEY =
  'Make an RSA key of 2048 bits: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.pem';

function keyInvalid(message: string, hint: string): BroadsheetError {
  return inputError('dkim-key-invalid', message, { hint });
}

/** On the thread pool: signing takes ten times as long as all else that is done for a mail. */
const signOnPool = promisify(signBytes);

/**
 * Puts a signature before the message. Same input, same bytes: it holds no time.
 * @param message with CRLF lines, as `fillPieces` composes it
 * @returns the same pieces, with one before them
 */
export async function sign(
  message: readonly Buffer[],
  { domain, selector, key }: Signer,
): Promise<Buffer[]> {
  const { header, body } = splitPieces(message);
  const fields = fieldsOf(header);
  const names = SIGNED_FIELDS.flatMap((name) => {
    const present = fieldsNamed(fields, name);
    return present.length > 0 ? [...present.map(() => name), name] : [];
  });
  const unsigned = [
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${domain};`,
    ` s=${selector};`,
    ` bh=${bodyHash(body)};`,
    ` h=${foldNames(names)};`,
    ' b=',
  ].join('\r\n');
  const value = await signOnPool('sha256', signedBytes(fields, names, unsigned), key);
  const folded = value
    .toString('base64')
    .replace(/.{1,70}/g, '$&\r\n ')
    .trimEnd();
  return [Buffer.from(`${unsigned}${folded}\r\n`), ...message];
}

function bodyHash(body: readonly Buffer[]): string {
  if (!areRelaxed(body)) return hash('sha256', relaxedBody(Buffer.concat(body)), 'base64');
  const digest = createHash('sha256');
  for (const piece of body) digest.update(piece);
  return digest.digest('base64');
}

/**
 * Checks the topmost signature as a receiver would, and that it covers what it has to (D-39).
 * @throws BroadsheetError `dkim-invalid` when there is none, when it does not fit the message, or when
 *   a field of D-37 is not covered
 */
export function verifySignature(message: Buffer, publicKey: KeyObject): void {
  const { fields, body } = splitMessage(message);
  const [signature] = fieldsNamed(fields, 'DKIM-Signature');
  if (!signature) throw invalid('The message is not signed');
  const tags = tagsOf(signature.raw);
  checkTags(tags);
  const names = tags.get('h')?.split(':') ?? [];
  checkCover(fields, names);
  if (tags.get('bh') !== hash('sha256', relaxedBody(body), 'base64')) {
    throw invalid('The DKIM signature is of another body');
  }
  const unsigned = signature.raw.replace(/(;\s*b=)[^;]*/, '$1');
  const bytes = signedBytes(fields, names, unsigned);
  const value = Buffer.from(tags.get('b') ?? '', 'base64');
  if (!verifyBytes('sha256', bytes, publicKey, value)) {
    throw invalid('The DKIM signature does not fit the header and the key');
  }
}

/** Tags by name, without any white space: none of those read here can have it. */
function tagsOf(raw: string): Map<string, string> {
  const list = raw
    .slice(raw.indexOf(':') + 1)
    .replace(/\s/g, '')
    .split(';');
  return new Map(
    list.map((tag) => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]),
  );
}

function checkTags(tags: ReadonlyMap<string, string>): void {
  const wanted = { v: '1', a: 'rsa-sha256', c: 'relaxed/relaxed' };
  for (const [name, value] of Object.entries(wanted)) {
    if (tags.get(name) !== value)
      throw invalid(`The DKIM signature says ${name}=${tags.get(name)}, not ${value}`);
  }
  if (tags.has('l')) throw invalid('The DKIM signature covers only the beginning of the body (l=)');
}

function checkCover(fields: readonly Field[], names: readonly string[]): void {
  const missing = SIGNED_FIELDS.filter(
    (name) =>
      fieldsNamed(fields, name).length > names.filter((signed) => same(signed, name)).length,
  );
  if (missing.length > 0) throw invalid(`The DKIM signature does not cover ${missing.join(', ')}`);
}

function invalid(message: string): BroadsheetError {
  return failedError('dkim-invalid', message, {
    hint: 'Look at the DKIM key and its selector: broadsheet doctor',
  });
}

/**
 * Whether a signature by `dkimDomain` speaks for `fromDomain` (D-04): they are equal, or one lies
 * under the other. Two sub-domains of one organisation are aligned as well by RFC 9989, but which
 * domain is the organisation's is known to DNS only; here they are not.
 */
export function isAligned(dkimDomain: string, fromDomain: string): boolean {
  const [a, b] = [asciiDomain(dkimDomain), asciiDomain(fromDomain)];
  const [upper, lower] = a.length <= b.length ? [a, b] : [b, a];
  return upper.includes('.') && (lower === upper || lower.endsWith(`.${upper}`));
}

interface Field {
  name: string;
  /** With its folding, without its last CRLF; latin1, so that bytes stay bytes. */
  raw: string;
}

function splitMessage(message: Buffer): { fields: Field[]; body: Buffer } {
  const { header, body } = splitPieces([message]);
  return { fields: fieldsOf(header), body: body[0] as Buffer };
}

/** The header without its last line end; the body in the pieces that it had. */
function splitPieces(message: readonly Buffer[]): { header: Buffer; body: Buffer[] } {
  for (let count = 1; count <= message.length; count += 1) {
    const first = count === 1 ? (message[0] as Buffer) : Buffer.concat(message.slice(0, count));
    const end = first.indexOf('\r\n\r\n');
    if (end === -1) continue;
    const body = [first.subarray(end + 4), ...message.slice(count)];
    return { header: first.subarray(0, end), body };
  }
  throw invalid('The message has no end of its header');
}

function fieldsOf(header: Buffer): Field[] {
  const raws = header.toString('latin1').split(/\r\n(?![ \t])/);
  return raws.map((raw) => ({ name: raw.slice(0, raw.indexOf(':')), raw }));
}

function fieldsNamed(fields: readonly Field[], name: string): Field[] {
  return fields.filter((field) => same(field.name, name));
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** What the key signs: the fields named, of several the lowest first, then the signature without its value (RFC 6376 3.7, 5.4.2). */
function signedBytes(fields: readonly Field[], names: readonly string[], unsigned: string): Buffer {
  const left = [...fields];
  const lines = names.map((name) => {
    const at = left.findLastIndex((field) => same(field.name, name));
    const [field] = at === -1 ? [] : left.splice(at, 1);
    return field ? `${relaxedField(field.raw)}\r\n` : '';
  });
  return Buffer.from(lines.join('') + relaxedField(unsigned), 'latin1');
}

/** RFC 6376 3.4.2 */
function relaxedField(raw: string): string {
  const colon = raw.indexOf(':');
  const value = raw
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ');
  return `${raw.slice(0, colon).trim().toLowerCase()}:${value.trim()}`;
}

/** RFC 6376 3.4.4. What `fill` composes has this form already, which costs a few searches to see. */
function relaxedBody(body: Buffer): Buffer {
  if (isRelaxed(body)) return body;
  const text = body
    .toString('latin1')
    .replace(/[ \t]+/g, ' ')
    .replace(/ (?=\r\n|$)/g, '')
    .replace(/(?:\r\n)*$/, '');
  return Buffer.from(text === '' ? '' : `${text}\r\n`, 'latin1');
}

function isRelaxed(body: Buffer): boolean {
  const end = body.toString('latin1', Math.max(0, body.length - 4));
  const endsOnce = end.length === 4 && end.endsWith('\r\n') && !end.endsWith('\r\n\r\n');
  return endsOnce && !hasLooseSpace(body);
}

/** Pieces that many messages share are looked through once. */
const tight = new WeakSet<Buffer>();

/** The same of a body in pieces; false also where only their seams are in doubt. */
function areRelaxed(body: readonly Buffer[]): boolean {
  const pieces = body.filter(({ length }) => length > 0);
  const last = pieces.at(-1);
  if (!last || last.length < 4 || !isRelaxed(last)) return false;
  return pieces.every((piece) => {
    if (tight.has(piece)) return true;
    if (piece.at(-1) === SPACE || hasLooseSpace(piece)) return false;
    if (piece.length >= WORTH_KEEPING) tight.add(piece);
    return true;
  });
}

const SPACE = 0x20;
/** Looking at a shorter piece costs less than remembering it, bytes. */
const WORTH_KEEPING = 512;

/** Space that the relaxed form changes. */
function hasLooseSpace(bytes: Buffer): boolean {
  return ['\t', '  ', ' \r\n'].some((spaces) => bytes.includes(spaces));
}

function foldNames(names: readonly string[]): string {
  const lines = [''];
  for (const name of names) {
    const line = lines.at(-1) as string;
    if (line.length + name.length > FOLD) lines.push(`${name}:`);
    else lines[lines.length - 1] = `${line}${name}:`;
  }
  return lines.join('\r\n ').slice(0, -1);
}
