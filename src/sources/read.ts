/** The one door from disk and network to the sources. */
import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { type BroadsheetError, inputError } from '../errors.ts';
import type { SourceText } from '../issue/source.ts';
import { decode } from './decode.ts';
import { download, isWebAddress } from './download.ts';
import { layOut } from './entries.ts';
import { isJsonFeed, readFeed } from './feed.ts';
import { detectLanguage } from './language.ts';
import { readMarkdownNotes, readYamlNotes } from './notes.ts';
import { readSubtitles } from './subtitles.ts';
import { isSpeech, readSpeech } from './whisper.ts';

/** Bytes. Two hundred hours of speech; whatever is larger is no transcript. */
const SIZE_LIMIT = 64 * 1024 * 1024;

type Content = Pick<SourceText, 'text' | 'cues' | 'entries'> & { language?: string };
type Parser = (text: string, name: string) => Content;

/** What each kind of file becomes. Parsers take a string; offsets count into the text that they give. */
const PARSERS: Record<string, Parser> = {
  '.txt': (text) => ({ text }),
  '.srt': readSubtitles,
  '.vtt': readSubtitles,
  '.json': readJson,
  '.xml': (text, name) => layOut(readFeed(text, name)),
  '.rss': (text, name) => layOut(readFeed(text, name)),
  '.atom': (text, name) => layOut(readFeed(text, name)),
  '.md': (text) => layOut(readMarkdownNotes(text)),
  '.yaml': (text, name) => layOut(readYamlNotes(text, name)),
  '.yml': (text, name) => layOut(readYamlNotes(text, name)),
};

/** A source, and the bytes of one that was fetched: nobody else has them. */
export interface FoundSource extends SourceText {
  fetched?: Buffer;
}

export interface ReadOptions {
  /** A label of the WHATWG Encoding Standard. Absent: detected. */
  encoding?: string | undefined;
  /** BCP 47. Absent: detected. */
  language?: string | undefined;
}

/**
 * Reads a source from disk, or a feed from the web.
 * @param source a path, or an http(s) address
 * @throws BroadsheetError input: missing, too large, of an unknown kind, not decodable, or broken inside
 */
export async function readSource(source: string, options: ReadOptions = {}): Promise<FoundSource> {
  const isWeb = isWebAddress(source);
  if (!isWeb) await refuseUnreadable(source);
  const parse = isWeb ? readWeb : parserOf(source);
  const bytes = isWeb ? await download(source) : await readFile(source);
  const decoded = decode(bytes, { name: source, encoding: options.encoding });
  const { language: spoken, ...content } = parse(decoded, source);
  const known = /^(zh|en)\b/.test(spoken ?? '') ? (spoken === 'zh' ? 'zh-CN' : spoken) : undefined;
  const language = options.language ?? known ?? detectLanguage(content.text);
  return { name: nameOf(source), language, ...content, ...(isWeb ? { fetched: bytes } : {}) };
}

/** What a source is called in the folder: its file's name, or one made of its address. */
export function nameOf(source: string): string {
  if (!isWebAddress(source)) return basename(source);
  const { hostname, pathname } = new URL(source);
  const words = `${hostname}${pathname}`.replace(/[^\w.-]+/g, '-').replace(/^-+|-+$/g, '');
  return /\.(xml|rss|atom|json)$/.test(words) ? words : `${words}.xml`;
}

function readWeb(text: string, name: string): Content {
  return /^\s*\{/.test(text) ? readJson(text, name) : layOut(readFeed(text, name));
}

function readJson(text: string, name: string): Content {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw inputError('json-broken', `This is no JSON: ${(error as Error).message}`, { file: name });
  }
  if (isJsonFeed(value)) return layOut(readFeed(text, name));
  if (isSpeech(value)) return readSpeech(value, name);
  throw inputError('json-unknown', 'This JSON is neither recognised speech nor a JSON Feed', {
    file: name,
    hint: 'Supported: what Whisper writes with --output_format json, and JSON Feed.',
  });
}

function parserOf(path: string): Parser {
  const extension = extname(path).toLowerCase();
  const parser = Object.hasOwn(PARSERS, extension) ? PARSERS[extension] : undefined;
  if (parser) return parser;
  const kind = extension ? `Files of the kind ${extension}` : 'Files without an extension';
  throw inputError('source-unsupported', `${kind} cannot be drafted from`, {
    file: path,
    hint: `Supported: ${Object.keys(PARSERS).join(', ')}. Save the source as one of these.`,
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
