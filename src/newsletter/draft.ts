/** Sources become an issue: what the machine does before an editor takes over. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { composeIssue } from '../editorial/compose.ts';
import { draftSources } from '../editorial/draft.ts';
import { withFollowUps } from '../editorial/followups.ts';
import { blockedError, inputError } from '../errors.ts';
import type { Draft } from '../issue/draft.ts';
import { formatDraft } from '../issue/draft-json.ts';
import { formatIssue } from '../issue/format.ts';
import { isCalendarDate } from '../issue/front-matter.ts';
import type { IssueId } from '../issue/issue.ts';
import { type FoundSource, readSource } from '../sources/read.ts';
import { dateOfIssue, titleOfIssue } from './calendar.ts';
import { writeAtomically } from './files.ts';
import { issueDir } from './issues.ts';
import type { Newsletter } from './newsletter.ts';
import { toldBefore } from './told.ts';

/** Drafting needs neither database nor secrets. */
export type Desk = Pick<Newsletter, 'dir' | 'settings' | 'clock'>;

export interface DraftInput {
  /** Paths of the sources. */
  sources: string[];
  /** Absent: the folder, when the sources lie in issues/ID/. */
  issue?: IssueId | undefined;
  /** Declared encoding of the sources, e.g. `gbk`; absent: detected. */
  encoding?: string | undefined;
  title?: string | undefined;
  /** `YYYY-MM-DD`. */
  date?: string | undefined;
  /** Offsets into the only source at which an item begins, and at which none does, against the engine. */
  split?: number[] | undefined;
  join?: number[] | undefined;
  /** Overwrite an issue.md that was edited. */
  force?: boolean | undefined;
  /** Write here instead of the issue's folder; the demonstration does. */
  into?: string | undefined;
}

export interface Drafted {
  draft: Draft;
  issue: IssueId;
  /** Absolute paths of what was written. */
  issueFile: string;
  draftFile: string;
  /** Marks left for the editor in issue.md. */
  checks: number;
}

/** Only computes the draft, as `draft --json` prints it. Writes nothing. */
export async function draftOnly(desk: Desk, input: DraftInput): Promise<Draft> {
  return draftSources(await readSources(input), desk.settings);
}

/** Drafts and writes draft.json and issue.md into the issue's folder; copies the sources in. */
export async function draft(desk: Desk, input: DraftInput): Promise<Drafted> {
  const id = input.issue ?? issueOfSources(desk, input.sources);
  const folder = input.into ?? issueDir(desk, id);
  const issueFile = join(folder, 'issue.md');
  const draftFile = join(folder, 'draft.json');
  const head = headOf(desk, id, input);
  if (!input.force) refuseEdited(issueFile, draftFile);
  const sources = await readSources(input);
  const found = draftSources(sources, desk.settings);
  const earlier = toldBefore(desk, id, head.date);
  const result = withFollowUps(found, sources, earlier, desk.settings);
  const text = formatIssue(composeIssue(result, sources, desk.settings, head));
  keepSources(input.sources, sources, folder);
  writeAtomically(draftFile, formatDraft(result, sha256(text)));
  writeAtomically(issueFile, text);
  const checks = text.split('<!-- check:').length - 1;
  return { draft: result, issue: id, issueFile, draftFile, checks };
}

function headOf(desk: Desk, id: IssueId, input: DraftInput) {
  const date = realDate(input.date ?? dateOfIssue(id, desk.settings.schedule, desk.clock()));
  const title = input.title ?? titleOfIssue(id, desk.settings);
  return { id, title, date, language: desk.settings.language };
}

/** @throws BroadsheetError for the 30th of February, whether it is said or part of the id */
function realDate(date: string): string {
  if (isCalendarDate(date)) return date;
  throw inputError('date-invalid', `"${date}" is no date of the calendar`, {
    hint: 'A date is written YYYY-MM-DD, such as 2023-09-17.',
  });
}

export async function readSources(input: DraftInput): Promise<FoundSource[]> {
  const options = input.encoding ? { encoding: input.encoding } : {};
  const sources: FoundSource[] = [];
  for (const path of input.sources) sources.push(await readSource(path, options));
  refuseTwins(sources);
  return sources.map((source) => withOverrides(source, input));
}

/** Sources lie side by side in the issue's folder, and offsets name them. */
function refuseTwins(sources: readonly FoundSource[]): void {
  const names = sources.map(({ name }) => name);
  const twin = names.find((name, at) => names.indexOf(name) !== at);
  if (!twin) return;
  throw inputError('source-twice', `Two sources are called ${twin}`, {
    hint: 'Rename one of them: both are kept in the issue’s folder.',
  });
}

/** @throws BroadsheetError where it cannot be known which source is meant, or an offset lies outside */
function withOverrides(source: FoundSource, input: DraftInput): FoundSource {
  const { split = [], join = [], sources } = input;
  if (split.length + join.length === 0) return source;
  const outside = [...split, ...join].find((at) => !(at > 0 && at < source.text.length));
  if (sources.length === 1 && outside === undefined)
    return { ...source, overrides: { split, join } };
  throw inputError(
    'offset-invalid',
    outside === undefined
      ? 'Offsets can be given for one source only'
      : `${outside} lies outside the text, which has ${source.text.length} characters`,
    { file: source.name, hint: 'Take the offsets of segments from draft.json.' },
  );
}

/** The id when every source lies in one folder issues/ID/. */
export function issueOfSources(desk: Desk, paths: string[]): IssueId {
  const home = resolve(desk.dir, 'issues');
  const ids = new Set(paths.map((path) => relative(home, resolve(path)).split(sep)[0] ?? ''));
  const [id] = ids;
  const inside = paths.every((path) => dirname(dirname(resolve(path))) === home);
  if (inside && ids.size === 1 && id) return id;
  throw inputError('issue-unnamed', 'Which issue is it for?', {
    hint: 'Say it with --issue ID (the folder issues/ID/ is made), or put the source into issues/ID/ first.',
  });
}

/** An issue.md that differs from what was drafted belongs to its editor. */
function refuseEdited(issueFile: string, draftFile: string): void {
  if (!existsSync(issueFile)) return;
  const drafted = existsSync(draftFile) ? readHash(draftFile) : undefined;
  if (drafted === sha256(readFileSync(issueFile, 'utf8'))) return;
  throw blockedError(
    'issue-edited',
    'The issue was edited since it was drafted; nothing was written',
    {
      file: issueFile,
      hint: 'Use --force to throw the edited text away, or --issue ID for another issue.',
    },
  );
}

function readHash(draftFile: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(draftFile, 'utf8')) as { hash?: string }).hash;
  } catch {
    return undefined;
  }
}

/** Offsets lead back to the sources only as long as these lie beside the draft. */
export function keepSources(given: string[], sources: FoundSource[], folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [at, { name, fetched }] of sources.entries()) {
    const target = join(folder, name);
    const path = given[at] as string;
    if (fetched) writeAtomically(target, fetched);
    else if (resolve(path) !== resolve(target)) copyFileSync(path, target);
  }
}

export function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
