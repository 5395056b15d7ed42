/** Those who send: each a process of its own, to a port of this machine. */
import { execFile, spawnSync } from 'node:child_process';
import { constants, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KEY_FILE, type Material, planned } from './campaign.ts';
import { compiled } from './compiled.ts';
import type { Used } from './used.ts';

export interface Contestant {
  name: string;
  mails: number;
  send(port: number): Promise<Used>;
}

/** What all contestants of a run have in common. */
export interface Field {
  material: Material;
  connections: number;
}

const run = promisify(execFile);
/** Debian puts Postfix where only root looks. */
export const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** As the launcher and the command start a worker. */
const WORKER_FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=10'];

/** The sender with its ledger, on a fresh copy of a planned campaign; compiled, and with its worker's flags. */
export function broadsheet(
  field: Field,
  mails: number,
  options: { dkim?: boolean; ledger?: boolean } = {},
): Contestant {
  const { dir } = field.material;
  const { dkim, ledger = true } = options;
  const program = join(compiled(), 'bench', ledger ? 'broadsheet.js' : 'unmarked.js');
  const send = async (port: number) => {
    const stateDir = mkdtempSync(join(dir, 'state-'));
    const database = await planned(field.material, mails);
    copyFileSync(database, join(stateDir, 'broadsheet.db'), constants.COPYFILE_FICLONE);
    const settings = { STATE_DIR: stateDir, MAILS: String(mails), ...keyOf(field, dkim) };
    const result = await child(field, port, settings, ...WORKER_FLAGS, program);
    rmSync(stateDir, { recursive: true });
    return result;
  };
  const name = `Broadsheet${dkim ? ', DKIM' : ''}${ledger ? '' : ', no ledger'}`;
  return { name, mails, send };
}

export function nodemailer(
  field: Field,
  mails: number,
  options: { base64?: boolean; dkim?: boolean } = {},
): Contestant {
  const settings = {
    MESSAGE: join(field.material.dir, 'message.json'),
    MAILS: String(mails),
    ...(options.base64 ? { ENCODING: 'base64' } : {}),
    ...keyOf(field, options.dkim),
  };
  const tuning = options.dkim ? ', DKIM' : options.base64 ? ', base64' : ' pool';
  const program = join(import.meta.dirname, 'nodemailer.ts');
  const send = (port: number) => child(field, port, settings, program);
  return { name: `nodemailer${tuning}`, mails, send };
}

/** Postfix's load generator: the same bytes for everybody. Of a program that is not ours the memory is not known. */
export function smtpSource({ material, connections }: Field, mails: number): Contestant {
  const words = `smtp-source -4 -s ${connections} -m ${mails} -F "$1" -f ${material.sender} -t reader@example.com 127.0.0.1:$2`;
  const send = async (port: number) => {
    const begun = performance.now();
    const file = join(material.dir, 'message.eml');
    const { stdout } = await run('sh', ['-c', `${words} && times`, 'sh', file, `${port}`], { env });
    const ms = performance.now() - begun;
    return { mails, ms, cpuMs: childrensCpu(stdout), rssMb: Number.NaN };
  };
  return { name: 'smtp-source', mails, send };
}

export function hasSmtpSource(): boolean {
  return spawnSync('smtp-source', ['-?'], { env }).error === undefined;
}

/** POSIX `times` prints user and system time of the shell, then of its children. @returns ms */
function childrensCpu(times: string): number {
  const [, children = ''] = times.trim().split('\n');
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000,
    0,
  );
}

function keyOf({ material }: Field, dkim = false): { DKIM_KEY?: string } {
  return dkim ? { DKIM_KEY: join(material.dir, KEY_FILE) } : {};
}

/** Runs a program. @param words flags of Node, then its file */
async function child(
  field: Field,
  port: number,
  settings: Record<string, string>,
  ...words: string[]
): Promise<Used> {
  const { stdout } = await run(process.execPath, words, {
    env: {
      ...process.env,
      ...settings,
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      CONNECTIONS: String(field.connections),
    },
  });
  return JSON.parse(stdout) as Used;
}
