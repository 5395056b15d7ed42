/** `npm run chaos`: kills the sender again and again, and counts what arrived. */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type ChaosOptions, type ChaosProgress, type ChaosReport, chaos } from './run.ts';

const HELP = `npm run chaos -- [options]

  --kills N        SIGKILLs to the sender, at random times (1000); 0: none
  --deliveries N   readers of the campaign (100000)
  --connections N  to the mail server (20)
  --hold           onUnknown: hold instead of resend
  --faults         the server says 4xx to 10 % of the attempts and 5xx to 2 %, drops the connection before the
                   body in 1 % and after the final dot in 0.5 %: one half of these mails stored, the other lost
  --pause MS       the server answers so long after it has stored a mail, at most (10): all that time nobody can know
  --seed WORD      the same word, the same kills and faults (drawn)
  --json           one object

The sender is "broadsheet worker --once", a new process after each kill. The mail server is a process of its own: it
appends each mail to a file and only then answers. In the end a judge reads that file and the database, and
nothing else (test/support/oracle.ts). Exit code 1 where anything is violated; the files are kept then.`;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    deliveries: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '20' },
    hold: { type: 'boolean', default: false },
    faults: { type: 'boolean', default: false },
    pause: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const options: ChaosOptions = {
    kills: number('kills', values.kills, 0),
    deliveries: number('deliveries', values.deliveries, 1),
    connections: number('connections', values.connections, 1),
    seed: values.seed,
    hold: values.hold,
    faults: values.faults,
    pause: number('pause', values.pause, 0),
    onProgress: progress(),
  };
  const { onProgress, ...asked } = options;
  const [{ model = '' } = {}] = cpus();
  const machine = `Node ${process.versions.node}, ${process.platform}, ${availableParallelism()} × ${model}`;
  if (!values.json) console.log(`${machine}\n${commandOf(options)}\n`);
  const report = await chaos(options);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(
    values.json ? JSON.stringify({ machine, asked, ...report }, null, 2) : words(options, report),
  );
  if (report.violations.length > 0) process.exitCode = 1;
}

function number(name: string, text: string, least: number): number {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new Error(`--${name} takes a number from ${least}, not "${text}"`);
}

function commandOf(options: ChaosOptions): string {
  const { kills, deliveries, connections, seed, hold, faults, pause } = options;
  const flags = `${hold ? ' --hold' : ''}${faults ? ' --faults' : ''}`;
  return `npm run chaos -- --kills ${kills} --deliveries ${deliveries} --connections ${connections}${flags} --pause ${pause} --seed ${seed}`;
}

/** One line that is written over on a terminal, else a line now and then. On stderr. */
function progress(): (progress: ChaosProgress) => void {
  const every = process.stderr.isTTY ? 100 : 15_000;
  let next = performance.now() + every;
  return ({ kills, mails }) => {
    if (performance.now() < next) return;
    next = performance.now() + every;
    const line = `${kills} kills, ${mails} mails`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  };
}

function words({ connections, kills: wanted }: ChaosOptions, report: ChaosReport): string {
  const { kills, states, violations } = report;
  const each = (count: number) => (kills > 0 ? `  ${(count / kills).toFixed(1)} per kill` : '');
  const rows: [string, number, string][] = [
    ['planned', report.planned, ''],
    ['delivered', report.delivered, ''],
    ['not delivered', report.notDelivered, ''],
    ...Object.entries(states).map(([state, n]): [string, number, string] => [`  ${state}`, n, '']),
    ['extra copies', report.extraCopies, `${each(report.extraCopies)}, bound ${connections}`],
    ['most copies', report.mostCopies, ''],
    ['kills', kills, `  of ${wanted}; ${report.startUp} before the first mail of that life`],
    ['in doubt', report.marked, `${each(report.marked)}, of which ${report.arrived} had arrived`],
    ['left the list', report.left, ''],
    ['stored, dropped', report.unanswered, ''],
    ['lost, dropped', report.dropped, ''],
    [
      'refused',
      report.refused.forNow + report.refused.forGood,
      `  ${report.refused.forGood} for good`,
    ],
    ['resumed', report.resumed, ''],
    ['seconds', Math.round(report.ms / 1_000), ''],
  ];
  const table = rows.map(([name, n, note]) => `${name.padEnd(16)}${String(n).padStart(8)}${note}`);
  const verdict =
    violations.length === 0
      ? ['No violation of I1 to I11; integrity_check ok.']
      : [`${violations.length} VIOLATIONS; the files are in ${report.dir}`, ...violations];
  return [...table, '', ...verdict].join('\n');
}

// So that the sender and the mail server end as well.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
if (values.help) console.log(HELP);
else await main();
