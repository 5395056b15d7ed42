import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import ClosingReporter from './reporter.ts';

/** What the database has a part in: run on PostgreSQL as well, with the same text. */
const ON_BOTH = ['audience', 'bounces', 'contract', 'delivery', 'newsletter', 'schedule'];
/** Of these: about the SQLite file, or about no database at all. */
const ON_SQLITE = [
  'delivery/{crash,faults,tls,breaker,replies}.test.ts',
  'audience/{address,tokens}.test.ts',
  'newsletter/{add,approve,bundled,draft,learn}.test.ts',
  'schedule/{choose,slots}.test.ts',
];

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', new ClosingReporter()],
    projects: [
      {
        extends: true,
        test: { name: 'sqlite', include: ['test/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: ON_BOTH.map((room) => `test/${room}/**/*.test.ts`),
          exclude: ON_SQLITE.map((files) => `test/${files}`),
          globalSetup: ['test/support/postgres-setup.ts'],
          setupFiles: ['test/support/needs-postgres.ts'],
        },
      },
    ],
  },
});
