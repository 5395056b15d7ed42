/** Dots at line heads (RFC 5321 4.5.2): none may look like the end of the mail. */

/** Pieces that many mails share are looked at once. */
const clean = new WeakSet<Buffer>();
/** Looking at a shorter piece costs less than remembering it, bytes. */
const WORTH = 64;
/** Copying a shorter piece costs less than writing it by itself, bytes. */
const SHORT = 2048;

/**
 * The message as it goes over the wire, without the dot that ends it, in few pieces. What our composer makes needs
 * nothing, and most of it is handed through as it is; anything else is stuffed, its lone CR and LF made line ends (SMTP smuggling).
 */
export function stuffed(message: readonly Buffer[]): readonly Buffer[] {
  if (isPlain(message)) return gathered(message);
  const text = Buffer.concat(message)
    .toString('latin1')
    .replace(/\r\n?|\n/g, '\r\n')
    .replace(/^\./gm, '..')
    .replace(/(?:\r\n)?$/, '\r\n');
  return [Buffer.from(text, 'latin1')];
}

/** Joins neighbours that are short. */
function gathered(pieces: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = [];
  let short: Buffer[] = [];
  const flush = () => {
    if (short.length > 0)
      joined.push(short.length > 1 ? Buffer.concat(short) : (short[0] as Buffer));
    short = [];
  };
  for (const piece of pieces) {
    if (piece.length < SHORT) short.push(piece);
    else {
      flush();
      joined.push(piece);
    }
  }
  flush();
  return joined;
}

function isPlain(message: readonly Buffer[]): boolean {
  const last = message.findLast(({ length }) => length > 0);
  if (last?.at(-1) !== LF) return false;
  let before = LF;
  for (const piece of message) {
    if (piece.length === 0) continue;
    // A line end that two pieces share is not looked into: it is rare enough to be stuffed.
    if (before === CR || (before === LF && piece[0] === DOT) || piece[0] === LF) return false;
    if (!hasPlainLines(piece)) return false;
    before = piece[piece.length - 1] as number;
  }
  return true;
}

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** No dot after a line end, and no line end but CRLF. */
function hasPlainLines(piece: Buffer): boolean {
  if (clean.has(piece)) return true;
  const text = piece.toString('latin1');
  const plain = !/\n\.|\r[^\n]|[^\r]\n/.test(text);
  if (plain && piece.length >= WORTH) clean.add(piece);
  return plain;
}
