/** One scheduler in a process of its own: ticks once, and says how many slots it handled. */
import { join } from 'node:path';
import { loadSettings } from '../../src/config/load.ts';
import { loadSecrets, localKeys } from '../../src/config/secrets.ts';
import { planDue } from '../../src/newsletter/schedule.ts';
import { openStore } from '../../src/store/open.ts';
import { seededRandom, silent } from '../support/seeded.ts';

const [dir, now] = process.argv.slice(2) as [string, string];
const stateDir = join(dir, 'var');
const secrets = loadSecrets({ dir, env: {} });
const { db, close } = await openStore({ url: secrets.databaseUrl, stateDir });
const handled = await planDue({
  dir,
  stateDir,
  db,
  settings: loadSettings(dir),
  secrets,
  keys: localKeys(stateDir, seededRandom()),
  clock: () => Number(now),
  random: seededRandom(),
  log: silent,
  workerCommand: [],
});
await close();
console.log(handled.length);
