/** Readers from a file, or from another tool. */
import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Standing } from '../audience/consent.ts';
import { standingOf } from '../audience/consent.ts';
import { importSubscribers, refusedLines } from '../audience/csv.ts';
import { TOOLS, type Tool } from '../audience/foreign.ts';
import { importListmonk, type ListmonkInput } from '../audience/listmonk.ts';
import type { ImportReport, RefusedRow } from '../audience/merge.ts';
import { inputError } from '../errors.ts';
import { rememberingDomains, systemResolver } from './mail-domain.ts';
import type { Newsletter } from './newsletter.ts';
import { IMPORTS } from './subscribers.ts';

export interface ImportFile {
  delimiter?: string | undefined;
  encoding?: string | undefined;
  /** Whose export the file is. */
  from?: string | undefined;
  /** `email` or a field of the settings → the header in the file. */
  columns?: Record<string, string> | undefined;
  tags?: readonly string[] | undefined;
  language?: string | undefined;
  /** What the readers are whose row does not say worse. */
  state?: string | undefined;
  /** Asks the DNS whether each domain takes mail, and refuses the rows of those that do not (D-66). */
  checkDomains?: boolean | undefined;
  /** Takes names, languages, fields and tags over for readers who are on the list; never consent. */
  update?: boolean | undefined;
  dryRun?: boolean | undefined;
  /** Where the refused rows are written; absent: in var/imports/. */
  report?: string | undefined;
  onRefused?: (row: RefusedRow) => void;
  /** Bytes that were read, and of the file. */
  onProgress?: (done: number, total: number) => void;
}

export interface ImportResult extends ImportReport {
  /** The file with the refused rows; null where there is none. */
  report: string | null;
}

/**
 * Imports a CSV file. It is read to its end before anything is written, so that a file that breaks
 * off half-way changes nothing.
 */
export async function importFile(
  newsletter: Newsletter,
  path: string,
  options: ImportFile,
  resolver = systemResolver(),
): Promise<ImportResult> {
  const { db, settings, clock, random } = newsletter;
  const size = sizeOf(path);
  const { onRefused, onProgress, from, state, report, checkDomains, ...rest } = options;
  const common = commonOf({ from, state });
  return withReport(reportPath(newsletter, path, report), onRefused, (refuse) =>
    importSubscribers(
      db,
      {
        ...rest,
        ...common,
        newsletter: settings.slug,
        fields: settings.fields,
        takesMail: checkDomains ? rememberingDomains(resolver, clock) : undefined,
        input: createReadStream(path),
        name: basename(path),
        onRefused: refuse,
        onProgress: (bytes) => onProgress?.(bytes, size),
      },
      { now: clock(), random },
    ),
  );
}

/**
 * Imports from the database of listmonk, which knows what its CSV does not: who left a list and who has not
 * confirmed. Only reads there.
 * @param lists names of its lists; none: all
 */
export function importFromListmonk(
  newsletter: Newsletter,
  {
    lists,
    tags,
    language,
    dryRun,
    report,
    onRefused,
  }: Pick<ImportFile, 'tags' | 'language' | 'dryRun' | 'report' | 'onRefused'> &
    Pick<ListmonkInput, 'lists'>,
): Promise<ImportResult> {
  const { db, settings, secrets, clock, random } = newsletter;
  const url = secrets.listmonkUrl;
  if (!url) {
    throw inputError('listmonk-url-missing', 'LISTMONK_DATABASE_URL is not set', {
      hint: 'Set it to postgres://user:password@host/listmonk (a user that may read is enough), or name a CSV file.',
    });
  }
  const input = {
    url,
    lists,
    newsletter: settings.slug,
    fields: settings.fields,
    tags,
    language,
    dryRun,
  };
  return withReport(reportPath(newsletter, 'listmonk', report), onRefused, (refuse) =>
    importListmonk(db, { ...input, onRefused: refuse }, { now: clock(), random }),
  );
}

function commonOf({ from, state }: Pick<ImportFile, 'from' | 'state'>): {
  from: Tool | undefined;
  standing: Standing | undefined;
} {
  const tool = TOOLS.find((name) => name === from);
  if (from !== undefined && !tool) {
    throw inputError('tool-unknown', `Exports of "${from}" are not known`, {
      hint: `Known: ${TOOLS.join(', ')}. Any other CSV file is read by its headers, or by --column.`,
    });
  }
  const standing = state === undefined ? undefined : standingOf(state);
  if (state === undefined || standing) return { from: tool, standing };
  throw inputError('state-unknown', `No reader is "${state}"`, {
    hint: 'States: active, pending, unsubscribed, suppressed.',
  });
}

function reportPath({ stateDir }: Newsletter, source: string, given?: string): string {
  const name = basename(source).replace(/\.csv$/i, '');
  return given ?? join(stateDir, IMPORTS, `${name}.refused.csv`);
}

/** Writes what is refused into a file as it comes; without any there is no file. */
async function withReport(
  path: string,
  onRefused: ImportFile['onRefused'],
  work: (refuse: (row: RefusedRow) => void) => Promise<ImportReport>,
): Promise<ImportResult> {
  let file: ReturnType<typeof createWriteStream> | undefined;
  const refuse = (row: RefusedRow) => {
    if (!file) {
      mkdirSync(dirname(path), { recursive: true });
      // Addresses stand in it: for this user alone.
      file = createWriteStream(path, { mode: 0o600 });
      file.write('line,reason,value\n');
    }
    file.write(refusedLines([row]));
    onRefused?.(row);
  };
  // That of an earlier import of the file says nothing of this one.
  rmSync(path, { force: true });
  try {
    const report = await work(refuse);
    return { ...report, report: file ? path : null };
  } finally {
    const open = file;
    if (open) await new Promise<void>((done) => open.end(() => done()));
  }
}

function sizeOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile()) return stat.size;
  throw inputError('file-missing', `There is no file ${path}`);
}
