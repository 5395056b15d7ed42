/** A person has the right to be forgotten: everywhere this program has written them down (D-75). */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseAddress } from '../audience/address.ts';
import { forgetAddress } from '../audience/forget.ts';
import { writeAtomically } from './files.ts';
import type { Newsletter } from './newsletter.ts';
import { IMPORTS } from './subscribers.ts';

export interface Forgetting {
  address: string;
  /** Rows that were deleted or emptied, by table. */
  rows: Record<string, number>;
  /** Paths below var/ of mails that were removed. */
  outbox: string[];
  /** Paths below var/ of reports of imports from which lines were taken. */
  reports: string[];
  /** What is left, on purpose. */
  kept: string;
  /** Where this program cannot reach. */
  elsewhere: string[];
}

const ELSEWHERE = [
  'logs of this program, of its container and of the relay',
  'backups and copies of the database',
  'lists and exports that were saved elsewhere',
  'mailboxes: mails that were sent, and reports of bounces in the mailbox of the return path',
];

/** Erases all that is kept of an address. @throws BroadsheetError `address-invalid` */
export async function forget(newsletter: Newsletter, given: string): Promise<Forgetting> {
  const { db, settings, clock, random, stateDir } = newsletter;
  const { address, key } = parseAddress(given);
  const { rows, deliveries } = await forgetAddress(
    db,
    { newsletter: settings.slug, address },
    { now: clock(), random },
  );
  return {
    address,
    rows,
    outbox: removeMails(stateDir, new Set(deliveries), key),
    reports: cleanReports(stateDir, key),
    kept: 'a hash of the address among the suppressions, so that no import brings it back',
    elsewhere: ELSEWHERE,
  };
}

/** Mails are written as `<delivery>-<address>.eml`, in a folder for each campaign; tests under the address alone. */
function removeMails(stateDir: string, deliveries: ReadonlySet<number>, key: string): string[] {
  const named = key.replace(/[^a-z0-9@._-]+/gi, '_').slice(0, 100);
  const mails = filesBelow(join(stateDir, 'outbox')).filter((path) => {
    const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
    const [, id, rest = ''] = /^(\d+)-(.*)$/.exec(name) ?? [];
    if (!name.endsWith('.eml')) return false;
    return deliveries.has(Number(id)) || rest.toLowerCase() === `${named}.eml`;
  });
  for (const mail of mails) rmSync(join(stateDir, 'outbox', mail), { force: true });
  return mails.map((mail) => join('outbox', mail));
}

function cleanReports(stateDir: string, key: string): string[] {
  const dir = join(stateDir, IMPORTS);
  return filesBelow(dir)
    .filter((name) => {
      const path = join(dir, name);
      const lines = readFileSync(path, 'utf8').split('\n');
      const others = lines.filter((line) => !line.toLowerCase().includes(key));
      if (others.length === lines.length) return false;
      writeAtomically(path, others.join('\n'));
      return true;
    })
    .map((name) => join(IMPORTS, name));
}

/** Relative paths of the files in a directory, at whatever depth; none where there is no directory. */
function filesBelow(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
}
