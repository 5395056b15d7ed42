/** Once for a test run: the SQLite file, with its tables, that the tests' are copies of. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openStore } from '../../src/store/open.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the file; absent where the tests run on PostgreSQL. */
    sqlite: string;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const stateDir = mkdtempSync(join(tmpdir(), 'broadsheet-template-'));
  const store = await openStore({ stateDir });
  await store.close();
  project.provide('sqlite', store.path);
  return () => rmSync(stateDir, { recursive: true, force: true });
}
