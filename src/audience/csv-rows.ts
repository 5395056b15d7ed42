/** Bytes of a CSV file → rows of cells, with their lines. Streams: memory does not grow with the file. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, type Options, parse } from 'csv-parse';
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
  /** From 1; of a row of several lines, the last one. */
  line: number;
  cells: string[];
  /** Why the row cannot be trusted, where it cannot. */
  broken: string | undefined;
}

/** Largest row, bytes: an unclosed quote must not swallow the file. */
const LARGEST_ROW = 65_536;

/** What is looked at to find out what kind of file it is, bytes. */
const HEAD = 65_536;

const ENDS = ['\r\n', '\n', '\r'];

/**
 * Reads row by row; rows without any value are passed over.
 * @throws BroadsheetError `csv-…` at once for what is no CSV file in this encoding, and with its line
 * where a quote or an overlong row makes the rest unreadable
 */
export async function* csvRows(file: CsvFile): AsyncGenerator<CsvRow> {
  const { name, encoding = 'utf-8' } = file;
  const delimiter = file.delimiter === undefined ? undefined : delimiterNamed(file.delimiter);
  const text = decoded(file, decoderOf(encoding));
  const { value: head = '' } = await text.next();
  let line = 0;
  const options: Options<CsvRow, string[]> = {
    delimiter: delimiter ?? delimiterOf(head),
    record_delimiter: ENDS,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    max_record_size: LARGEST_ROW,
    on_record: (cells, { lines }) => {
      line = lines;
      return { line, cells, broken: whatBroke(cells, encoding) };
    },
  };
  // The package types a row other than a list of cells only where columns are named.
  const parser = parse(options as unknown as Options);
  const feeding = pipeline(Readable.from(startingWith(head, text)), parser).catch(() => {});
  try {
    let isFirst = true;
    for await (const row of parser as AsyncIterable<CsvRow>) {
      if (isFirst && row.broken) throw wrongEncoding(name, encoding);
      isFirst = false;
      yield row;
    }
    if (isFirst) throw inputError('csv-empty', 'The file is empty', { file: name });
  } catch (error) {
    throw error instanceof CsvError ? unreadable(error, name, line + 1) : error;
  } finally {
    parser.destroy();
    await feeding;
  }
}

async function* startingWith(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

/** Never fails half-way: what cannot be decoded becomes U+FFFD, and `whatBroke` finds it in its row. */
async function* decoded(
  { input, name, onProgress }: CsvFile,
  decoder: TextDecoder,
): AsyncGenerator<string, undefined> {
  let bytes = 0;
  for await (const chunk of headFirst(input)) {
    if (bytes === 0) refuseOtherFiles(chunk, name);
    bytes += chunk.length;
    yield decoder.decode(chunk, { stream: true });
    onProgress?.(bytes);
  }
  yield decoder.decode();
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

function whatBroke(cells: string[], encoding: string): string | undefined {
  if (cells.some((cell) => cell.includes('\ufffd'))) return `the row is not ${encoding}`;
  if (cells.some((cell) => cell.includes('\0'))) return 'the row holds a NUL byte';
  return undefined;
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
  if (/^[^"\r\n]$/u.test(sign)) return sign;
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

function unreadable(error: CsvError, name: string, line: number) {
  const what =
    error.code === 'CSV_MAX_RECORD_SIZE'
      ? 'The row that begins here is longer than 64 KB; perhaps a quote is not closed'
      : 'The row that begins here has a quote in the wrong place, or one that is not closed';
  return inputError('csv-unreadable', what, {
    file: name,
    line,
    hint: 'A value with quotes is written "Anna ""Ann"" Smith".',
  });
}
