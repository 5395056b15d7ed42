/** How long a list takes to come in: addresses in random order, every row checked, into an empty SQLite. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compiled } from './compiled.ts';
import { median, type Table } from './report.ts';
import { temporary } from './temporary.ts';
import type { Used } from './used.ts';

const FILES = {
  'address and name': { header: 'email,name', row: (name: string) => name },
  'with tags, three fields and consent': {
    header: 'email,name,language,tags,company,born,plan,consent source,consent date',
    row: (name: string, at: number) =>
      `${name},en,ai news,ACME ${at % 100},19${50 + (at % 50)}-0${1 + (at % 9)}-11,${at % 3 ? 'free' : 'paid'},form https://example.com/join,2024-0${1 + (at % 9)}-12T10:00:00Z`,
  },
};

/** @param rows readers of a file; of each file so many imports */
export function importing(rows: number, rounds: number): Table {
  const dir = temporary('import');
  const runs = Object.entries(FILES).map(([name, { header, row }], at) => {
    const file = join(dir, `${at}.csv`);
    write(file, rows, header, row);
    return { name, file, took: [] as Used[] };
  });
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, file, took } of runs) {
      const used = importOnce(dir, file);
      if (used.mails !== rows) throw new Error(`${name}: ${used.mails} of ${rows} came in`);
      took.push(used);
      console.error(`round ${round}: ${name} ${(used.ms / 1000).toFixed(1)} s`);
    }
  }
  const over = (took: Used[], figure: (used: Used) => number) => median(took.map(figure));
  return {
    about: `Import of ${rows} rows in random order, every one checked; medians of ${rounds}`,
    rows: runs.map(({ name, took }) => ({
      file: name,
      s: over(took, ({ ms }) => ms / 1000),
      'CPU s': over(took, ({ cpuMs }) => cpuMs / 1000),
      'rows/s': over(took, ({ mails, ms }) => mails / (ms / 1000)),
      'peak MB': over(took, ({ rssMb }) => rssMb),
    })),
  };
}

function importOnce(dir: string, file: string): Used {
  const stateDir = join(dir, 'state');
  rmSync(stateDir, { recursive: true, force: true });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(compiled(), 'bench', 'importer.js')],
    { encoding: 'utf8', env: { ...process.env, STATE_DIR: stateDir, FILE: file } },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Used;
}

/** A step that has no divisor in common with the number of rows visits each of them, in no order to speak of. */
function write(
  path: string,
  rows: number,
  header: string,
  row: (name: string, at: number) => string,
): void {
  const file = openSync(path, 'w');
  let text = `${header}\n`;
  for (let at = 0; at < rows; at += 1) {
    const who = (at * 7919) % rows;
    // Multiplied by an odd number, the numbers below 2 ** 32 only change places.
    const local = (Math.imul(who + 1, 2_654_435_761) >>> 0).toString(36);
    text += `${row(`${local}@example${who % 977}.com,Reader ${who}`, who)}\n`;
    if (text.length > 65_536 || at === rows - 1) {
      writeSync(file, text);
      text = '';
    }
  }
  closeSync(file);
}
