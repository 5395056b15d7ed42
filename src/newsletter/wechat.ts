/** An issue to be pasted into a WeChat official account. */
import type { IssueId } from '../issue/issue.ts';
import { renderForWechat } from '../render/wechat.ts';
import { readIssue } from './issues.ts';
import type { Newsletter } from './newsletter.ts';

/** @returns HTML with inline styles alone */
export function forWechat(newsletter: Newsletter, id: IssueId): string {
  return renderForWechat(readIssue(newsletter, id).issue, newsletter.settings);
}
