/**
 * The published program. Some packages are hundreds of small files, and finding those takes longer than all else at
 * the start of a command: they go into ours.
 */
import { isAbsolute } from 'node:path';
import { defineConfig } from 'rolldown';

const INSIDE = /^(kysely|yaml|zod)(\/|$)/;

export default defineConfig({
  input: 'src/main.ts',
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id) && !INSIDE.test(id),
  output: { dir: 'dist', format: 'esm', cleanDir: true },
});
