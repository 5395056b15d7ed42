/** `npm run chaos`: kills the sender again and again, and counts what arrived. */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type ClusterOptions, type ClusterReport, chaosTogether } from './cluster.ts';
import { type ChaosOptions, type ChaosReport, chaos } from './run.ts';

const HELP = `npm run chaos -- [options]

  --kills N        SIGKILLs to the sender, at random times (1000; with --postgres 200); 0: none
  --deliveries N   readers of the campaign (100000)
  --connections N  to the mail server (20)
  --hold           onUnknown: hold instead of resend
  --faults         the server says 4xx to 10 % of the attempts and 5xx to 2 %, drops the connection before the
                   body in 1 % and after the final dot in 0.5 %: one half of these mails stored, the other lost
  --pause MS       the server answers so long after it has stored a mail, at most (10): all that time nobody can know
  --seed WORD      the same word, the same kills and faults (drawn)
  --json           one object

  --postgres       several workers on a PostgreSQL of their own, in a temporary directory; not with --faults
  --workers N      (3)
  --restarts N     immediate crashes of the database (50)
  --rate N         mails a second at most, of all workers together (0: as fast as it goes)
  --freezes N      workers that are stopped for longer than it takes until another has their chunk (20)

The sender is "broadsheet worker --once", a new process after each kill. The mail server is a process of its own: it
appends each mail to a file and only then answers. In the end a judge reads that file and the database, and
nothing else (test/support/oracle.ts). With --postgres each is "broadsheet worker", whose times are shorter
(test/chaos/times.ts): silent for 6 s is dead, and a mail may take 120 s. Exit code 1 where anything is violated; the files are kept then.`;

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    deliveries: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '20' },
    hold: { type: 'boolean', default: false },
    faults: { type: 'boolean', default: false },
    pause: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    postgres: { type: 'boolean', default: false },
    workers: { type: 'string', default: '3' },
    restarts: { type: 'string', default: '50' },
    freezes: { type: 'string', default: '20' },
    rate: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const [{ model = '' } = {}] = cpus();
const machine = `Node ${process.versions.node}, ${process.platform}, ${availableParallelism()} × ${model}`;

async function main(): Promise<void> {
  const common = {
    deliveries: number('deliveries', values.deliveries, 1),
    connections: number('connections', values.connections, 1),
    seed: values.seed,
    hold: values.hold,
    onProgress: progress(),
  };
  if (values.postgres) await together(common);
  else await alone(common);
}

type Common = Omit<ChaosOptions, 'kills' | 'faults' | 'pause'>;

async function alone(common: Common): Promise<void> {
  const options: ChaosOptions = {
    kills: number('kills', values.kills ?? '1000', 0),
    ...common,
    faults: values.faults,
    pause: number('pause', values.pause ?? '10', 0),
  };
  announce(options);
  const report = await chaos(options);
  tell(options, report, words(options, report));
}

async function together(common: Common): Promise<void> {
  if (values.faults) throw new Error('--postgres and --faults do not go together');
  const options: ClusterOptions = {
    workers: number('workers', values.workers, 2),
    kills: number('kills', values.kills ?? '200', 0),
    restarts: number('restarts', values.restarts, 0),
    freezes: number('freezes', values.freezes, 0),
    ...common,
    pause: number('pause', values.pause ?? '200', 0),
    rate: number('rate', values.rate, 0),
  };
  announce(options);
  const report = await chaosTogether(options);
  tell(options, report, clusterWords(options, report));
}

function number(name: string, text: string, least: number): number {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new Error(`--${name} takes a number from ${least}, not "${text}"`);
}

/** The machine, and the command that repeats it. */
function announce(options: ChaosOptions | ClusterOptions): void {
  if (values.json) return;
  const { onProgress, ...asked } = options;
  const words = Object.entries(asked).map(([name, value]) => {
    if (typeof value === 'boolean') return value ? ` --${name}` : '';
    return ` --${name} ${value}`;
  });
  const which = values.postgres ? ' --postgres' : '';
  console.log(`${machine}\nnpm run chaos --${which}${words.join('')}\n`);
}

