/** `npm run bench`: a whole campaign against nodemailer's pool and Postfix's smtp-source, in one run. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { prepare } from './campaign.ts';
import type { Used } from './used.ts';

const HELP = `npm run bench -- [--mails N] [--rounds N] [--connections N] [--json]

The same sink and the same issue for all, one after the other in each round; medians over the rounds.
smtp-source comes with Debian's package postfix; without it that row is left out.`;

const { values } = parseArgs({
  options: {
    mails: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const mails = Number(values.mails);
const run = promisify(execFile);

type Contestant = (dir: string, port: number) => Promise<Used>;

const contestants: Record<string, Contestant> = {
  'nodemailer pool': (dir, port) =>
    child('nodemailer.ts', { MESSAGE: join(dir, 'message.json'), MAILS: String(mails) }, port),
  'smtp-source': smtpSource,
  Broadsheet: (dir, port) => child('broadsheet.ts', { STATE_DIR: dir }, port),
};

async function child(program: string, env: Record<string, string>, port: number): Promise<Used> {
  const args = ['--max-semi-space-size=2', join(import.meta.dirname, program)];
  const { stdout } = await run(process.execPath, args, {
    env: {
      ...process.env,
      ...env,
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      CONNECTIONS: values.connections,
    },
  });
  return JSON.parse(stdout) as Used;
}

/** Of a program that is not ours only the wall time can be had. */
async function smtpSource(dir: string, port: number): Promise<Used> {
  const begun = performance.now();
  const args = [
    '-4',
    '-s',
    values.connections,
    '-m',
    String(mails),
    '-F',
    join(dir, 'message.eml'),
  ];
  await run('smtp-source', [
    ...args,
    '-f',
    'weekly@news.example.com',
    '-t',
    'reader@example.com',
    `127.0.0.1:${port}`,
  ]);
  return { mails, ms: performance.now() - begun, cpuMs: Number.NaN, rssMb: Number.NaN };
}

async function startSink(): Promise<{ sink: ChildProcess; port: number }> {
  const sink = spawn(process.execPath, [join(import.meta.dirname, 'sink.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(sink.stdout as NodeJS.EventEmitter, 'data');
  return { sink, port: Number(String(line)) };
}

/** A contestant that lost mail has won nothing. */
async function stopSink(sink: ChildProcess, name: string): Promise<void> {
  const said = once(sink.stdout as NodeJS.EventEmitter, 'data');
  sink.kill('SIGTERM');
  const taken = Number(String((await said)[0]));
  if (taken !== mails) throw new Error(`${name}: ${taken} of ${mails} mails arrived`);
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function medianOf(runs: Used[]): Used {
  const of = (name: keyof Used) => median(runs.map((each) => each[name]));
  return { mails: of('mails'), ms: of('ms'), cpuMs: of('cpuMs'), rssMb: of('rssMb') };
}

async function main(): Promise<void> {
  const names = Object.keys(contestants).filter(
    (name) => name !== 'smtp-source' || spawnSync('smtp-source', ['-?']).error === undefined,
  );
  const runs = new Map<string, Used[]>(names.map((name) => [name, []]));
  let prepared = { bytes: 0, htmlBytes: 0 };
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const dir = mkdtempSync(join(tmpdir(), 'bench-'));
    prepared = await prepare(dir, mails);
    for (const name of names) {
      const { sink, port } = await startSink();
      runs.get(name)?.push(await (contestants[name] as Contestant)(dir, port));
      await stopSink(sink, name);
      console.error(`round ${round + 1}: ${name} done`);
    }
    rmSync(dir, { recursive: true });
  }
  const results = names.map((name) => ({ name, ...medianOf(runs.get(name) ?? []) }));
  if (values.json) return console.log(JSON.stringify({ ...prepared, results }, null, 2));
  const [{ model = '' } = {}] = cpus();
  console.log(
    `${mails} mails of ${prepared.bytes} bytes (HTML ${prepared.htmlBytes}), ${values.connections} connections, median of ${values.rounds}; Node ${process.versions.node}, ${availableParallelism()} × ${model}\n`,
  );
  console.log('| | mails/s | CPU µs/mail | peak MB | wall, of Broadsheet |\n|---|---|---|---|---|');
  const ours = results.find(({ name }) => name === 'Broadsheet');
  for (const { name, ms, cpuMs, rssMb } of results) {
    const shown = (value: number) => (Number.isNaN(value) ? '' : value.toFixed(0));
    const ratio = ours ? (ms / ours.ms).toFixed(2) : '';
    console.log(
      `| ${name} | ${shown(mails / (ms / 1000))} | ${shown((cpuMs * 1000) / mails)} | ${shown(rssMb)} | ${ratio} × |`,
    );
  }
}

if (values.help) console.log(HELP);
else await main();
