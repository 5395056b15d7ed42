import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import ClosingReporter from './reporter.ts';

/** What the database has a part in: run on PostgreSQL as well, with the same text. */
const ON_BOTH = ['audience', 'bounces', 'contract', 'delivery', 'newsletter', 'schedule'];
/** Of these: about the SQLite file, or about no database at all. */
const ON_SQLITE = [
  'delivery/{crash,faults,storage,tls,breaker,replies}.test.ts',
  'audience/{address,tokens}.test.ts',
  'newsletter/{add,approve,backup,bundled,draft,learn}.test.ts',
  'schedule/{choose,slots}.test.ts',
];
/** About PostgreSQL alone. */
const ON_POSTGRES = [
  'store/{postgres,database-tls}.test.ts',
  'newsletter/copy.test.ts',
  'cli/workers.test.ts',
  'delivery/cluster.test.ts',
];

const inTest = (files: string[]) => files.map((file) => `test/${file}`);

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', new ClosingReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'sqlite',
          include: ['test/**/*.test.ts'],
          exclude: inTest(ON_POSTGRES),
          globalSetup: ['test/support/sqlite-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: inTest([...ON_BOTH.map((room) => `${room}/**/*.test.ts`), ...ON_POSTGRES]),
          exclude: inTest(ON_SQLITE),
          globalSetup: ['test/support/postgres-setup.ts'],
          setupFiles: ['test/support/needs-postgres.ts'],
        },
      },
    ],
  },
});
