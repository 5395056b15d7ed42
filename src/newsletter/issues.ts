/** The issues of a newsletter as files: where they lie, which there are, what one says. */
import { isUtf8 } from 'node:buffer';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { inputError } from '../errors.ts';
import type { Issue, IssueId } from '../issue/issue.ts';
import { parseIssue } from '../issue/parse.ts';
import type { Newsletter } from './newsletter.ts';

const ISSUE_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** The fields of a newsletter that tell where its issues are. */
export type Place = Pick<Newsletter, 'dir' | 'settings'>;

export interface IssueFile {
  issue: Issue;
  /** The file as it stands, byte for byte. */
  text: string;
  /** Absolute. */
  path: string;
  /** Relative to the newsletter's directory: what people are told. */
  file: string;
}

/** Absolute path of an issue's folder. Throws when the id is no id. */
export function issueDir(place: Pick<Newsletter, 'dir'>, id: IssueId): string {
  if (ISSUE_ID.test(id)) return join(place.dir, 'issues', id);
  throw inputError('issue-id', `"${id}" is not the id of an issue`, {
    hint: 'An id is the name of a folder in issues/: lower-case letters, digits and hyphens, at most 64.',
  });
}

/** Path of an issue's file, for people. */
export function issueFile(id: IssueId): string {
  return `issues/${id}/issue.md`;
}

/** Reads issues/ID/issue.md. Throws when it is missing or no valid issue, with every mistake in it. */
export function readIssue(place: Place, id: IssueId): IssueFile {
  const path = join(issueDir(place, id), 'issue.md');
  const file = relative(place.dir, path).replaceAll('\\', '/');
  if (!existsSync(path)) throw noSuchIssue(place, id, file);
  const text = decoded(readFileSync(path), file);
  const sections = place.settings.sections;
  const issue = parseIssue(text, { id, file, language: place.settings.language, sections });
  return { issue, text, path, file };
}

/** A byte that is no UTF-8 would otherwise be mailed as a question mark in a box. */
function decoded(bytes: Buffer, file: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  const before = bytes.subarray(0, firstInvalid(bytes)).toString('utf8');
  throw inputError('issue-encoding', 'The file is not valid UTF-8', {
    file,
    line: before.split('\n').length,
    hint: 'Save it as UTF-8; nothing in it was changed.',
  });
}

/** Offset of the line with the first byte that is no UTF-8. */
function firstInvalid(bytes: Buffer): number {
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(10, start) + 1;
    if (end === 0 || !isUtf8(bytes.subarray(start, end))) return start;
    start = end;
  }
}

/** Ids of the folders in issues/ that hold an issue.md, newest name first. */
export function issueIds(place: Pick<Newsletter, 'dir'>): IssueId[] {
  const dir = join(place.dir, 'issues');
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((id) => ISSUE_ID.test(id) && existsSync(join(dir, id, 'issue.md')))
    .sort()
    .reverse();
}

function noSuchIssue(place: Place, id: IssueId, file: string) {
  const known = issueIds(place);
  const hint = existsSync(issueDir(place, id))
    ? `Make it with: broadsheet draft issues/${id}/<source>`
    : known.length > 0
      ? `Issues here: ${known.slice(0, 5).join(', ')}${known.length > 5 ? ', …' : ''}`
      : 'There are no issues here yet. Begin with: broadsheet draft <source> --issue <id>';
  return inputError('issue-missing', `There is no ${file}`, { hint });
}