function tell(
  { onProgress, ...asked }: ChaosOptions | ClusterOptions,
  report: ChaosReport | ClusterReport,
  text: string,
): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(values.json ? JSON.stringify({ machine, asked, ...report }, null, 2) : text);
  if (report.violations.length > 0) process.exitCode = 1;
}

/** One line that is written over on a terminal, else a line now and then. On stderr. */
function progress(): (counts: object) => void {
  const every = process.stderr.isTTY ? 100 : 15_000;
  let next = performance.now() + every;
  return (counts) => {
    if (performance.now() < next) return;
    next = performance.now() + every;
    const line = Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  };
}

type Row = [name: string, count: number, note: string];

function words({ connections, kills: wanted }: ChaosOptions, report: ChaosReport): string {
  const { kills } = report;
  return page(report, [
    ...outcomes(report),
    ['extra copies', report.extraCopies, `${each(report, 'extraCopies')}, bound ${connections}`],
    ['most copies', report.mostCopies, ''],
    ['kills', kills, `  of ${wanted}; ${report.startUp} before the first mail of that life`],
    [
      'in doubt',
      report.marked,
      `${each(report, 'marked')}, of which ${report.arrived} had arrived`,
    ],
    ['left the list', report.left, ''],
    ['stored, dropped', report.unanswered, ''],
    ['lost, dropped', report.dropped, ''],
    [
      'refused',
      report.refused.forNow + report.refused.forGood,
      `  ${report.refused.forGood} for good`,
    ],
    ['resumed', report.resumed, ''],
  ]);
}

function clusterWords({ connections, ...wanted }: ClusterOptions, report: ClusterReport): string {
  const { kills, startUp, restarts, freezes, fenced, arrived, causeless } = report;
  return page(report, [
    ...outcomes(report),
    ['extra copies', report.extraCopies, `${each(report, 'extraCopies')}, bound ${connections}`],
    ['  without a kill', causeless, ''],
    ['most copies', report.mostCopies, ''],
    ['kills', kills, `  of ${wanted.kills}; ${startUp} before the first mark of that life`],
    ['restarts', restarts, `  of ${wanted.restarts}`],
    ['freezes', freezes, `  of ${wanted.freezes}; ${fenced} found their chunk with another worker`],
    ['in doubt', report.marked, `${each(report, 'marked')}, of which ${arrived} had arrived`],
    ['left the list', report.left, ''],
    ...Object.entries(report.failures).map(
      ([words, count]): Row => ['gave up', count, `  ${words}`],
    ),
    [
      'in any 10 s',
      report.fastest,
      wanted.rate > 0 ? `  bound ${Math.floor(wanted.rate * 10.2)}` : '',
    ],
    ['ms to stop', report.slowestStop, '  after SIGTERM'],
  ]);
}

function outcomes(report: ChaosReport | ClusterReport): Row[] {
  return [
    ['planned', report.planned, ''],
    ['delivered', report.delivered, ''],
    ['not delivered', report.notDelivered, ''],
    ...Object.entries(report.states).map(([state, n]): Row => [`  ${state}`, n, '']),
  ];
}

function each(report: ChaosReport | ClusterReport, what: 'extraCopies' | 'marked'): string {
  return report.kills > 0 ? `  ${(report[what] / report.kills).toFixed(1)} per kill` : '';
}

function page({ violations, ms, dir }: ChaosReport | ClusterReport, rows: Row[]): string {
  const all: Row[] = [...rows, ['seconds', Math.round(ms / 1_000), '']];
  const table = all.map(([name, n, note]) => `${name.padEnd(16)}${String(n).padStart(8)}${note}`);
  const verdict =
    violations.length === 0
      ? ['No violation of I1 to I11; the database is whole.']
      : [`${violations.length} VIOLATIONS; the files are in ${dir}`, ...violations];
  return [...table, '', ...verdict].join('\n');
}

// So that the sender and the mail server end as well.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
if (values.help) console.log(HELP);
else await main();
