/** Somebody puts their name to an issue as it stands. */
import { readFileSync } from 'node:fs';
import { blockedError, inputError } from '../errors.ts';
import { setApproval } from '../issue/edit.ts';
import type { Approval, IssueId } from '../issue/issue.ts';
import { gate } from './check.ts';
import { compose } from './compose.ts';
import { writeAtomically } from './files.ts';
import type { Newsletter } from './newsletter.ts';

/**
 * Checks the issue and writes the approval into its front matter, changing nothing else.
 * @param by who approves; absent: the editor of the settings
 * @param allow ids of findings that they override
 */
export async function approve(
  newsletter: Newsletter,
  id: IssueId,
  by = newsletter.settings.editor,
  allow: readonly string[] = [],
): Promise<Approval> {
  if (!by) throw whoApproves();
  const now = newsletter.clock();
  const composed = await compose(newsletter, id, now);
  await gate(newsletter, composed, allow);
  const approval = {
    by,
    at: localTime(now, newsletter.settings.schedule?.zone),
    hash: composed.hash,
  };
  if (readFileSync(composed.path, 'utf8') !== composed.text) throw changedMeanwhile(composed.file);
  writeAtomically(composed.path, setApproval(composed.text, approval));
  return approval;
}

/** ISO 8601 to the minute with the zone's offset: `2023-09-16T18:00+08:00`. */
function localTime(now: number, zone = 'UTC'): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  }).format(now);
  const offset = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(now)
    .find((part) => part.type === 'timeZoneName')?.value;
  return `${parts.replace(', ', 'T')}${offset === 'GMT' ? '+00:00' : offset?.slice(3)}`;
}

function whoApproves() {
  return inputError('approver-unknown', 'Who approves?', {
    hint: 'Say it with --by ADDRESS, or set "editor" in config/newsletter.yaml.',
  });
}

function changedMeanwhile(file: string) {
  return blockedError(
    'issue-changed',
    'The file changed while it was checked; nothing was written',
    {
      file,
      hint: 'Save it and approve again.',
    },
  );
}
