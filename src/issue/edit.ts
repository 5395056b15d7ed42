/** Edits of the issue file that change one span and leave every other byte alone. */
import { formatApproval } from './format.ts';
import type { Approval } from './issue.ts';

/** Puts the approval into the head, replaces it, or with null takes it out. Line endings stay as they are. */
export function setApproval(text: string, approval: Approval | null): string {
  const head = /^(\uFEFF?---[ \t]*\r?\n)([\s\S]*?)(^---[ \t]*(?:\r?\n|$))/m.exec(text);
  if (!head) return text;
  const [, open = '', fields = '', close = ''] = head;
  const eol = open.endsWith('\r\n') ? '\r\n' : '\n';
  const others = fields.replace(/^approved:.*(?:\r?\n|$)/gm, '');
  const line = approval ? `approved: ${formatApproval(approval)}${eol}` : '';
  return open + others + line + close + text.slice(head[0].length);
}

/** The text that an approval stands for: all of it but the approval itself. */
export function withoutApproval(text: string): string {
  return setApproval(text, null);
}
