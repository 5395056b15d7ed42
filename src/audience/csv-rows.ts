/** Bytes of a CSV file → rows of cells, with their lines. Streams: memory does not grow with the file. */
import { inputError } from '../errors.ts';

export interface CsvFile {
  input: AsyncIterable<Uint8Array>;
  /** File name, for messages. */
  name: string;
  /** One character, or `tab`. Absent: found out from the first line. */
  delimiter?: string | undefined;
  /** A label of the Encoding Standard: `utf-8` (default), `gbk`, `windows-1252`. */
  encoding?: string | undefined;
  /** Called with the bytes read so far. */
  onProgress?: ((bytes: number) => void) | undefined;
}

export interface CsvRow {
  /** Where it begins, from 1. */
  line: number;
  cells: string[];
  /** Why the row cannot be trusted, where it cannot. */
  broken: string | undefined;
}

/** Largest row, UTF-16 code units: an unclosed quote must not swallow the file. */
const LARGEST_ROW = 65_536;

/** What is looked at to find out what kind of file it is, bytes. */
const HEAD = 65_536;

/**
 * Reads the rows that each piece of the file completes, so that nothing waits row by row; rows without any value
 * are passed over. By RFC 4180, and lenient where no doubt is left: lines may end in LF, CR LF or CR, rows may be
 * of different lengths, and a quote inside a value without quotes is a quote.
 * @throws BroadsheetError `csv-…` at once for what is no CSV file in this encoding, and with its line
 * where a quote that is not closed or an overlong row makes the rest unreadable
 */
export async function* csvRows(file: CsvFile): AsyncGenerator<CsvRow[]> {
  const { name, encoding = 'utf-8' } = file;
  const delimiter = file.delimiter === undefined ? undefined : delimiterNamed(file.delimiter);
  let splitter: Splitter | undefined;
  let isFirst = true;
  for await (const { text, isLast } of decoded(file, decoderOf(encoding))) {
    splitter ??= new Splitter(text, delimiter ?? delimiterOf(text), file);
    const rows = splitter.split(text, isLast);
    const [first] = rows;
    if (!first) continue;
    if (isFirst && first.broken) throw wrongEncoding(name, encoding);
    isFirst = false;
    yield rows;
  }
  if (isFirst) throw inputError('csv-empty', 'The file is empty', { file: name });
}

/** Text, piece by piece → rows. What a piece leaves unfinished waits for the next one. */
class Splitter {
  readonly #delimiter: string;
  /** The last character of a line's end. */
  readonly #end: '\n' | '\r';
  readonly #name: string;
  readonly #encoding: string;
  #rest = '';
  #line = 1;

  constructor(head: string, delimiter: string, { name, encoding = 'utf-8' }: CsvFile) {
    this.#delimiter = delimiter;
    this.#end = head.includes('\n') || !head.includes('\r') ? '\n' : '\r';
    this.#name = name;
    this.#encoding = encoding;
  }

