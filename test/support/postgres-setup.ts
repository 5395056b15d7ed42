/** Once for a test run: the server that its tests share. */
import type { TestProject } from 'vitest/node';
import { makeTemplate, startPostgres } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the server; null where there is none; absent where the tests run on SQLite. */
    postgres: string | null;
  }
}

export default async function setup(project: TestProject): Promise<(() => void) | undefined> {
  const server = startPostgres();
  project.provide('postgres', server?.url ?? null);
  if (!server) return undefined;
  await makeTemplate(server.url);
  return () => server.stop();
}
