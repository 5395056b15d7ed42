/** How a command speaks: data on stdout, words and progress on stderr, questions only to a person. */
import pc from 'picocolors';
import { BroadsheetError, describeProblem } from '../errors.ts';

export interface Terminal {
  json: boolean;
  /** Data: an object in JSON, or the text that stands for it. */
  result(data: unknown, text: string): void;
  /** A list: one object per line in JSON, or one text per line. */
  row(data: unknown, text: string): void;
  /** Data that is text already, as it is. */
  write(text: string): void;
  /** Words for the person; silent with --quiet. */
  say(text: string): void;
  /** A bar where there is a terminal, a plain line now and then where there is none. */
  progress(): Progress;
  /** Asks; false where nobody can answer. */
  ask(question: string): Promise<boolean>;
  /** Says what went wrong and gives the exit code. */
  fail(error: unknown): number;
}

export interface Progress {
  update(done: number, total: number, words: string): void;
  end(): void;
}

export interface TerminalOptions {
  json?: boolean | undefined;
  quiet?: boolean | undefined;
}

const EXIT = { input: 2, blocked: 3, failed: 1 } as const;

/** Milliseconds between plain progress lines. */
const PLAIN_INTERVAL = 5_000;

export function openTerminal(options: TerminalOptions): Terminal {
  const json = options.json === true;
  const silent = options.quiet === true;
  const say = (text: string) => {
    if (!silent && text) process.stderr.write(`${text}\n`);
  };
  return {
    json,
    result: (data, text) => print(json ? JSON.stringify(data, null, 2) : text),
    row: (data, text) => print(json ? JSON.stringify(data) : text),
    write: (text) => void process.stdout.write(text),
    say,
    progress: () => (silent ? noProgress : process.stderr.isTTY ? bar() : plainLines(say)),
    ask,
    fail: (error) => fail(error, json),
  };
}

function print(text: string): void {
  if (text) process.stdout.write(`${text}\n`);
}

async function ask(message: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const { confirm, isCancel } = await import('@clack/prompts');
  const answer = await confirm({ message, initialValue: false, output: process.stderr });
  return !isCancel(answer) && answer;
}

const noProgress: Progress = { update: () => {}, end: () => {} };

function bar(): Progress {
  let log: { (text: string): void; done(): void } | undefined;
  void import('log-update').then(({ createLogUpdate }) => {
    log = createLogUpdate(process.stderr);
  });
  return {
    update(done, total, words) {
      const share = total > 0 ? done / total : 1;
      const filled = Math.round(share * 30);
      const drawn = pc.red('━'.repeat(filled)) + pc.dim('━'.repeat(30 - filled));
      log?.(
        `${drawn} ${String(Math.floor(share * 100)).padStart(3)} %  ${done}/${total}  ${words}`,
      );
    },
    end: () => log?.done(),
  };
}

function plainLines(say: (text: string) => void): Progress {
  let last = Date.now();
  return {
    update(done, total, words) {
      if (Date.now() - last < PLAIN_INTERVAL) return;
      last = Date.now();
      say(`${done}/${total} ${words}`);
    },
    end: () => {},
  };
}

function fail(error: unknown, json: boolean): number {
  const known = error instanceof BroadsheetError;
  if (json) process.stdout.write(`${JSON.stringify(errorData(error))}\n`);
  else if (known) printProblems(error);
  else
    process.stderr.write(`${pc.red('broadsheet failed')}: ${(error as Error)?.stack ?? error}\n`);
  return known ? EXIT[error.kind] : 1;
}

function errorData(error: unknown) {
  if (!(error instanceof BroadsheetError)) {
    return { error: { code: 'internal', message: String((error as Error)?.message ?? error) } };
  }
  const [first] = error.problems;
  const more = error.problems.length > 1 ? { problems: error.problems } : {};
  return { error: { code: error.code, ...first, ...more } };
}

function printProblems(error: BroadsheetError): void {
  const lines = error.problems.map((problem) => `${pc.red('✗')} ${describeProblem(problem)}`);
  process.stderr.write(`${lines.join('\n')}\n`);
}