  split(piece: string, isLast: boolean): CsvRow[] {
    const text = this.#rest + piece;
    const isDoubtful = text.includes('\ufffd') || text.includes('\0');
    const rows: CsvRow[] = [];
    let at = 0;
    while (at < text.length) {
      const row = this.#row(text, at, isLast);
      if (!row) break;
      const { cells, next, lines } = row;
      if (next - at > LARGEST_ROW + 2) throw this.#tooLong();
      if (cells.some((cell) => cell.trim() !== '')) {
        const broken = row.broken ?? (isDoubtful ? this.#whatBroke(cells) : undefined);
        rows.push({ line: this.#line, cells, broken });
      }
      this.#line += lines;
      at = next;
    }
    this.#rest = text.slice(at);
    if (this.#rest.length > LARGEST_ROW) throw this.#tooLong();
    if (isLast && this.#rest) throw this.#notClosed();
    return rows;
  }

  /** The row that begins there; undefined where the text ends first. */
  #row(text: string, from: number, isLast: boolean): Row | undefined {
    const found = text.indexOf(this.#end, from);
    if (found < 0 && !isLast) return undefined;
    const end = found < 0 ? text.length : found;
    const line = text.slice(from, text[end - 1] === '\r' && end > from ? end - 1 : end);
    const next = found < 0 ? end : end + 1;
    if (!line.includes('"')) return { cells: line.split(this.#delimiter), next, lines: 1 };
    return this.#quotedRow(text, from, isLast);
  }

  #quotedRow(text: string, from: number, isLast: boolean): Row | undefined {
    const cells: string[] = [];
    let broken: string | undefined;
    let lines = 1;
    for (let at = from; ; ) {
      let begin = at;
      let quoted: string | undefined;
      if (text[at] === '"') {
        const close = closingQuote(text, at + 1);
        if (close < 0 || (close === text.length - 1 && !isLast)) return undefined;
        quoted = text.slice(at + 1, close).replaceAll('""', '"');
        lines += quoted.split(this.#end).length - 1;
        begin = close + 1;
      }
      const { end, isCell } = this.#endOfCell(text, begin);
      if (end === text.length && !isLast) return undefined;
      const bare = text.slice(begin, end).replace(/\r$/, '');
      if (quoted !== undefined && bare.trim() !== '') broken = 'a quote stands in the wrong place';
      cells.push(quoted ?? bare);
      if (!isCell) return { cells, broken, lines, next: Math.min(end + 1, text.length) };
      at = end + 1;
    }
  }

  /** Where the value ends that has no quotes, and whether another one follows on the line. */
  #endOfCell(text: string, from: number): { end: number; isCell: boolean } {
    for (let end = from; end < text.length; end += 1) {
      if (text[end] === this.#delimiter) return { end, isCell: true };
      if (text[end] === this.#end) return { end, isCell: false };
    }
    return { end: text.length, isCell: false };
  }

  #whatBroke(cells: string[]): string | undefined {
    if (cells.some((cell) => cell.includes('\ufffd'))) return `the row is not ${this.#encoding}`;
    if (cells.some((cell) => cell.includes('\0'))) return 'the row holds a NUL byte';
    return undefined;
  }

  #tooLong() {
    return this.#unreadable('is longer than 64 KB; perhaps a quote is not closed');
  }

  #notClosed() {
    return this.#unreadable('has a quote that is not closed');
  }

  #unreadable(what: string) {
    return inputError('csv-unreadable', `The row that begins here ${what}`, {
      file: this.#name,
      line: this.#line,
      hint: 'A value with quotes is written "Anna ""Ann"" Smith".',
    });
  }
}

interface Row {
  cells: string[];
  /** Where the next one begins. */
  next: number;
  lines: number;
  broken?: string | undefined;
}

/** The quote that ends a value: the first that is not doubled; -1 where there is none. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

/** Never fails half-way: what cannot be decoded becomes U+FFFD, and is found in its row. */
async function* decoded(
  { input, name, onProgress }: CsvFile,
  decoder: TextDecoder,
): AsyncGenerator<{ text: string; isLast: boolean }, undefined> {
  let bytes = 0;
  for await (const chunk of headFirst(input)) {
    if (bytes === 0) refuseOtherFiles(chunk, name);
    bytes += chunk.length;
    yield { text: decoder.decode(chunk, { stream: true }), isLast: false };
    onProgress?.(bytes);
  }
  yield { text: decoder.decode(), isLast: true };
}

/** The same bytes, however they come in: the first chunk holds the head, or all there is. */
async function* headFirst(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const head: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    if (size >= HEAD) yield chunk;
    else {
      head.push(chunk);
      size += chunk.length;
      if (size >= HEAD) yield Buffer.concat(head);
    }
  }
  if (size < HEAD) yield Buffer.concat(head);
}

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding);
  } catch {
    throw inputError('encoding-unknown', `There is no encoding "${encoding}"`, {
      hint: 'Known are utf-8, gbk, gb18030, big5, windows-1252 and the like.',
    });
  }
}

function refuseOtherFiles(head: Uint8Array, name: string): void {
  const [a, b] = head;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    throw inputError('csv-encoding', 'The file is UTF-16', {
      file: name,
      hint: 'Save it as CSV in UTF-8.',
    });
  }
  // A NUL here and there spoils its row; many of them are another kind of file.
  const nuls = head.reduce((count, byte) => (byte === 0 ? count + 1 : count), 0);
  if (nuls * 20 > head.length || (a === 0x50 && b === 0x4b)) {
    throw inputError('csv-binary', 'The file is a spreadsheet, an archive or the like, no CSV', {
      file: name,
      hint: 'Save it as CSV in UTF-8.',
    });
  }
}

function wrongEncoding(name: string, encoding: string) {
  return inputError('csv-encoding', `The file is not ${encoding}`, {
    file: name,
    line: 1,
    hint: 'Save it as UTF-8, or say --encoding gbk if it comes from a Chinese spreadsheet.',
  });
}

function delimiterNamed(given: string): string {
  const sign = given === 'tab' || given === '\\t' ? '\t' : given;
  if (/^[^"\r\n]$/.test(sign)) return sign;
  throw inputError('delimiter-invalid', `${JSON.stringify(given)} cannot be a delimiter`, {
    hint: 'It is one character, such as ; or tab.',
  });
}

/** The sign of which the first line has most, outside of quotes. */
function delimiterOf(text: string): string {
  const [line = ''] = text.trimStart().split(/[\r\n]/, 1);
  const bare = line.replace(/"[^"]*"/g, '');
  const counts = [',', ';', '\t'].map((sign) => ({ sign, count: bare.split(sign).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).sign;
}
