/** The one door from the disk to the sources. */
import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { type BroadsheetError, inputError } from '../errors.ts';
import type { SourceText } from '../issue/source.ts';
import { decode } from './decode.ts';
import { detectLanguage } from './language.ts';

/** Bytes. Two hundred hours of speech; whatever is larger is no transcript. */
const SIZE_LIMIT = 64 * 1024 * 1024;
const EXTENSIONS = ['.txt'];

export interface ReadOptions {
  /** A label of the WHATWG Encoding Standard. Absent: detected. */
  encoding?: string | undefined;
  /** BCP 47. Absent: detected. */
  language?: string | undefined;
}

/**
 * Reads a source from disk.
 * @throws BroadsheetError input: missing, too large, of an unknown kind, or not decodable
 */
export async function readSource(path: string, options: ReadOptions = {}): Promise<SourceText> {
  await refuseUnreadable(path);
  refuseOtherKinds(path);
  const text = decode(await readFile(path), { name: path, encoding: options.encoding });
  return { name: basename(path), language: options.language ?? detectLanguage(text), text };
}

function refuseOtherKinds(path: string): void {
  const extension = extname(path).toLowerCase();
  if (EXTENSIONS.includes(extension)) return;
  const kind = extension ? `Files of the kind ${extension}` : 'Files without an extension';
  throw inputError('source-unsupported', `${kind} cannot be drafted from`, {
    file: path,
    hint: `Supported: plain text (${EXTENSIONS.join(', ')}). Save the source as one of these.`,
  });
}

async function refuseUnreadable(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error);
  });
  if (!found.isFile()) {
    throw inputError('source-not-a-file', 'This is a folder, or no plain file', {
      file: path,
      hint: 'Name the transcript itself.',
    });
  }
  if (found.size > SIZE_LIMIT) {
    const megabytes = Math.ceil(found.size / 1024 / 1024);
    throw inputError('source-too-large', `The file has ${megabytes} MB; the limit is 64 MB`, {
      file: path,
      hint: 'Split it: one file per episode.',
    });
  }
}

function unreadable(path: string, error: NodeJS.ErrnoException): BroadsheetError {
  if (error.code === 'ENOENT') {
    return inputError('source-missing', 'There is no such file', { file: path });
  }
  return inputError('source-unreadable', `The file cannot be read (${error.code})`, { file: path });
}
