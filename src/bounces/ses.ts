/**
 * Notifications of Amazon SES by way of SNS, posted by HTTPS: their signature is verified by the rules of the Amazon SNS
 * developer guide ("Verifying the signatures of Amazon SNS messages"), then they are reports like others.
 */
import { createHash, createVerify, X509Certificate } from 'node:crypto';
import { EMPTY, type Report } from './parse.ts';
import { parsed, sesContent } from './ses-event.ts';

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
  const said = sesContent(envelope.Message);
  if (said === null) return 'ignored';
  const hash = createHash('sha256').update(`ses|${envelope.MessageId}`).digest('hex');
  return { ...EMPTY, ...said, hash };
}

function envelopeOf(body: string): Envelope | null {
  const given = parsed(body);
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
