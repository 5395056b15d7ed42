import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isPublicSite, loadSecrets, localKeys } from '../../src/config/secrets.ts';

const KEY = Buffer.alloc(32, 7).toString('base64url');

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'broadsheet-'));
  mkdirSync(join(dir, 'config'));
  return dir;
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
}

describe('secrets', () => {
  test('come from the environment, then config/.env, then .env', () => {
    const dir = directory();
    writeFileSync(
      join(dir, '.env'),
      'SMTP_URL=smtp://root.example\nDATABASE_URL=sqlite:/root.db\n',
    );
    writeFileSync(join(dir, 'config/.env'), 'SMTP_URL=smtp://config.example\n');
    expect(loadSecrets({ dir, env: {} })).toEqual({
      smtpUrl: 'smtp://config.example',
      databaseUrl: 'sqlite:/root.db',
    });
    expect(loadSecrets({ dir, env: { SMTP_URL: 'smtps://env.example' } }).smtpUrl).toBe(
      'smtps://env.example',
    );
  });

  test('that are keys stand newest first', () => {
    const { keys } = loadSecrets({ dir: directory(), env: { SECRET_KEYS: `k2:${KEY},k1:${KEY}` } });
    expect(keys?.map(({ id }) => id)).toEqual(['k2', 'k1']);
  });

  test.each([
    ['SMTP_URL', 'http://user:hunter2@relay.example'],
    ['SMTP_URL', 'hunter2'],
    ['DATABASE_URL', 'mysql://user:hunter2@db'],
    ['SECRET_KEYS', 'hunter2'],
    ['SECRET_KEYS', 'k1:hunter2'],
    ['SECRET_KEYS', `k1:${KEY},k1:${KEY}`],
    ['DKIM_PRIVATE_KEY', 'hunter2'],
    ['DKIM_PRIVATE_KEY_FILE', 'missing.pem'],
  ])('a wrong %s is named and its value never shown', (name, value) => {
    const message = messageOf(() => loadSecrets({ dir: directory(), env: { [name]: value } }));
    expect(message).toMatch(new RegExp(`^${name} `));
    expect(message).not.toContain('hunter2');
    expect(message).not.toContain(KEY);
  });

  test('local keys are made once, readable by their owner only, and damage is noticed', () => {
    const dir = directory();
    const keys = localKeys(dir, randomBytes);
    expect(localKeys(dir, randomBytes)).toEqual(keys);
    const path = join(dir, 'secret-keys');
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toMatch(/^local:[\w-]{43}\n$/);
    writeFileSync(path, 'damaged');
    expect(messageOf(() => localKeys(dir, randomBytes))).toContain('cannot be read');
  });
});

test.each([
  ['https://news.broadsheet.dev', true],
  ['https://8.8.8.8', true],
  ['http://news.broadsheet.dev', false],
  ['https://localhost:8080', false],
  ['https://news.example.com', false],
  ['https://127.0.0.1', false],
  ['https://192.168.1.4', false],
  ['https://[::1]', false],
  ['https://[fd00::1]', false],
  ['https://intranet', false],
])('D-13: readers can reach %s: %s', (url, reachable) => {
  expect(isPublicSite(url)).toBe(reachable);
});
