import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const dirs: string[] = [];
process.once('exit', () => {
  // What was just told to end may still write.
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
});

/** A directory that is gone when this process is, however it ends. */
export function temporary(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `bench-${name}-`));
  dirs.push(dir);
  return dir;
}
