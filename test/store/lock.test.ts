import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { acquireLock } from '../../src/store/lock.ts';
import { temporaryDirectory } from '../support/newsletter.ts';

const lockFile = () => join(temporaryDirectory(), 'var', 'sender.lock');

/** Another process that wants the lock; what it says. */
async function rival(path: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'lock-child.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = await once(child.stdout as NodeJS.EventEmitter, 'data');
  return { child, said: String(said).trim() };
}

test('one process holds it; it is free when that one lets go', async () => {
  const path = lockFile();
  const lock = acquireLock(path);
  expect(lock).not.toBeNull();
  expect(acquireLock(path)).toBeNull();
  expect((await rival(path)).said).toBe('refused');
  lock?.release();
  expect((await rival(path)).said).toBe('held');
});

test('it is free at once when its holder is killed', async () => {
  const path = lockFile();
  const { child, said } = await rival(path);
  expect(said).toBe('held');
  expect(acquireLock(path)).toBeNull();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = acquireLock(path);
  expect(lock).not.toBeNull();
  lock?.release();
});

test('it outlives garbage collection, though nobody keeps what was returned', async () => {
  const path = lockFile();
  acquireLock(path);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let time = 0; time < 5; time += 1) {
    collect();
    await new Promise(setImmediate);
  }
  expect((await rival(path)).said).toBe('refused');
});

test('a place where no file can be is named', () => {
  expect(() => acquireLock('/dev/null/sender.lock')).toThrow(
    expect.objectContaining({ kind: 'failed', code: 'lock-unusable' }),
  );
});
