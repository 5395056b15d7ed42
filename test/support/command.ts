/** The real command in a process of its own, as a person or a program would run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const launcher = join(resolve(import.meta.dirname, '../..'), 'src/launch.js');

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What a command must not inherit from whoever runs the tests. */
const CLEAN = { SMTP_URL: '', SECRET_KEYS: '', DATABASE_URL: '', NO_COLOR: '1' };

export function cleanEnvironment(env: Record<string, string>): NodeJS.ProcessEnv {
  return { ...process.env, ...CLEAN, ...env };
}

export function start(dir: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [launcher, ...args], {
    cwd: dir,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs `broadsheet …args` in a directory to its end. */
export function broadsheet(
  dir: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  return ended(start(dir, args, env));
}

export async function ended(child: ChildProcess): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, stdout, stderr };
}
