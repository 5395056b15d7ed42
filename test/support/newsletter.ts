/** A newsletter of its own for a test: real files, a real SQLite database, and a clock that the test moves. */
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { type KeyRing, localKeys } from '../../src/config/secrets.ts';
import type { Settings } from '../../src/config/settings.ts';
import type { Newsletter } from '../../src/newsletter/newsletter.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { databaseFor } from './postgres.ts';
import { seededRandom, silent } from './seeded.ts';

export { seededRandom, silent } from './seeded.ts';

const root = resolve(import.meta.dirname, '../..');

/** An empty directory that no other test uses. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'broadsheet-'));
}

/** A store in a directory of its own, closed after the test; on the database that this run is for. */
export async function temporaryStore(stateDir = temporaryDirectory()): Promise<Store> {
  const url = await databaseUrl(stateDir);
  if (!url) copyTemplate(stateDir);
  const store = await openStore({ url, stateDir });
  onTestFinished(() => store.close());
  return store;
}

/** A file with all tables, where there is none yet: to make them takes ten times as long. */
function copyTemplate(stateDir: string): void {
  const file = join(stateDir, 'broadsheet.db');
  if (existsSync(file)) return;
  mkdirSync(stateDir, { recursive: true });
  copyFileSync(inject('sqlite'), file);
}

/** What a user would have in DATABASE_URL: an address on PostgreSQL, or undefined on SQLite. */
export async function databaseUrl(stateDir: string): Promise<string | undefined> {
  const server = inject('postgres');
  return server ? databaseFor(server, stateDir) : undefined;
}

export const RING: KeyRing = [{ id: 'k1', key: Buffer.alloc(32, 1) }];

export interface TestNewsletter extends Newsletter {
  /** Moves the clock, ms. */
  advance(ms: number): void;
}

/** A directory with the bundled settings and templates, and no issue. */
export function newsletterDirectory(): string {
  const dir = temporaryDirectory();
  for (const part of ['config', 'templates'])
    cpSync(join(root, part), join(dir, part), { recursive: true });
  mkdirSync(join(dir, 'issues'));
  return dir;
}

/** A whole newsletter at a moment in time, ms. */
export async function openTestNewsletter(
  options: { now?: number; settings?: (settings: Settings) => Settings; dir?: string } = {},
): Promise<TestNewsletter> {
  const dir = options.dir ?? newsletterDirectory();
  const stateDir = join(dir, 'var');
  const url = await databaseUrl(stateDir);
  // As a user would, so that the processes that a test starts find it too.
  if (url) writeFileSync(join(dir, 'config', '.env'), `DATABASE_URL=${url}\n`);
  const { db } = await temporaryStore(stateDir);
  let now = options.now ?? Date.parse('2026-11-20T08:00:00Z');
  const settings = (options.settings ?? ((same) => same))(loadSettings(dir));
  return {
    dir,
    stateDir,
    settings,
    secrets: url ? { databaseUrl: url } : {},
    keys: localKeys(stateDir, seededRandom()),
    db,
    clock: () => now,
    random: seededRandom(),
    log: silent,
    workerCommand: [
      process.execPath,
      join(root, 'src/launch.js'),
      'worker',
      '--attached',
      '--dir',
      dir,
    ],
    advance: (ms) => {
      now += ms;
    },
  };
}

/** Writes issues/ID/issue.md with one section and one item. */
export function writeIssue(
  dir: string,
  id: string,
  { date = '2026-11-22', title = `Issue ${id}`, body = 'Words.' } = {},
): void {
  mkdirSync(join(dir, 'issues', id), { recursive: true });
  const text = `---\ntitle: ${title}\ndate: ${date}\nlanguage: en\n---\n\n## Models {#models}\n\n### Falcon 180B arrives {#falcon}\n\n${body}\n\n[Source](https://example.com/source)\n`;
  writeFileSync(join(dir, 'issues', id, 'issue.md'), text);
}
