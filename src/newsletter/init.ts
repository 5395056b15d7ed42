/** A new newsletter directory, with the same shape as the one that ships with Broadsheet. */
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blockedError } from '../errors.ts';

/**
 * @param home directory whose config/ and templates/ are copied
 * @param dir absolute; may exist, but must not hold a newsletter
 */
export function init(home: string, dir: string): { dir: string; files: string[] } {
  const parts = ['config', 'templates', 'issues'];
  const taken = parts.filter((part) => existsSync(join(dir, part)));
  if (taken.length > 0) {
    throw blockedError(
      'directory-taken',
      `${dir} already has ${taken.join(', ')}; nothing was written`,
      {
        hint: 'Choose an empty directory.',
      },
    );
  }
  for (const part of ['config', 'templates'])
    cpSync(join(home, part), join(dir, part), { recursive: true });
  mkdirSync(join(dir, 'issues'), { recursive: true });
  writeFileSync(join(dir, '.gitignore'), 'var/\n.env\nconfig/.env\nnode_modules/\n', { flag: 'a' });
  return { dir, files: readdirSync(dir) };
}
