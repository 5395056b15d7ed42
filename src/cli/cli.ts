/** argv → one verb → text or JSON and an exit code. */
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import type { DatabasePlace } from '../newsletter/database.ts';
import type { Patient } from '../newsletter/doctor.ts';
import type { Newsletter } from '../newsletter/newsletter.ts';
import { registerAudience } from './commands/audience.ts';
import { registerBounces } from './commands/bounces.ts';
import { registerDatabase } from './commands/database.ts';
import { registerDelivery } from './commands/delivery.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerGlossary } from './commands/glossary.ts';
import { registerIssue } from './commands/issue.ts';
import { registerMetrics } from './commands/metrics.ts';
import { registerReport } from './commands/report.ts';
import { registerServe } from './commands/serve.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** The real things, joined by main. */
export interface World {
  version: string;
  /** Directory with the templates, settings and issue that ship with Broadsheet. */
  home: string;
  env: NodeJS.ProcessEnv;
  /** Settings only: what drafting and rendering need. */
  openDesk(dir: string): Promise<Pick<Newsletter, 'dir' | 'settings' | 'clock'>>;
  open(dir: string): Promise<OpenNewsletter>;
  /** The demonstration's newsletter: content of `dir`, state in var/demo, no secrets, outbox only. */
  openDemo(dir: string): Promise<OpenNewsletter>;
  /** Where its database is, unopened. */
  placeOf(dir: string): Promise<DatabasePlace>;
  /** Settings and secrets, all read; its database unopened. */
  openFiles(dir: string): Promise<Patient>;
  openPublic(newsletter: Newsletter): Promise<Server>;
  openMetrics(newsletter: Newsletter): Promise<Server>;
  openStudio(newsletter: OpenNewsletter): Promise<StudioServer>;
}

/** A web server that is not listening yet. */
export interface Server {
  /** @returns its address, `http://127.0.0.1:8080` */
  listen(host: string, port: number): Promise<string>;
  close(): Promise<void>;
}

export interface StudioServer extends Server {
  /** Part of the address that opens it. */
  token: string;
  /** A page of an issue for a phone on the local network, with the code that leads there. */
  openPhone(issue: string): Promise<{ url: string; expiresAt: number; terminal: string }>;
}

export interface OpenNewsletter extends Newsletter {
  /** Reads the settings anew, for what follows its files. */
  readSettings(): Newsletter['settings'];
  close(): Promise<void>;
}

/** Opens the call's newsletter for one piece of work, and closes it whatever happens. */
export async function withNewsletter<Result>(
  { world, dir }: Call,
  work: (newsletter: OpenNewsletter) => Promise<Result>,
  open = world.open,
): Promise<Result> {
  const newsletter = await open(dir);
  try {
    return await work(newsletter);
  } finally {
    await newsletter.close();
  }
}

/** What a command's action is handed. */
export interface Call {
  world: World;
  terminal: Terminal;
  /** Absolute. */
  dir: string;
}

interface CommonOptions {
  dir?: string;
  json?: boolean;
  quiet?: boolean;
}

/** Runs one action of a command and gives its exit code. */
export type Action<Options> = (call: Call, args: string[], options: Options) => Promise<number>;

/** Adds a command; the options that all share stand before or after it. */
export type AddCommand = <Options extends object>(
  usage: string,
  description: string,
  configure: (command: Command) => Command,
  action: Action<Options>,
  parent?: Command,
) => Command;

/** Runs the command line. @returns the exit code */
export async function runCli(argv: string[], world: World): Promise<number> {
  let exitCode = 0;
  const program = new Command('broadsheet')
    .description('A newsroom in a repository: raw source to ranked issue to mail to every reader.')
    .version(world.version)
    .option('--dir <dir>', 'the newsletter’s directory; default: this one')
    .option('--json', 'print JSON')
    .option('--quiet', 'no words, only data and errors')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(broadsheet --help lists the commands)')
    .exitOverride();
  const add: AddCommand = (usage, description, configure, action, parent = program) => {
    const command = configure(parent.command(usage).description(description));
    return command.action(async (...given: unknown[]) => {
      exitCode = await perform(world, given, action as Action<object>);
    });
  };
  registerIssue(program, add);
  registerDelivery(program, add);
  registerAudience(program, add);
  registerReport(program, add);
  registerDatabase(program, add);
  registerBounces(program, add);
  registerServe(program, add);
  registerMetrics(program, add);
  registerGlossary(program, add);
  registerDoctor(program, add);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    return commandLineError(error, argv);
  }
  return exitCode;
}

async function perform(world: World, given: unknown[], action: Action<object>): Promise<number> {
  const command = given.at(-1) as Command;
  const options = command.optsWithGlobals() as CommonOptions;
  const terminal = openTerminal(options);
  const args = given
    .slice(0, -2)
    .flat()
    .filter((value) => value !== undefined) as string[];
  try {
    return await action({ world, terminal, dir: resolve(options.dir ?? '.') }, args, options);
  } catch (error) {
    return terminal.fail(error);
  }
}

/** Commander has printed its message already; help and version are no mistakes. */
function commandLineError(error: unknown, argv: string[]): number {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return 0;
  if (argv.includes('--json')) {
    const message = error.message.replace(/^error: /, '');
    process.stdout.write(`${JSON.stringify({ error: { code: 'usage', message } })}\n`);
  }
  return 2;
}
