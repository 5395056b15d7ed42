/** Our programs as they are published: compiled, because a process that strips types itself is larger. */
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporary } from './temporary.ts';

const root = resolve(import.meta.dirname, '..');
let made: string | undefined;

/** @returns a directory with src and bench in JavaScript; made once in a run */
export function compiled(): string {
  if (made) return made;
  const dir = temporary('compiled');
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [compiler, '--project', import.meta.dirname, '--outDir', dir];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The compiler failed: ${stdout}${stderr}`);
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  made = dir;
  return dir;
}
