/** `npm ci` works on every machine only when the lock file names the packages of every platform. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Locked {
  packages: Record<string, { optionalDependencies?: Record<string, string>; version?: string }>;
}
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Locked;

test('no optional package of any platform is missing', () => {
  const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(
        (name) => !packages[`node_modules/${name}`] && !packages[`${place}/node_modules/${name}`],
      )
      .map((name) => `${place} wants ${name}`),
  );
  expect(missing).toEqual([]);
});

test.each([
  ['mjml', 5],
  ['nodemailer', 10],
  ['node-cron', 4],
  ['zod', 4],
  ['vitest', 5],
  ['better-sqlite3', 13],
])('%s is of major version %i: npm on an old Node may have chosen another', (name, major) => {
  expect(packages[`node_modules/${name}`]?.version).toMatch(new RegExp(`^${major}\\.`));
});
