/** Reports in files: single messages, mboxes, Maildirs, folders of either. Nothing is ever deleted. */
import { createReadStream, existsSync, renameSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { inputError } from '../errors.ts';
import { LONGEST_REPORT } from './parse.ts';

/** A message from somewhere. */
export interface Incoming {
  raw: Buffer;
  /** Where it was, for a person. */
  origin: string;
  /** It is dealt with. A report is put away; what is none stays where a person looks. */
  done(what: 'report' | 'other'): Promise<void>;
}

/** Messages in a row, and how many there are; an mbox tells only at its end. */
export interface Mailbox {
  total: number;
  messages(): AsyncGenerator<Incoming>;
}

/**
 * Opens what a path leads to. @throws BroadsheetError `file-missing`
 */
export async function openPath(path: string): Promise<Mailbox> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw inputError('file-missing', `There is no file or folder ${path}`);
  if (!stat.isDirectory()) return openFile(path);
  return existsSync(join(path, 'new')) && existsSync(join(path, 'cur'))
    ? openMaildir(path)
    : openFolder(path);
}

async function openFile(path: string): Promise<Mailbox> {
  if (await isMbox(path)) return { total: 1, messages: () => mboxMessages(path) };
  return { total: 1, messages: () => single(path, async () => {}) };
}

async function openFolder(path: string): Promise<Mailbox> {
  const entries = await readdir(path, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  const paths = names.map(({ name }) => join(path, name)).sort();
  return {
    total: paths.length,
    async *messages() {
      for (const each of paths) yield* (await openFile(each)).messages();
    },
  };
}

/** New messages, and those in `cur` that nobody has seen; one that is done is moved to `cur` and marked as seen. */
async function openMaildir(path: string): Promise<Mailbox> {
  const fresh = await readdir(join(path, 'new'));
  const current = await readdir(join(path, 'cur'));
  const unseen = current.filter((name) => !/:2,[A-Z]*S/.test(name));
  const files = [
    ...fresh.map((name) => join(path, 'new', name)),
    ...unseen.map((name) => join(path, 'cur', name)),
  ].filter((file) => !basename(file).startsWith('.'));
  return {
    total: files.length,
    async *messages() {
      for (const file of files.sort())
        yield* single(file, async (what) => {
          if (what === 'report') seen(path, file);
        });
    },
  };
}

/** By Maildir's rules: flags behind `:2,`, in the order of the alphabet. */
function seen(maildir: string, file: string): void {
  const [name = '', flags = ''] = basename(file).split(':2,');
  const all = [...new Set([...flags, 'S'])].sort().join('');
  renameSync(file, join(maildir, 'cur', `${name}:2,${all}`));
}

async function* single(path: string, done: Incoming['done']): AsyncGenerator<Incoming> {
  yield { raw: await beginningOf(path), origin: path, done };
}

/** What is longer than a report may be is no report; enough of it is read to see that. */
async function beginningOf(path: string): Promise<Buffer> {
  if (statSync(path).size <= LONGEST_REPORT) return readFile(path);
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: LONGEST_REPORT })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const SEPARATOR = Buffer.from('\nFrom ');

/** RFC 4155: begins with `From `, the address or none, and a date. */
async function isMbox(path: string): Promise<boolean> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: 511 })) chunks.push(chunk);
  return /^From [^\r\n]{0,320}\d\d:\d\d(?::\d\d)?[^\r\n]{0,20}\d{4}/.test(
    Buffer.concat(chunks).toString('latin1'),
  );
}

/** Messages of an mbox, one after the other; none is kept longer than a report may be. */
async function* mboxMessages(path: string): AsyncGenerator<Incoming> {
  let number = 0;
  const message = (raw: Buffer): Incoming => {
    number += 1;
    return { raw: withoutEnvelope(raw), origin: `${path}#${number}`, done: async () => {} };
  };
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path)) {
    rest = Buffer.concat([rest, chunk]);
    for (let at = separatorIn(rest); at >= 0; at = separatorIn(rest)) {
      yield message(rest.subarray(0, at));
      rest = rest.subarray(at + 1);
    }
    if (rest.length > 2 * LONGEST_REPORT)
      rest = Buffer.concat([rest.subarray(0, LONGEST_REPORT + 1), rest.subarray(-6)]);
  }
  if (rest.length > 0) yield message(rest);
}

/** Where the next message begins, less one: behind an empty line, as no line within a message is written. */
function separatorIn(text: Buffer): number {
  for (let at = text.indexOf(SEPARATOR); at >= 0; at = text.indexOf(SEPARATOR, at + 1)) {
    const before = text.subarray(Math.max(0, at - 2), at).toString('latin1');
    if (/\n\r?$/.test(before)) return at;
  }
  return -1;
}

/** Without the `From ` line, and `>From` as it was (mboxrd). */
function withoutEnvelope(raw: Buffer): Buffer {
  const text = raw.toString('latin1').replace(/^From [^\n]*\n/, '');
  return Buffer.from(text.replace(/^>(>*From )/gm, '$1'), 'latin1');
}
