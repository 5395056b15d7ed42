/** The bundled issue at the size wanted: planned for a list, and as nodemailer and smtp-source take it. */
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAddress } from '../src/audience/address.ts';
import { rowOf } from '../src/audience/subscribers.ts';
import { loadSettings } from '../src/config/load.ts';
import { planCampaign } from '../src/delivery/plan.ts';
import { fill } from '../src/message/program.ts';
import { readMessage } from '../src/message/read.ts';
import { type Composed, compose } from '../src/newsletter/compose.ts';
import { openStore } from '../src/store/open.ts';

const root = resolve(import.meta.dirname, '..');
const ISSUE = '2023-09-w3';
const TOKEN = 'TOKEN';
/** Readers that are inserted at once. */
const PAGE = 500;

/** The key that signs, in a material's directory. */
export const KEY_FILE = 'dkim.pem';

const silent = { info: () => {}, warn: () => {}, error: () => {} };
let drawn = 0;
/** Unlike each other, and the same in every run. */
const random = (bytes: number) => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUInt32BE(drawn++, 0);
  return buffer;
};

/** One issue, in all the forms in which it is sent. */
export interface Material {
  /** Holds `message.eml` for smtp-source, `message.json` for nodemailer, the DKIM key and planned databases. */
  dir: string;
  composed: Composed;
  /** Envelope sender. */
  sender: string;
  items: number;
  /** Bytes of the message on the wire, and of its HTML. */
  bytes: number;
  htmlBytes: number;
}

/** Composes the issue with so many items, and writes down what the contestants need. */
export async function prepare(dir: string, items: number): Promise<Material> {
  for (const part of ['config', 'templates', join('issues', ISSUE)]) {
    cpSync(join(root, part), join(dir, part), { recursive: true });
  }
  const file = join(dir, 'issues', ISSUE, 'issue.md');
  writeFileSync(file, withItems(readFileSync(file, 'utf8'), items));
  const settings = { ...loadSettings(dir), slug: 'bench' };
  const { db, close } = await openStore({ stateDir: dir });
  const now = Date.now();
  const keys = [{ id: 'bench', key: Buffer.alloc(32, 1) }] as const;
  const desk = { dir, stateDir: dir, settings, secrets: {}, keys, db, random, log: silent };
  const composed = await compose({ ...desk, clock: () => now, workerCommand: [] }, ISSUE, now);
  await close();
  const sizes = await writeForms(dir, composed);
  return { dir, composed, sender: settings.sender.address, items, ...sizes };
}

/** Cuts an issue to so many items, or goes through its sections and items again, under other ids. */
function withItems(markdown: string, wanted: number): string {
  const [opening = '', ...parts] = markdown.split(/^(?=#{2,3} )/m);
  let kept = opening;
  for (let n = 0, items = 0; items < wanted; n += 1) {
    const pass = Math.floor(n / parts.length);
    const part = `${parts[n % parts.length]?.trimEnd()}\n\n`;
    kept += pass === 0 ? part : part.replace(/\{#([\w-]+)/, `{#$1-${pass + 1}`);
    if (part.startsWith('### ')) items += 1;
  }
  return kept;
}

/** The message as smtp-source and nodemailer take it, and a key to sign it with. @returns its sizes */
async function writeForms(dir: string, { program }: Composed) {
  const reader = { delivery: 1, address: 'reader@example.com', name: null, token: TOKEN };
  const message = fill(program, reader);
  const { subject, html, text } = await readMessage(message);
  const open = (words: string) => words.replace(/https:\S*?\/u\/TOKEN/g, '{{unsubscribe}}');
  const content = { subject, html: open(html), text: open(text) };
  writeFileSync(join(dir, 'message.json'), JSON.stringify(content));
  // smtp-source ends every line with CRLF itself, and the last one too.
  const lines = message.toString('latin1').replaceAll('\r\n', '\n').trimEnd();
  writeFileSync(join(dir, 'message.eml'), lines, 'latin1');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(dir, KEY_FILE), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { bytes: message.length, htmlBytes: Buffer.byteLength(html) };
}

/** A database with a campaign for so many readers, made once. @returns its path; to be copied, as sending changes it */
export async function planned(material: Material, mails: number): Promise<string> {
  const stateDir = join(material.dir, `planned-${mails}`);
  const path = join(stateDir, 'broadsheet.db');
  if (existsSync(path)) return path;
  const { db, close } = await openStore({ stateDir });
  const now = Date.now();
  await db.transaction().execute(async (trx) => {
    for (let from = 0; from < mails; from += PAGE) {
      const page = Array.from({ length: Math.min(PAGE, mails - from) }, (_, n) =>
        row(from + n, now),
      );
      await trx.insertInto('subscribers').values(page).execute();
    }
  });
  await planCampaign(db, {
    newsletter: 'bench',
    channel: 'smtp',
    issue: ISSUE,
    audience: { segment: null, newReaders: false },
    email: material.composed.email,
    program: material.composed.program,
    sender: material.sender,
    tokenFor: (publicId) => `1.bench.${publicId}.aaaaaaaaaaaaaaaaaaaaaa`,
    now,
  });
  await close();
  return path;
}

function row(n: number, now: number) {
  const { address, key } = parseAddress(`reader${n}@example.com`);
  const reader = { newsletter: 'bench', address, name: null, source: 'bench' };
  return rowOf(reader, address, key, random(16).toString('base64url'), now);
}
