/** The lines around a mistake, as an editor's eye wants them. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Problem } from '../errors.ts';

export interface Excerpt {
  /** Number of the first line shown, from 1. */
  from: number;
  lines: string[];
}

/** Lines shown before and after the one that is meant. */
const AROUND = 2;

/** What people write; never `.env`, where secrets are. */
const SHOWN = /^(issues|templates|config)\/[^\0]*\.(md|hbs|css|yaml)$/;

/** @returns undefined where the problem names no line of a file that people write */
export function excerptOf(
  dir: string,
  { file, line }: Pick<Problem, 'file' | 'line'>,
): Excerpt | undefined {
  if (!file || !line || !SHOWN.test(file) || file.includes('..')) return undefined;
  const path = join(dir, file);
  if (!existsSync(path) || !realpathSync(path).startsWith(realpathSync(dir) + sep))
    return undefined;
  const lines = readFileSync(path, 'utf8').split(/\r\n?|\n/);
  const from = Math.max(1, line - AROUND);
  return { from, lines: lines.slice(from - 1, line + AROUND) };
}
