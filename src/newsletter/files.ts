/** Writing files so that a crash leaves the old one or the new one, never half of it. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes beside the target, flushes to disk, then renames over it. Makes missing directories.
 * @param data whole, or in pieces of text
 */
export function writeAtomically(path: string, data: string | Uint8Array | Iterable<string>): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  const pieces = typeof data === 'string' || data instanceof Uint8Array ? [data] : data;
  try {
    const file = openSync(temporary, 'wx');
    try {
      for (const piece of pieces) writeWhole(file, piece);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeWhole(file: number, piece: string | Uint8Array): void {
  const bytes = typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece;
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
