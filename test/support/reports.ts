/** A campaign that was sent over real SMTP, and reports about its mails as servers write them. */
import type { Kysely } from 'kysely';
import type { Reading } from '../../src/bounces/record.ts';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import type { Verp } from '../../src/message/verp.ts';
import type { Database } from '../../src/store/schema.ts';
import { addReaders, plan, runOnce, START } from './campaign.ts';
import { RING, temporaryStore } from './newsletter.ts';
import { type ReceivedMail, startReceiver } from './receiver.ts';

export const BOUNCE_ADDRESS = 'b@bounce.example.com';
export const VERP: Verp = { address: BOUNCE_ADDRESS, newsletter: 'weekly', keys: RING };
export const DAY = 86_400_000;

/** Sends an issue to so many readers. @returns the database and the mails, by recipient */
export async function sentCampaign(readers = 1) {
  const { db } = await temporaryStore();
  await addReaders(db, readers);
  const mails = await sendIssue(db, '2026-w47');
  return { db, mails };
}

/** Sends an issue to every reader who is reachable, with return paths that name the delivery. */
export async function sendIssue(
  db: Kysely<Database>,
  issue: string,
  now = START,
): Promise<Map<string, ReceivedMail>> {
  const receiver = await startReceiver();
  await plan(db, { issue }, {}, BOUNCE_ADDRESS);
  await runOnce({
    db,
    clock: () => now,
    verp: VERP,
    transportFor: () => createSmtpTransport({ url: receiver.url, connections: 2 }),
  });
  return new Map(receiver.mails.map((mail) => [mail.to, mail]));
}

export function reading(change: Partial<Reading> = {}): Reading {
  return {
    newsletter: 'weekly',
    keys: RING,
    address: BOUNCE_ADDRESS,
    origin: 'test',
    now: START + 3_600_000,
    ...change,
  };
}

export interface ReportParts {
  /** Where the report comes to. */
  to: string;
  recipient?: string;
  action?: string;
  status?: string;
  diagnostic?: string;
  /** What is given back; none: the report stands alone. */
  returned?: string;
}

/** A report by RFC 3464, as Postfix writes it. */
export function deliveryReport({
  to,
  recipient = 'reader1@example.com',
  action = 'failed',
  status = '5.1.1',
  diagnostic = `smtp; 550 5.1.1 <${recipient}>: Recipient address rejected: User unknown`,
  returned = '',
}: ReportParts): Buffer {
  const copy = returned ? `--=_r\r\nContent-Type: message/rfc822\r\n\r\n${returned}\r\n` : '';
  return Buffer.from(`Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: ${to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_r"

--=_r
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.com. The mail system has this to say:
<${recipient}>: host example.com said: ${diagnostic}

--=_r
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; ${recipient}
Action: ${action}
Status: ${status}
Diagnostic-Code: ${diagnostic}

${copy}--=_r--
`);
}

/** A complaint by RFC 5965, as Yahoo forwards it: the recipient is redacted. */
export function complaint(returned: string, type = 'abuse', to = 'fbl@example.com'): Buffer {
  return Buffer.from(`From: feedback@arf.mail.example.net
To: ${to}
Subject: FW: Weekly
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_f"

--=_f
Content-Type: text/plain; charset=us-ascii

This is an email abuse report.

--=_f
Content-Type: message/feedback-report

Feedback-Type: ${type}
User-Agent: Example-Feedback/1.0
Version: 1

--=_f
Content-Type: message/rfc822

${returned}
--=_f--
`);
}
