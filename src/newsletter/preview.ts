/** What will be sent, byte for byte: composed for a sample reader and read back from the message. */
import { createHash } from 'node:crypto';
import type { Finding } from '../check/check.ts';
import type { IssueId } from '../issue/issue.ts';
import { sign } from '../message/dkim.ts';
import { fill } from '../message/program.ts';
import { readMessage } from '../message/read.ts';
import { findingsOf } from './check.ts';
import { compose } from './compose.ts';
import type { Newsletter } from './newsletter.ts';
import { signerOf } from './signer.ts';

export interface Preview {
  issue: IssueId;
  title: string;
  approved: boolean;
  /** The whole message as it would go over the wire. */
  mime: Buffer;
  subject: string;
  preheader: string;
  from: string;
  html: string;
  text: string;
  mjml: string;
  /** SHA-256 of the HTML part's bytes, hex. */
  hash: string;
  findings: Finding[];
}

const SAMPLE = { delivery: 'preview', address: 'reader@example.net', name: null, token: 'preview' };

/** Composes one message and takes it apart again; what is shown is what the bytes say. */
export async function preview(newsletter: Newsletter, id: IssueId): Promise<Preview> {
  const composed = await compose(newsletter, id, newsletter.clock());
  const message = fill(composed.program, SAMPLE);
  const signer = signerOf(newsletter);
  const mime = signer ? Buffer.concat(await sign([message], signer)) : message;
  const { subject, from, html, text } = await readMessage(mime);
  return {
    issue: id,
    title: composed.issue.title,
    approved: composed.approved,
    mime,
    subject,
    preheader: composed.email.preheader,
    from,
    html,
    text,
    mjml: composed.mjml,
    hash: createHash('sha256').update(html).digest('hex'),
    findings: await findingsOf(newsletter, composed, { told: [] }),
  };
}
