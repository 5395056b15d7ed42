/** How long the command line takes to start: from a checkout, and compiled as it is published. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { median, type Table } from './report.ts';
import { temporary } from './temporary.ts';

const root = resolve(import.meta.dirname, '..');
const RUNS = 11;

/** Wall time of whole processes, one of each after the other. */
export function startUp(): Table {
  const dir = published();
  const launch = join(dir, 'src', 'launch.js');
  const commands: Record<string, string[]> = {
    'node -e 0': ['-e', '0'],
    'checkout: broadsheet --help': [join(root, 'src', 'launch.js'), '--help'],
    'published: broadsheet --help': [launch, '--help'],
    'published: broadsheet campaigns list': [launch, 'campaigns', 'list', '--dir', dir],
    'published: broadsheet subscribers list': [launch, 'subscribers', 'list', '--dir', dir],
  };
  const times = new Map(Object.keys(commands).map((name) => [name, [] as number[]]));
  // The first run of each fills the compile cache, and does not count.
  for (let run = 0; run <= RUNS; run += 1) {
    for (const [name, args] of Object.entries(commands)) {
      const begun = performance.now();
      node(args);
      if (run > 0) times.get(name)?.push(performance.now() - begun);
    }
  }
  const bare = times.get('node -e 0') ?? [];
  const rows = [...times].map(([command, ms]) => ({
    command,
    ms: median(ms),
    '× bare node': median(ms.map((each, run) => each / (bare[run] as number))),
  }));
  return { about: `Start, wall time; median of ${RUNS}, with a warm compile cache`, rows };
}

/**
 * Lays out a package as it is published: no sources, so that it is the compiled main that starts. Never with
 * package-lock.json: the launcher would take it for a checkout and run `npm ci`, which empties what
 * node_modules links to.
 * @returns its directory, which is a newsletter as well
 */
function published(): string {
  const dir = temporary('start');
  mkdirSync(join(dir, 'src'));
  for (const file of ['package.json', 'src/launch.js', 'src/runtime.js']) {
    cpSync(join(root, file), join(dir, file));
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  const bundler = join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs');
  node([bundler, '--config', join(root, 'rolldown.config.js'), '--dir', join(dir, 'dist')], root);
  cpSync(join(root, 'config'), join(dir, 'config'), { recursive: true });
  return dir;
}

function node(args: string[], cwd?: string): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd });
  if (status !== 0) throw new Error(`node ${args.join(' ')}: ${stdout}${stderr}`);
}
