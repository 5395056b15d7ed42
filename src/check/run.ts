/** All checks, and what they find. */
import { ACCOUNT_CHECKS } from './account.ts';
import { type Check, type Context, type Finding, OWN_PAGE } from './check.ts';
import { CONTRAST_CHECKS } from './contrast.ts';
import { DUTY_CHECKS } from './duties.ts';
import { HTML_CHECKS } from './html.ts';
import { ISSUE_CHECKS } from './issue.ts';
import { LINK_CHECKS } from './links.ts';
import { MESSAGE_CHECKS } from './message.ts';
import { PICTURE_CHECKS } from './pictures.ts';
import { SUPPORT_CHECKS } from './support.ts';

export const FAMILIES: Record<string, readonly Check[]> = {
  'The issue': ISSUE_CHECKS,
  Links: LINK_CHECKS,
  HTML: HTML_CHECKS,
  Pictures: PICTURE_CHECKS,
  Contrast: CONTRAST_CHECKS,
  'Mail programs': SUPPORT_CHECKS,
  'Duties to readers': DUTY_CHECKS,
  'The message': MESSAGE_CHECKS,
  'The relay': ACCOUNT_CHECKS,
};

export const CHECKS: readonly Check[] = Object.values(FAMILIES).flat();

const WEIGHT = { error: 0, warning: 1, info: 2 };

/** Runs checks, all of them by default. @returns errors first, then in the order of the file */
export async function runChecks(
  context: Context,
  checks: readonly Check[] = CHECKS,
): Promise<Finding[]> {
  const found = await Promise.all(checks.map((check) => findingsOf(check, context)));
  return found
    .flat()
    .sort(
      (a, b) =>
        WEIGHT[a.severity] - WEIGHT[b.severity] ||
        order(a.file, b.file, context.file) ||
        (a.line ?? 0) - (b.line ?? 0),
    );
}

async function findingsOf(
  { find, id, severity, reason, source, url }: Check,
  context: Context,
): Promise<Finding[]> {
  const found = [...(await find(context))];
  return found.map(({ file = context.file, ...one }) => ({
    id,
    severity,
    file,
    ...one,
    reason,
    source,
    url: url === OWN_PAGE ? `${url}#${id}` : url,
  }));
}

/** The editor's own file first, others by name. */
function order(a: string, b: string, first: string): number {
  if (a === b) return 0;
  if (a === first || b === first) return a === first ? -1 : 1;
  return a < b ? -1 : 1;
}
