/** What will be sent, byte for byte: composed for a sample reader and read back from the message. */
import { createHash } from 'node:crypto';
import type { Finding } from '../check/check.ts';
import type { IssueId } from '../issue/issue.ts';
import { sign } from '../message/dkim.ts';
import { fill } from '../message/program.ts';
import { readMessage } from '../message/read.ts';
import { type Measured, measure, reading } from '../render/size.ts';
import { findingsOf } from './check.ts';
import { compose } from './compose.ts';
import type { Newsletter } from './newsletter.ts';
import { readerFor } from './sample-readers.ts';
import { signerOf } from './signer.ts';

export interface Preview {
  issue: IssueId;
  title: string;
  approved: boolean;
  /** Hash that an approval of exactly this has to carry. */
  approval: string;
  /** The issue file as it stands, and its path for people. */
  source: string;
  file: string;
  /** Whom it is composed for. */
  to: { address: string; name: string | null };
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
  measured: Measured & ReturnType<typeof reading>;
  /** What the checks say; they look when it is first asked for, so that nobody waits for them to see the mail. */
  findings(): Promise<Finding[]>;
}

/**
 * Composes one message and takes it apart again; what is shown is what the bytes say (P-01).
 * @param whom as `readerFor` takes it
 */
export async function preview(
  newsletter: Newsletter,
  id: IssueId,
  whom?: string,
): Promise<Preview> {
  const composed = await compose(newsletter, id, newsletter.clock());
  const reader = await readerFor(newsletter, whom);
  const message = fill(composed.program, reader);
  const signer = signerOf(newsletter);
  const mime = signer ? Buffer.concat(await sign([message], signer)) : message;
  const { subject, from, html, text } = await readMessage(mime);
  let findings: Promise<Finding[]> | undefined;
  return {
    issue: id,
    title: composed.issue.title,
    approved: composed.approved,
    approval: composed.hash,
    source: composed.text,
    file: composed.file,
    to: { address: reader.address, name: reader.name },
    mime,
    subject,
    preheader: composed.email.preheader,
    from,
    html,
    text,
    mjml: composed.mjml,
    hash: createHash('sha256').update(html).digest('hex'),
    measured: { ...measure(html), ...reading(text) },
    findings() {
      findings ??= findingsOf(newsletter, composed, { told: [] });
      return findings;
    },
  };
}
