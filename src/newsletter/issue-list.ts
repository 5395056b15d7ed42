/** The issues at a glance: how far each has come. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { IssueId } from '../issue/issue.ts';
import { loadTemplates, type Templates } from '../render/templates.ts';
import { hashToApprove } from './compose.ts';
import { sha256 } from './draft.ts';
import { type IssueFile, issueDir, issueIds, readIssue } from './issues.ts';
import type { Newsletter } from './newsletter.ts';

/**
 * `draft`: as the machine wrote it; `edited`: an editor's; `approved`: as it stands; then its campaign's.
 * `broken`: the file cannot be read.
 */
export type IssueState = 'draft' | 'edited' | 'approved' | 'sending' | 'sent' | 'broken';

export interface ListedIssue {
  id: IssueId;
  title: string;
  /** `YYYY-MM-DD`; empty where the file cannot be read. */
  date: string;
  state: IssueState;
  /** There is a draft.json to review it by. */
  drafted: boolean;
  /** What is wrong with the file; empty when it can be read. */
  problem: string;
}

/** Every issue of the directory, newest first. */
export async function issueList(newsletter: Newsletter): Promise<ListedIssue[]> {
  const campaigns = await campaignStates(newsletter);
  const templates = templatesOf(newsletter);
  return issueIds(newsletter).map((id) => {
    const drafted = existsSync(join(issueDir(newsletter, id), 'draft.json'));
    try {
      const file = readIssue(newsletter, id);
      const state = campaigns.get(id) ?? stateOf(newsletter, file, templates);
      return { id, title: file.issue.title, date: file.issue.date, state, drafted, problem: '' };
    } catch (error) {
      const problem = (error as Error).message;
      return { id, title: id, date: '', state: 'broken', drafted, problem };
    }
  });
}

/** Templates that are broken approve nothing, and the list is shown all the same. */
function templatesOf({ dir, settings }: Newsletter): Templates | undefined {
  try {
    return loadTemplates(dir, settings.template);
  } catch {
    return undefined;
  }
}

async function campaignStates({ db, settings }: Newsletter): Promise<Map<string, IssueState>> {
  const rows = await db
    .selectFrom('campaigns')
    .select(['issue', 'state'])
    .where('newsletter', '=', settings.slug)
    .where('state', '<>', 'cancelled')
    .orderBy('id')
    .execute();
  return new Map(
    rows.map(({ issue, state }) => [issue, state === 'finished' ? 'sent' : 'sending'] as const),
  );
}

function stateOf(
  newsletter: Newsletter,
  file: IssueFile,
  templates: Templates | undefined,
): IssueState {
  const { approved } = file.issue;
  if (approved && templates && approved.hash === hashToApprove(newsletter, file, templates))
    return 'approved';
  return hashAsDrafted(newsletter, file.issue.id) === sha256(file.text) ? 'draft' : 'edited';
}

/** Bytes at the end of draft.json that hold its hash; the whole may have tens of megabytes. */
const TAIL = 200;

function hashAsDrafted(newsletter: Newsletter, id: IssueId): string | undefined {
  const path = join(issueDir(newsletter, id), 'draft.json');
  if (!existsSync(path)) return undefined;
  const file = openSync(path, 'r');
  try {
    const end = Buffer.alloc(TAIL);
    const read = readSync(file, end, 0, TAIL, Math.max(0, statSync(path).size - TAIL));
    return /"hash": "([^"]+)"/.exec(end.toString('utf8', 0, read))?.[1];
  } finally {
    closeSync(file);
  }
}
