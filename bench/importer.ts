/** One import of a CSV file into an empty list, as the command does it. Prints what it took. */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { importSubscribers } from '../src/audience/csv.ts';
import { openStore } from '../src/store/open.ts';
import { used } from './used.ts';

// As the launcher and the command set them.
setFlagsFromString('--heap-growing-percent=10');
setFlagsFromString('--semi-space-growth-factor=1');

const { STATE_DIR = '', FILE = '' } = process.env;
const { db, close } = await openStore({ stateDir: STATE_DIR });
const result = used();
const report = await importSubscribers(
  db,
  {
    newsletter: 'bench',
    name: basename(FILE),
    input: createReadStream(FILE),
    fields: { company: 'text', born: 'date', plan: ['free', 'paid'] },
  },
  { now: Date.now(), random: randomBytes },
);
console.log(JSON.stringify(result(report.added)));
await close();
