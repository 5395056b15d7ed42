/** Without a server the tests on PostgreSQL are skipped, and named as such; where everything must be there, they fail. */
import { beforeEach, inject } from 'vitest';

const NEEDS = 'needs PostgreSQL: apt install postgresql';

beforeEach(({ skip }) => {
  if (inject('postgres')) return;
  if (process.env.CI === 'true') throw new Error(NEEDS);
  skip(NEEDS);
});
