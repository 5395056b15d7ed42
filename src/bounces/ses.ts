/**
 * Notifications of Amazon SES by way of SNS, posted by HTTPS: their signature is verified by the rules of the Amazon SNS
 * developer guide ("Verifying the signatures of Amazon SNS messages"), then they are reports like others.
 */
import { createHash, createVerify, X509Certificate } from 'node:crypto';
import type { Recipient, Report } from './parse.ts';

export type Fetch = (
  url: string,
  options: { signal: AbortSignal; redirect: 'error' },
) => Promise<Response>;

export interface SesOptions {
  /** ARN of the topic that is believed. */
  topic: string;
  fetch: Fetch;
}

interface Envelope {
  Type: string;
  TopicArn: string;
  MessageId: string;
  Message: string;
  Timestamp: string;
  Signature: string;
  SignatureVersion: string;
  SigningCertURL: string;
  SubscribeURL?: string;
  Subject?: string;
  Token?: string;
}

/** What is signed, in this order; what is not there is left out. */
const SIGNED = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: [
    'Message',
    'MessageId',
    'SubscribeURL',
    'Timestamp',
    'Token',
    'TopicArn',
    'Type',
  ],
} as const;

/** Nothing else is asked for a certificate or a confirmation: no port, no user, no other host. */
const AMAZON = /^https:\/\/sns\.[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}\.amazonaws\.com(?:\.cn)?\/[!-~]*$/;

/** ms. */
const PATIENCE = 10_000;

/**
 * Reads a posted body: the report in it, or what else was done. A subscription to the topic is confirmed.
 * @returns `refused` for what is not from the topic or not signed by Amazon
 */
export async function readNotification(
  body: string,
  { topic, fetch }: SesOptions,
): Promise<Report | 'subscribed' | 'ignored' | 'refused'> {
  const envelope = envelopeOf(body);
  if (envelope?.TopicArn !== topic || !(await isSigned(envelope, fetch))) return 'refused';
  if (envelope.Type === 'SubscriptionConfirmation') return confirm(envelope, fetch);
  const event = parsed<SesEvent>(envelope.Message);
  return (event && reportOf(event, envelope.MessageId)) ?? 'ignored';
}

function envelopeOf(body: string): Envelope | null {
  const given = parsed<Record<string, unknown>>(body);
  if (given === null || !(String(given.Type) in SIGNED)) return null;
  const isText = Object.values(given).every((value) => typeof value === 'string');
  return isText ? (given as unknown as Envelope) : null;
}

async function isSigned(envelope: Envelope, fetch: Fetch): Promise<boolean> {
  const algorithm = { 1: 'RSA-SHA1', 2: 'RSA-SHA256' }[envelope.SignatureVersion];
  if (algorithm === undefined || !AMAZON.test(envelope.SigningCertURL ?? '')) return false;
  try {
    const key = await keyAt(envelope.SigningCertURL, fetch);
    const names = SIGNED[envelope.Type as keyof typeof SIGNED];
    const text = names
      .filter((name) => envelope[name] !== undefined)
      .map((name) => `${name}\n${envelope[name]}\n`)
      .join('');
    return createVerify(algorithm).update(text).verify(key, envelope.Signature, 'base64');
  } catch {
    return false;
  }
}

/** By address; Amazon gives a new certificate a new one. */
const certificates = new Map<string, X509Certificate['publicKey']>();
const MOST_CERTIFICATES = 20;

async function keyAt(url: string, fetch: Fetch): Promise<X509Certificate['publicKey']> {
  const known = certificates.get(url);
  if (known) return known;
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE), redirect: 'error' });
  const { publicKey } = new X509Certificate(await response.text());
  if (certificates.size >= MOST_CERTIFICATES) certificates.clear();
  certificates.set(url, publicKey);
  return publicKey;
}

async function confirm(
  { SubscribeURL = '' }: Envelope,
  fetch: Fetch,
): Promise<'subscribed' | 'refused'> {
  if (!AMAZON.test(SubscribeURL)) return 'refused';
  const options = { signal: AbortSignal.timeout(PATIENCE), redirect: 'error' } as const;
  const { ok } = await fetch(SubscribeURL, options).catch(() => ({ ok: false }));
  return ok ? 'subscribed' : 'refused';
}

/** What SES says ("Amazon SNS notification contents for Amazon SES"), or its event publishing. */
interface SesEvent {
  notificationType?: string;
  eventType?: string;
  mail?: {
    source?: string;
    headers?: { name?: string; value?: string }[];
    commonHeaders?: { messageId?: string };
  };
  bounce?: { bounceType?: string; bouncedRecipients?: SesRecipient[] };
  complaint?: {
    complaintFeedbackType?: string;
    complaintSubType?: string;
    complainedRecipients?: SesRecipient[];
  };
  delivery?: { recipients?: string[] };
}

interface SesRecipient {
  emailAddress?: string;
  action?: string;
  status?: string;
  diagnosticCode?: string;
}

function reportOf(event: SesEvent, id: string): Report | null {
  const kind = event.notificationType ?? event.eventType;
  const { mail, bounce, complaint, delivery } = event;
  const base = { ...headOf(mail), hash: createHash('sha256').update(`ses|${id}`).digest('hex') };
  if (kind === 'Bounce')
    return {
      ...base,
      form: 'delivery-status',
      recipients: (bounce?.bouncedRecipients ?? []).map((one) => bounced(one, bounce?.bounceType)),
    };
  if (kind === 'Complaint') {
    const [recipient = {}] = complaint?.complainedRecipients ?? [];
    const feedback = complaint?.complaintFeedbackType ?? 'abuse';
    return { ...base, form: 'feedback', feedback, recipients: [bounced(recipient, '')] };
  }
  if (kind === 'Delivery') {
    const recipients = (delivery?.recipients ?? []).map((address) => ({
      ...recipientOf({ emailAddress: address }),
      action: 'delivered' as const,
    }));
    return { ...base, form: 'delivery-status', recipients };
  }
  return null;
}

/** What names the delivery: the envelope sender, the Message-ID that was ours, the header if SES is told to send it. */
function headOf(mail: SesEvent['mail']): Omit<Report, 'hash' | 'form' | 'recipients'> {
  const values = (name: string) =>
    (mail?.headers ?? [])
      .filter((header) => header.name?.toLowerCase() === name)
      .flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
  const ids = [...values('message-id'), mail?.commonHeaders?.messageId ?? ''];
  return {
    subject: '',
    cameTo: [],
    feedback: '',
    notice: '',
    returned: {
      messageIds: ids.map((value) => value.replace(/^\s*<|>\s*$/g, '')).filter(Boolean),
      unsubscribe: values('list-unsubscribe'),
      returnPaths: mail?.source ? [mail.source] : [],
      archivedAt: '',
    },
  };
}

/** A bounce that SES calls transient may not condemn the address, whatever code it carries. */
function bounced(recipient: SesRecipient, type: string | undefined): Recipient {
  const made = recipientOf(recipient);
  return type === 'Permanent' || type === ''
    ? made
    : { ...made, status: made.status.replace(/^5/, '4') };
}

function recipientOf({
  emailAddress = '',
  status = '',
  diagnosticCode = '',
}: SesRecipient): Recipient {
  return {
    action: 'failed',
    status: /^[245]\.\d{1,3}\.\d{1,3}$/.test(status) ? status : '',
    diagnostic: diagnosticCode,
    finalRecipient: emailAddress,
    originalRecipient: '',
    remoteMta: '',
  };
}

function parsed<Shape>(text: string): Shape | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Shape) : null;
  } catch {
    return null;
  }
}
