/** Joins the real things (clock, chance, environment, files, database) and hands them to the command line. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OpenNewsletter, runCli, type Server } from './cli/cli.ts';
import type { Secrets } from './config/secrets.ts';
import type { Settings } from './config/settings.ts';
import type { Log } from './newsletter/newsletter.ts';

const home = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs one command line; sets the exit code of the process. */
export async function main(argv: string[]): Promise<void> {
  // `| head` has read what it wanted; nobody hears the rest.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  process.exitCode = await runCli(argv, {
    version,
    home,
    env: process.env,
    openDesk: async (dir) => ({ dir, settings: await settingsOf(dir), clock: Date.now }),
    open: async (dir) => {
      const { loadSecrets } = await import('./config/secrets.ts');
      const { openSettings } = await import('./config/load.ts');
      const secrets = loadSecrets({ dir, env: process.env });
      return open(dir, 'var', () => openSettings(dir), secrets, []);
    },
    openDemo: async (dir) => {
      const { loadSettings } = await import('./config/load.ts');
      const state = join('var', 'demo');
      return open(dir, state, () => demoSettings(loadSettings(dir)), {}, ['--demo']);
    },
    placeOf: async (dir) => {
      const { loadSecrets } = await import('./config/secrets.ts');
      return {
        url: loadSecrets({ dir, env: process.env }).databaseUrl,
        stateDir: join(dir, 'var'),
      };
    },
    openFiles: async (dir) => {
      const { loadSecrets } = await import('./config/secrets.ts');
      const { randomBytes } = await import('node:crypto');
      return {
        dir,
        stateDir: join(dir, 'var'),
        settings: await settingsOf(dir),
        secrets: loadSecrets({ dir, env: process.env }),
        clock: Date.now,
        random: (bytes) => randomBytes(bytes),
      };
    },
    openPublic: async (newsletter) => {
      const { publicServer } = await import('./web/public.ts');
      return serverOf(await publicServer(newsletter));
    },
    openMetrics: async (newsletter) => {
      const { metricsServer } = await import('./web/metrics.ts');
      return serverOf(metricsServer(newsletter));
    },
    openStudio: async (newsletter) => {
      const { studioServer } = await import('./web/studio/server.ts');
      const { readSettings } = newsletter;
      const { app, token, openPhone, close } = await studioServer(newsletter, { readSettings });
      return { ...serverOf(app), token, openPhone, close };
    },
  });
}

/** Loaded when a command needs it: `--help` starts in half the time without. */
async function settingsOf(dir: string): Promise<Settings> {
  const { loadSettings } = await import('./config/load.ts');
  return loadSettings(dir);
}

async function open(
  dir: string,
  state: string,
  readSettings: () => Settings,
  secrets: Secrets,
  workerArguments: string[],
): Promise<OpenNewsletter> {
  const settings = readSettings();
  const stateDir = join(dir, state);
  const { openStore } = await import('./store/open.ts');
  const { localKeys } = await import('./config/secrets.ts');
  const { isPostgres } = await import('./store/dialect.ts');
  const { databaseClock } = await import('./store/clock.ts');
  const { randomBytes } = await import('node:crypto');
  const store = await openStore({ url: secrets.databaseUrl, stateDir });
  return {
    dir,
    stateDir,
    settings,
    readSettings,
    secrets,
    keys: secrets.keys ?? localKeys(stateDir, randomBytes),
    db: store.db,
    // Machines that share a database share its clock.
    clock: isPostgres(store.db) ? await databaseClock(store) : Date.now,
    random: (bytes) => randomBytes(bytes),
    log: lazyLog(),
    workerCommand: [...worker, '--dir', dir, ...workerArguments],
    close: store.close,
  };
}

/**
 * A process of its own sends. The flag keeps garbage of many short-lived messages from growing the
 * heap; V8 takes it on the command line only.
 */
const worker = [
  process.execPath,
  '--max-semi-space-size=2',
  join(home, 'src', 'launch.js'),
  'worker',
  '--attached',
];

/** The demonstration can mail nobody: whatever the settings say, it writes into its outbox. */
function demoSettings(settings: Settings): Settings {
  return {
    ...settings,
    editor: undefined,
    delivery: { ...settings.delivery, channel: 'outbox' },
    dkim: { signer: 'none' },
    site: { ...settings.site, url: `http://${settings.site.listen}` },
  };
}

/** The little of a web server that the command line needs. */
interface WebServer {
  listen(at: { host: string; port: number }): Promise<string>;
  close(): PromiseLike<unknown>;
}

function serverOf(app: WebServer): Server {
  return {
    listen: (host, port) => app.listen({ host, port }),
    close: async () => void (await app.close()),
  };
}

/** On stderr: words for the person at a terminal, lines of JSON for what collects logs. */
function lazyLog(): Log {
  const write = async (level: keyof Log, fields: object, message: string) => {
    if (process.stderr.isTTY) {
      const about = Object.values(fields).join(' ');
      process.stderr.write(`${level === 'info' ? '' : `${level}: `}${message}: ${about}\n`);
      return;
    }
    const { pino, destination } = await import('pino');
    pino({ level: process.env.LOG_LEVEL ?? 'info' }, destination({ fd: 2, sync: true }))[level](
      fields,
      message,
    );
  };
  return {
    info: (fields, message) => void write('info', fields, message),
    warn: (fields, message) => void write('warn', fields, message),
    error: (fields, message) => void write('error', fields, message),
  };
}
