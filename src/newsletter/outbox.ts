/** The outbox as a mail program would show it: the .eml files below var/outbox. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inputError } from '../errors.ts';
import { readMessage } from '../message/read.ts';
import type { Newsletter } from './newsletter.ts';

/** A whole message that lies in the outbox. */
export interface OutboxMail {
  /** `campaign-3/12-reader@example.com.eml` */
  name: string;
  subject: string;
  from: string;
  to: string;
  /** When it was written, ms. */
  at: number;
  /** Bytes. */
  size: number;
  html: string;
  text: string;
  /** Its header lines as they stand, and the whole of it. */
  head: string;
  mime: string;
}

export interface OutboxList {
  /** One for each campaign, and `test`; the latest first. */
  folders: string[];
  folder: string | null;
  /** Mails in the folder that the search finds. */
  count: number;
  /** Newest first, one page. */
  mails: Pick<OutboxMail, 'name' | 'subject' | 'from' | 'to' | 'at' | 'size'>[];
}

const FOLDER = /^[\w-]{1,64}$/;
const FILE = /^[^/\\\0]{1,255}\.eml$/;

/** A folder with more mails than these is sorted by their numbers: asking each for its time takes too long. */
const MOST_TIMES = 2_000;

/**
 * One page of a folder of the outbox.
 * @param search part of a file's name, which holds the address
 */
export async function outboxList(
  newsletter: Newsletter,
  { folder, search = '', from = 0, most = 50 }: OutboxQuery = {},
): Promise<OutboxList> {
  const dir = outboxDir(newsletter);
  const folders = foldersOf(dir);
  const chosen = folders.find((name) => name === folder) ?? folders[0] ?? null;
  if (chosen === null) return { folders, folder: null, count: 0, mails: [] };
  const wanted = search.toLowerCase();
  const files = readdirSync(join(dir, chosen)).filter(
    (name) => FILE.test(name) && name.toLowerCase().includes(wanted),
  );
  const page = newestFirst(join(dir, chosen), files).slice(from, from + most);
  const mails = await Promise.all(page.map((file) => headOnly(dir, `${chosen}/${file}`)));
  return { folders, folder: chosen, count: files.length, mails };
}

export interface OutboxQuery {
  folder?: string | undefined;
  search?: string | undefined;
  from?: number | undefined;
  most?: number | undefined;
}

/** @throws BroadsheetError `mail-missing` */
export async function outboxMail(newsletter: Newsletter, name: string): Promise<OutboxMail> {
  const [folder = '', file = '', ...more] = name.split('/');
  const path = join(outboxDir(newsletter), folder, file);
  if (!FOLDER.test(folder) || !FILE.test(file) || more.length > 0 || !existsSync(path)) {
    throw inputError('mail-missing', 'There is no such mail in the outbox', {
      hint: 'It may have been replaced or deleted.',
    });
  }
  const bytes = readFileSync(path);
  const { subject, from, to, html, text } = await readMessage(bytes);
  const mime = bytes.toString('utf8');
  const { mtimeMs: at, size } = statSync(path);
  return { name, subject, from, to, at, size, html, text, head: headOf(mime), mime };
}

/** The header lines of a message, without the blank line after them. */
export function headOf(mime: string): string {
  const end = mime.indexOf('\r\n\r\n');
  return end < 0 ? mime : mime.slice(0, end);
}

function outboxDir({ stateDir }: Newsletter): string {
  return join(stateDir, 'outbox');
}

function foldersOf(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && FOLDER.test(entry.name))
    .map(({ name }) => ({ name, at: statSync(join(dir, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at)
    .map(({ name }) => name);
}

function newestFirst(dir: string, files: readonly string[]): string[] {
  const number = (name: string) => Number.parseInt(name, 10) || 0;
  const age = (name: string) =>
    files.length > MOST_TIMES ? number(name) : statSync(join(dir, name)).mtimeMs;
  return files
    .map((name) => ({ name, age: age(name) }))
    .sort((a, b) => b.age - a.age || number(b.name) - number(a.name))
    .map(({ name }) => name);
}

async function headOnly(dir: string, name: string) {
  const path = join(dir, name);
  const bytes = readFileSync(path);
  const end = bytes.indexOf('\r\n\r\n');
  // Without its body: a list reads a page of mails at once.
  const { subject, from, to } = await readMessage(bytes.subarray(0, end < 0 ? undefined : end + 4));
  const { mtimeMs: at, size } = statSync(path);
  return { name, subject, from, to, at, size };
}
