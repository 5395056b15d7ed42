/** Bytes become text, or a clear refusal. The only place that knows about encodings. */
import { type BroadsheetError, inputError } from '../errors.ts';
import { hanShare } from './language.ts';

export interface DecodeOptions {
  /** How the person knows the file; every refusal names it. */
  name: string;
  /** A label of the WHATWG Encoding Standard, such as `gbk`. Absent: detected. */
  encoding?: string | undefined;
}

const SAMPLE = 64 * 1024;
/** Control characters per character above which a file is no text. */
const CONTROL_SHARE = 1 / 500;
/** Of the double bytes, the share in the rows of everyday characters (GB 2312 level 1). */
const EVERYDAY_SHARE = 0.7;
const CONTROL = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/g;

/**
 * Decodes a text file. A byte order mark decides, then the declared encoding; else UTF-8, UTF-16
 * without a mark (by its zero bytes) and GB18030 are told apart.
 * @returns the text without its byte order mark, otherwise unchanged
 * @throws BroadsheetError input: empty, binary, unknown encoding, or bytes that do not fit it
 */
export function decode(bytes: Uint8Array, options: DecodeOptions): string {
  if (bytes.length === 0) throw empty(options.name);
  const encoding = markedEncoding(bytes) ?? declaredEncoding(options) ?? detect(bytes, options);
  const text = decodeAs(encoding, bytes);
  if (text === undefined) throw malformed(encoding, options);
  if (isBinary(text)) throw binary(options.name);
  if (text.trim() === '') throw empty(options.name);
  return text;
}

/** Encoding Standard, 6 "BOM sniff": the mark wins over any declaration. */
function markedEncoding(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return undefined;
}

function declaredEncoding({ name, encoding }: DecodeOptions): string | undefined {
  if (encoding === undefined) return undefined;
  try {
    return new TextDecoder(encoding).encoding;
  } catch {
    throw inputError('encoding-unknown', `There is no encoding called "${encoding}"`, {
      file: name,
      hint: 'Common ones are utf-8, gb18030, gbk, big5, utf-16le and windows-1252.',
    });
  }
}

function detect(bytes: Uint8Array, options: DecodeOptions): string {
  const zeros = zeroBytes(bytes.subarray(0, SAMPLE));
  const utf8 = decodeAs('utf-8', bytes) !== undefined;
  // ASCII in UTF-16 is valid UTF-8 too, but every second byte is zero.
  const mayBeWide = !utf8 || zeros.even + zeros.odd >= Math.min(bytes.length, SAMPLE) / 5;
  const wide = mayBeWide ? wideEncoding(zeros) : undefined;
  if (wide && isPlausible(decodeAs(wide, bytes))) return wide;
  if (utf8) return 'utf-8';
  if (bytes.subarray(0, SAMPLE).includes(0)) throw binary(options.name);
  if (looksLikeGb18030(bytes)) return 'gb18030';
  throw malformed('utf-8', options);
}

function zeroBytes(bytes: Uint8Array): { even: number; odd: number } {
  const zeros = { even: 0, odd: 0 };
  bytes.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2 === 0 ? 'even' : 'odd']++;
  });
  return zeros;
}

/** UTF-16 without a mark: all its zero bytes, those of the ASCII characters, lie on one side. */
function wideEncoding({ even, odd }: { even: number; odd: number }): string | undefined {
  if (odd > 0 && even <= odd / 20) return 'utf-16le';
  if (even > 0 && odd <= even / 20) return 'utf-16be';
  return undefined;
}

/** Random bytes read as UTF-16 hold characters that nobody has assigned. */
function isPlausible(text: string | undefined): boolean {
  return text !== undefined && !/[\p{Cn}\p{Co}]/u.test(text.slice(0, SAMPLE));
}

/** Chinese in GBK or GB18030; other legacy text also decodes at times, but to rare characters. */
function looksLikeGb18030(bytes: Uint8Array): boolean {
  const text = decodeAs('gb18030', bytes);
  if (text === undefined || hanShare(text.slice(0, SAMPLE)) < 0.3) return false;
  let pairs = 0;
  let everyday = 0;
  for (let i = 0; i < Math.min(bytes.length, SAMPLE); i++) {
    const lead = bytes[i]!;
    if (lead < 0x80) continue;
    pairs++;
    i++;
    if (lead >= 0xb0 && lead <= 0xd7 && bytes[i]! >= 0xa1) everyday++;
    // Chinese punctuation counts as well: rows A1 and A3.
    else if ((lead === 0xa1 || lead === 0xa3) && bytes[i]! >= 0xa1) everyday++;
  }
  return everyday >= pairs * EVERYDAY_SHARE;
}

function decodeAs(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isBinary(text: string): boolean {
  const sample = text.slice(0, SAMPLE);
  if (text.includes('\0')) return true;
  return (sample.match(CONTROL)?.length ?? 0) > sample.length * CONTROL_SHARE;
}

function empty(name: string): BroadsheetError {
  return inputError('source-empty', 'The file holds no text', { file: name });
}

function binary(name: string): BroadsheetError {
  return inputError('source-binary', 'This is a binary file, not text', {
    file: name,
    hint: 'Export the transcript as plain text (.txt) and draft from that.',
  });
}

function malformed(encoding: string, { name, encoding: declared }: DecodeOptions): BroadsheetError {
  return inputError('encoding-mismatch', `The file is not valid ${encoding.toUpperCase()}`, {
    file: name,
    hint: declared
      ? 'Leave the encoding out to have it detected, or name another.'
      : 'Say which encoding it has, for example --encoding big5, or save it as UTF-8.',
  });
}
