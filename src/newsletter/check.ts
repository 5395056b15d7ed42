/** All checks on one issue, and the gate that stops a send. */
import { checkEmail, checkFile, type Finding } from '../check/check.ts';
import { BroadsheetError } from '../errors.ts';
import type { IssueId } from '../issue/issue.ts';
import { type Composed, compose } from './compose.ts';
import type { Newsletter } from './newsletter.ts';

/** Composes the issue and gives every finding, errors first. */
export async function check(newsletter: Newsletter, id: IssueId): Promise<Finding[]> {
  return findingsOf(await compose(newsletter, id, newsletter.clock()));
}

/**
 * Lets a composed issue pass, or throws with every error found.
 * @param allow ids of findings that a person overrides
 */
export function gate(composed: Composed, allow: readonly string[]): Finding[] {
  const findings = findingsOf(composed);
  const errors = findings.filter(({ severity, id }) => severity === 'error' && !allow.includes(id));
  if (errors.length === 0) return findings;
  throw new BroadsheetError(
    'blocked',
    'checks-failed',
    errors.map(({ id, message, file, line, hint }) => ({
      message: `${message} [${id}]`,
      file,
      line,
      hint,
    })),
  );
}

export function findingsOf(composed: Composed): Finding[] {
  const findings = [
    ...checkFile(composed.text, composed.issue, composed.file),
    ...checkEmail(composed.email, composed.file),
  ];
  const weight = { error: 0, warning: 1, info: 2 };
  return findings.sort((a, b) => weight[a.severity] - weight[b.severity]);
}
