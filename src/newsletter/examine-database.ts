/** The database under examination: whether it opens, what and where it is, and whether this installation sends from it. */
import { existsSync } from 'node:fs';
import { accountProblems } from '../check/account.ts';
import { type Examination, examining } from '../check/examination.ts';
import { BroadsheetError } from '../errors.ts';
import { isPostgresUrl, openStore, type Store } from '../store/open.ts';
import { pathOf } from '../store/sqlite.ts';
import type { Patient } from './doctor.ts';
import { isHome } from './installation.ts';
import { personalAccountOf } from './personal-account.ts';

/** Opens it as every command does, which brings its tables up to date; makes none where there is none. */
export async function examineDatabase(patient: Patient): Promise<Examination[]> {
  const { secrets, stateDir } = patient;
  const url = secrets.databaseUrl;
  const says = examining('database', 'Database');
  try {
    const path = url && isPostgresUrl(url) ? null : pathOf(url, stateDir);
    if (path && !existsSync(path))
      return [says('ok', `There is none yet; the first command that needs it makes ${path}`)];
    const store = await openStore({ url, stateDir });
    try {
      const kind = path ? 'SQLite' : 'PostgreSQL';
      const opens = says('ok', `${kind}, ${store.path}: opens, its tables are up to date`);
      return [opens, await examineHome(patient, store), ...(await examineAccount(patient, store))];
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof BroadsheetError)) throw error;
    return error.problems.map(({ message, file, hint }) =>
      says('fail', file ? `${file}: ${message}` : message, hint),
    );
  }
}

async function examineHome(patient: Patient, { db }: Store): Promise<Examination> {
  const says = examining('home', 'Who sends from it');
  const home = await isHome({ ...patient, db });
  if (home === null) return says('ok', 'Nobody has yet; who sends first is the one');
  if (home) return says('ok', 'This installation');
  const fix = 'See that the other one does not send any more, and run: broadsheet schedule adopt';
  return says('fail', 'Another installation: this database is a copy or a restored backup', fix);
}

/** D-49: what a personal mailbox refuses. */
async function examineAccount(patient: Patient, { db }: Store): Promise<Examination[]> {
  const account = await personalAccountOf({ ...patient, db });
  if (!account) return [];
  const says = examining('personal-account', `Personal account ${account.address}`);
  const problems = accountProblems(account, patient.settings.sender.address);
  if (problems.length === 0)
    return [
      says(
        'ok',
        'The password in SMTP_URL is its authorisation code (授权码), not that of the web',
      ),
    ];
  return problems.map(({ message, hint }) => says('warn', message, hint));
}
