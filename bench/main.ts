/** `npm run bench`: whole campaigns against nodemailer's pool and Postfix, every comparison in one run. */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { markdown, type Table } from './report.ts';
import { FEWEST_ITEMS, ITEMS, type Options, suites } from './suites.ts';

const HELP = `npm run bench -- [SUITE ...] [options]

  send      nodemailer's pool, Postfix's smtp-source and Broadsheet against a fast sink (what runs without a name)
  dkim      nodemailer and Broadsheet, both signing
  delay     every reply 20 ms late, as from a relay elsewhere
  ledger    Broadsheet with and without its ledger, over 50 connections
  postfix   smtp-source and Broadsheet against a real Postfix; as root, and leaves the system's alone
  growth    5 and 50 times the list, with the small issue; takes minutes
  cluster   1, 2 and 4 workers on PostgreSQL and no relay, against SKIP LOCKED; planning
  import    CSV files of 50 times the list into an empty list
  start     the command line against a bare node
  preview   from a save to the change in the studio's frame, in Chromium
  all       all of them

  --mails N        length of the list (20000, a multiple of 20); who is slow gets a part of it
  --rounds N       medians over so many (3)
  --connections N  (20)
  --items N        items of the issue (${ITEMS}: HTML of 80 kB)
  --small          an issue of ${FEWEST_ITEMS} item
  --json           one object with everything

One contestant after the other in each round; every mail is counted where it arrives. smtp-source comes with
Debian's package postfix; without it its row is left out.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mails: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '20' },
    items: { type: 'string' },
    small: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const names = positionals.includes('all') ? Object.keys(suites) : positionals;
  const wanted = names.length > 0 ? names : ['send'];
  const options: Options = {
    mails: count('mails', values.mails),
    rounds: count('rounds', values.rounds),
    connections: count('connections', values.connections),
    items: count('items', values.items ?? String(values.small ? FEWEST_ITEMS : ITEMS)),
  };
  if (options.mails % 20 > 0) throw new Error('--mails takes a multiple of 20');
  const unknown = wanted.find((name) => !Object.hasOwn(suites, name));
  if (unknown) throw new Error(`There is no suite "${unknown}"; see --help`);
  const [{ model = '' } = {}] = cpus();
  const machine = `Node ${process.versions.node}, ${process.platform}, ${availableParallelism()} × ${model}`;
  const tables: Record<string, Table> = {};
  if (!values.json) console.log(`${machine}\n`);
  for (const name of wanted) {
    const table = await suites[name]?.(options);
    if (!table) continue;
    tables[name] = table;
    if (!values.json) console.log(`${markdown(table)}\n`);
  }
  if (values.json) console.log(JSON.stringify({ machine, options, suites: tables }, null, 2));
}

function count(name: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a number above 0, not "${text}"`);
}

// So that what runs in the background ends as well.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
if (values.help) console.log(HELP);
else await main();
