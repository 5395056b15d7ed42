import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/** From the top of the house to its ground floor. Rooms in one row do not meet. */
const FLOORS = [
  ['main'],
  ['cli', 'web'],
  ['newsletter'],
  ['schedule', 'check', 'bounces'],
  ['delivery'],
  ['message', 'audience', 'render', 'editorial', 'sources'],
  ['issue', 'config', 'store'],
  ['errors'],
];

/** Outside packages that have one owner (or two), by the rooms that may import them. */
const OWNERS: Record<string, string[]> = {
  nodemailer: ['delivery'],
  mailparser: ['message', 'bounces'],
  imapflow: ['bounces'],
  caniemail: ['check'],
  mjml: ['render'],
  handlebars: ['render'],
  'better-sqlite3': ['store'],
  // Also to read another program's database: store/foreign.ts.
  pg: ['store'],
  'pg-boss': ['store'],
  kysely: ['store', 'audience', 'delivery', 'schedule', 'bounces', 'newsletter'],
  'markdown-it': ['issue'],
  fastify: ['web'],
  '@fastify/helmet': ['web'],
  '@fastify/rate-limit': ['web'],
  uqr: ['web'],
  commander: ['cli'],
  '@clack/prompts': ['cli'],
  picocolors: ['cli'],
  'log-update': ['cli'],
  pino: ['main'],
  'prom-client': ['newsletter'],
  parse5: ['render', 'sources'],
  sharp: ['render'],
  feedsmith: ['sources', 'render'],
  croner: ['schedule'],
  'node-cron': ['schedule'],
  'csv-stringify': ['audience'],
  'pinyin-pro': ['editorial'],
  'double-metaphone': ['editorial'],
  yaml: ['config', 'issue', 'sources'],
  zod: ['config'],
};

/** Type-only imports count too: knowing a shape is knowing the room. */
const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

const src = resolve(import.meta.dirname, '../src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'));

function roomOf(file: string): string {
  return (file.split('/')[0] ?? file).replace(/\.ts$/, '');
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => match[1] as string);
}

function localRooms(file: string): string[] {
  return importsOf(file)
    .filter((target) => target.startsWith('.'))
    .map((target) =>
      roomOf(relative(src, resolve(src, dirname(file), target)).replaceAll('\\', '/')),
    );
}

describe('the house', () => {
  test('has only rooms that stand in the plan', () => {
    expect(files.map(roomOf).filter((room) => floorOf(room) === -1)).toEqual([]);
  });

  test.each(files)('%s imports only from rooms below its own', (file) => {
    const wrong = localRooms(file).filter(
      (room) => room !== roomOf(file) && floorOf(room) <= floorOf(roomOf(file)),
    );
    expect(wrong).toEqual([]);
  });

  test.each(Object.entries(OWNERS))('%s is imported only by its owner', (name, owners) => {
    const users = files.filter((file) =>
      importsOf(file).some((target) => target === name || target.startsWith(`${name}/`)),
    );
    expect(users.filter((file) => !owners.includes(roomOf(file)))).toEqual([]);
    expect(owners.length).toBeGreaterThan(0);
  });
});

describe('docs/flow.md', () => {
  /** Rooms that a room's files import, without the error type that everybody may throw. */
  const imports = new Map(
    [...new Set(files.map(roomOf))]
      .filter((room) => room !== 'errors')
      .map((room) => {
        const own = files.filter((file) => roomOf(file) === room);
        const others = own.flatMap(localRooms).filter((to) => to !== room && to !== 'errors');
        return [room, new Set(others)] as const;
      }),
  );

  function reaches(from: string, to: string): boolean {
    return [...(imports.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  }

  test('draws every import that does not follow from the others, and no more', () => {
    const needed = [...imports].flatMap(([from, targets]) =>
      [...targets]
        .filter((to) => ![...targets].some((other) => other !== to && reaches(other, to)))
        .map((to) => `${from} --> ${to}`),
    );
    const text = readFileSync(resolve(src, '../docs/flow.md'), 'utf8');
    const drawn = [...text.matchAll(/^ {2}(\w+ --> \w+)$/gm)].map((match) => match[1]);
    expect(drawn.sort()).toEqual(needed.sort());
  });

  test('names files that exist', () => {
    const text = readFileSync(resolve(src, '../docs/flow.md'), 'utf8');
    const named = [...text.matchAll(/`([a-z]+\/[a-z-]+\.ts)`/g)].map((match) => match[1] as string);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((file) => !files.includes(file))).toEqual([]);
  });
});
