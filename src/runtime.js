/**
 * Set-up of a checkout: installs what is missing and finds a Node that is new enough.
 * Plain old JavaScript without dependencies, because it runs on whatever Node the machine has.
 */
import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const wantedMajor = Number(/\d+/.exec(manifest.engines.node)[0]);
const pinned = manifest.runtime.node;

/**
 * Installs dependencies and, where this Node is too old, the pinned one.
 * @returns {Promise<string>} path of a Node that can run Broadsheet
 */
export async function ready() {
  const isCheckout = existsSync(join(root, 'package-lock.json'));
  if (isCheckout && !dependenciesInstalled()) {
    say('Installing dependencies (once)');
    await npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  if (major(process.versions.node) >= wantedMajor) return process.execPath;
  if (!isCheckout) stop(tooOld());
  if (!existsSync(pinnedNode())) {
    say(
      `This machine has Node ${process.versions.node}; bringing Node ${pinned} for this project (once)`,
    );
    // The only install script that may run: the package `node` picks the binary for this platform.
    await npm([
      'install',
      '--no-save',
      '--ignore-scripts=false',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `node@${pinned}`,
    ]);
  }
  if (!existsSync(pinnedNode())) stop(tooOld());
  return pinnedNode();
}

/**
 * Runs a program to its end, with this one's terminal.
 * @param {string} command @param {string[]} args
 * @returns {Promise<number>} its exit code
 */
export async function run(command, args) {
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    // Who ends this process means the child. A terminal sends Ctrl-C to both: the child takes two at once for one.
    const pass = (signal) => child.kill(signal);
    process.on('SIGINT', pass);
    process.on('SIGTERM', pass);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.off('SIGINT', pass);
      process.off('SIGTERM', pass);
      // Whoever waits for this process should see how the child really ended.
      if (signal) process.kill(process.pid, signal);
      else resolve(code);
    });
  });
}

function dependenciesInstalled() {
  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  // A pull that changed the lock file is newer than what npm noted down when it installed.
  if (statSync(installed).mtimeMs + 2000 >= statSync(lock).mtimeMs) return true;
  // It need not have changed a version; and to install takes the packages away from those who run meanwhile.
  if (!haveVersionsOf(lock, installed)) return false;
  utimesSync(installed, new Date(), new Date());
  return true;
}

/** Whether all that a lock file asks for is in another one; what is for other machines may be missing. */
function haveVersionsOf(lock, installed) {
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const present = packagesOf(installed);
  return Object.entries(packagesOf(lock)).every(([path, { version, optional }]) => {
    if (path === '') return true;
    return present[path] ? present[path].version === version : optional === true;
  });
}

async function npm(args) {
  // Needed once in the life of a checkout; to load it takes a tenth of a start.
  const { spawnSync } = await import('node:child_process');
  const cli = process.env.npm_execpath;
  const result = cli?.endsWith('.js')
    ? spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, {
        cwd: root,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32',
      });
  if (result.status !== 0)
    stop(`"npm ${args.join(' ')}" failed in ${root}. Run it by hand to see why.`);
}

function pinnedNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  return join(root, 'node_modules', 'node', 'bin', name);
}

function major(version) {
  return Number(version.split('.')[0]);
}

function tooOld() {
  return `Broadsheet needs Node ${wantedMajor} or later; this is Node ${process.versions.node}. Install a newer one from https://nodejs.org, or run "npx --package=node@${pinned} --package=broadsheet broadsheet".`;
}

function say(text) {
  process.stderr.write(`broadsheet: ${text} …\n`);
}

function stop(text) {
  process.stderr.write(`broadsheet: ${text}\n`);
  process.exit(1);
}
