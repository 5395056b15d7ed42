/** Bounces, complaints and deliveries as Amazon SES tells them in JSON: posted by SNS, or mailed to a subscriber. */
import type { Recipient, Report } from './parse.ts';

/** An object of JSON that anybody may have written. */
type Json = Readonly<Record<string, unknown>>;

export type SesContent = Pick<Report, 'form' | 'recipients' | 'feedback' | 'returned'>;

/**
 * The report in a notification ("Amazon SNS notification contents for Amazon SES") or in an event of its event
 * publishing; null where it is none.
 */
export function sesContent(text: string): SesContent | null {
  const outer = text.trimStart().startsWith('{') ? parsed(text) : null;
  const event = outer?.Type === 'Notification' ? parsed(string(outer.Message)) : outer;
  if (event === null) return null;
  const base = { feedback: '', returned: returnedOf(object(event.mail)) };
  switch (event.notificationType ?? event.eventType) {
    case 'Bounce':
      return { ...base, form: 'delivery-status', recipients: bounced(object(event.bounce)) };
    case 'Complaint': {
      const { complainedRecipients, complaintFeedbackType } = object(event.complaint);
      const recipients = list(complainedRecipients).map(recipientOf);
      const feedback = string(complaintFeedbackType) || 'abuse';
      return { ...base, form: 'feedback', feedback, recipients };
    }
    case 'Delivery': {
      const { recipients = [] } = object(event.delivery);
      const addresses = (Array.isArray(recipients) ? recipients : []).slice(0, MOST);
      const delivered = addresses.map((emailAddress) => ({
        ...recipientOf({ emailAddress }),
        action: 'delivered' as const,
      }));
      return { ...base, form: 'delivery-status', recipients: delivered };
    }
    default:
      return null;
  }
}

/** What names the delivery: the envelope sender, the Message-ID that was ours, the header if SES is told to send it. */
function returnedOf(mail: Json): Report['returned'] {
  const headers = list(mail.headers);
  const values = (name: string) =>
    headers
      .filter((header) => string(header.name).toLowerCase() === name)
      .map(({ value }) => string(value));
  const ids = [...values('message-id'), string(object(mail.commonHeaders).messageId)];
  return {
    messageIds: ids.map((value) => value.replace(/^\s*<|>\s*$/g, '')).filter(Boolean),
    unsubscribe: values('list-unsubscribe'),
    returnPaths: [string(mail.source)].filter(Boolean),
    archivedAt: '',
  };
}

/** A bounce that SES does not call permanent may not condemn the address, whatever code it carries. */
function bounced({ bounceType, bouncedRecipients }: Json): Recipient[] {
  const recipients = list(bouncedRecipients).map(recipientOf);
  if (bounceType === 'Permanent') return recipients;
  return recipients.map((one) => ({ ...one, status: one.status.replace(/^5/, '4') || '4.0.0' }));
}

function recipientOf({ emailAddress, status, diagnosticCode }: Json): Recipient {
  const [code = ''] = /^[245]\.\d{1,3}\.\d{1,3}$/.exec(string(status)) ?? [];
  return {
    action: 'failed',
    status: code,
    diagnostic: string(diagnosticCode),
    said: '',
    finalRecipient: string(emailAddress),
    originalRecipient: '',
    remoteMta: '',
  };
}

/** Entries of a list that are looked at: SES mails to 50 recipients at most, with tens of header fields. */
const MOST = 200;

function list(value: unknown): Json[] {
  return (Array.isArray(value) ? value : []).slice(0, MOST).map(object);
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An object of JSON; null for what is none. */
export function parsed(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : null;
  } catch {
    return null;
  }
}
