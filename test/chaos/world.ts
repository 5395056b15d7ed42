/** A newsletter directory with a planned campaign, and the real command on it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseAddress } from '../../src/audience/address.ts';
import { rowOf } from '../../src/audience/subscribers.ts';
import { unsubscribeToken } from '../../src/audience/tokens.ts';
import { unsubscribe } from '../../src/audience/unsubscribe.ts';
import { loadSettings } from '../../src/config/load.ts';
import { localKeys } from '../../src/config/secrets.ts';
import { planCampaign } from '../../src/delivery/plan.ts';
import { compose } from '../../src/newsletter/compose.ts';
import { openStore } from '../../src/store/open.ts';
import { seededRandom, silent } from '../support/seeded.ts';

const root = resolve(import.meta.dirname, '../..');
const ISSUE = '2026-w47';
/** Readers that are inserted at once. */
const PAGE = 500;

export interface WorldOptions {
  readers: number;
  connections: number;
  hold: boolean;
  /** Mails a second at most; absent: as fast as it goes. */
  rate?: number | undefined;
  /** `DATABASE_URL`; absent: SQLite. */
  url?: string;
  /** Modules that each process loads first. */
  preload?: readonly string[];
}

export interface World {
  dir: string;
  /** Of SQLite. */
  database: string;
  /**
   * Starts `broadsheet COMMAND …` there.
   * @param ahead of its clock, ms
   */
  start(command: readonly string[], smtpUrl: string, ahead: number): ChildProcess;
  /** What the processes said on stderr since it was asked last. */
  complaints(): string;
  /** One reader leaves the list, by the link in the mail. */
  leave(reader: number): Promise<void>;
}

export async function makeWorld(options: WorldOptions): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'chaos-'));
  writeFiles(dir, options);
  const stateDir = join(dir, 'var');
  const place = { stateDir, url: options.url };
  await planAll(dir, place, options.readers);
  const errors = join(dir, 'stderr');
  const stderr = openSync(errors, 'a');
  let heard = 0;
  return {
    dir,
    database: join(stateDir, 'broadsheet.db'),
    start: (command, smtpUrl, ahead) =>
      spawn(
        process.execPath,
        [...preload(ahead, options), join(root, 'src', 'launch.js'), ...command, '--dir', dir],
        {
          env: { ...environment(options), SMTP_URL: smtpUrl, CHAOS_AHEAD: String(ahead) },
          stdio: ['ignore', 'ignore', stderr],
        },
      ),
    complaints() {
      const all = readFileSync(errors, 'utf8');
      const since = all.slice(heard);
      heard = all.length;
      return since.slice(-2_000);
    },
    async leave(reader) {
      const { db, close } = await openStore(place);
      const leaving = { newsletter: SLUG, publicId: publicIdOf(reader), via: 'one-click' };
      await unsubscribe(db, leaving, Date.now()).finally(close);
    },
  };
}

/** Nothing of this machine's own newsletter. */
function environment({ url }: WorldOptions): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return {
    PATH,
    HOME,
    ...(TMPDIR ? { TMPDIR } : {}),
    ...(url ? { DATABASE_URL: url } : {}),
    LOG_LEVEL: 'error',
  };
}

function preload(ahead: number, { preload: modules = [] }: WorldOptions): string[] {
  const all = ahead > 0 ? [...modules, 'clock.ts'] : modules;
  return all.flatMap((name) => ['--import', pathToFileURL(join(import.meta.dirname, name)).href]);
}

const SLUG = 'chaos';

function writeFiles(dir: string, { connections, hold, rate }: WorldOptions): void {
  cpSync(join(root, 'templates'), join(dir, 'templates'), { recursive: true });
  const write = (path: string, text: string) => {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  write(
    'config/newsletter.yaml',
    `name: Chaos
slug: ${SLUG}
language: en
sender: { name: Chaos, address: weekly@news.example.com }
site: { url: 'https://news.example.com' }
delivery: { channel: smtp, connections: ${connections}, onUnknown: ${hold ? 'hold' : 'resend'}, rate: {${rate ? ` perSecond: ${rate} ` : ''}} }
dkim: { signer: none }
`,
  );
  write(
    `issues/${ISSUE}/issue.md`,
    `---
title: Issue 47
date: 2026-11-22
language: en
---

## Models {#models}

### Falcon 180B arrives {#falcon}

It is open, and it is large.

[Source](https://example.com/source)
`,
  );
}

/** Every reader of the list gets a row, in one transaction, as `send` plans it. */
async function planAll(
  dir: string,
  place: { stateDir: string; url: string | undefined },
  readers: number,
): Promise<void> {
  const { stateDir } = place;
  const { db, close } = await openStore(place);
  const now = Date.now();
  const random = seededRandom('chaos');
  const keys = localKeys(stateDir, random);
  const settings = loadSettings(dir);
  const newsletter = { dir, stateDir, settings, secrets: {}, keys, db, random, log: silent };
  const { email, program } = await compose(
    { ...newsletter, clock: () => now, workerCommand: [] },
    ISSUE,
    now,
  );
  await db.transaction().execute(async (trx) => {
    for (let from = 0; from < readers; from += PAGE) {
      const count = Math.min(PAGE, readers - from);
      const page = Array.from({ length: count }, (_, n) => readerRow(from + n, now));
      await trx.insertInto('subscribers').values(page).execute();
    }
  });
  await planCampaign(db, {
    newsletter: SLUG,
    channel: 'smtp',
    issue: ISSUE,
    audience: { segment: null, newReaders: false },
    email,
    program,
    sender: settings.sender.address,
    tokenFor: (publicId) => unsubscribeToken(keys, SLUG, publicId),
    now,
  });
  await close();
}

function readerRow(reader: number, now: number) {
  const { address, key } = parseAddress(`reader${reader}@example.com`);
  const subscriber = { newsletter: SLUG, address, name: null, source: 'chaos' };
  return rowOf(subscriber, address, key, publicIdOf(reader), now);
}

/** 16 bytes, base64url. */
function publicIdOf(reader: number): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(reader);
  return bytes.toString('base64url');
}
