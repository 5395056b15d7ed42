/** What somebody put their name to. */
import { createHash } from 'node:crypto';
import { withoutApproval } from './edit.ts';

export interface ApprovedParts {
  /** The issue file; its approval line does not count, nor does the kind of its line endings. */
  text: string;
  /** Fingerprint of the mail's template. */
  template: string;
  /** Whom it is for. */
  audience: string;
  /** Whom it comes from. */
  sender: string;
  /** What else changes the mail: fingerprints of its pictures, whether links are counted. In a fixed order. */
  further?: readonly string[];
}

/** `sha256:<hex>` over all parts; a change of any of them gives another one. */
export function approvalHash(parts: ApprovedParts): string {
  const { text, template, audience, sender, further = [] } = parts;
  const words = withoutApproval(text).replace(/\r\n/g, '\n');
  // JSON keeps the parts apart: no text can move from one into the next.
  const framed = JSON.stringify([words, template, audience, sender, ...further]);
  return `sha256:${createHash('sha256').update(framed).digest('hex')}`;
}
