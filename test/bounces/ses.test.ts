/** Notifications of Amazon SES, signed as SNS signs them, posted to the real public server. */
import { execFileSync } from 'node:child_process';
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { addSubscriber } from '../../src/audience/subscribers.ts';
import { suppressionOf } from '../../src/audience/suppression.ts';
import { publicServer } from '../../src/web/public.ts';
import { plan, START } from '../support/campaign.ts';
import { openTestNewsletter, seededRandom, temporaryDirectory } from '../support/newsletter.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:bounces';
const READER = 'anna@example.com';
let key: string;
let certificate: string;
let serial = 0;

beforeAll(() => {
  const dir = temporaryDirectory();
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=sns.amazonaws.com',
    ].concat(['-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')]),
    { stdio: 'ignore' },
  );
  key = readFileSync(join(dir, 'key.pem'), 'utf8');
  certificate = readFileSync(join(dir, 'cert.pem'), 'utf8');
});

/** A newsletter with one mail sent by SMTP, its public server, and a network in which Amazon answers. */
async function world() {
  const newsletter = await openTestNewsletter({
    settings: (settings) => ({
      ...settings,
      bounces: { ...settings.bounces, ses: { topic: TOPIC } },
    }),
  });
  const { db, settings } = newsletter;
  await addSubscriber(
    db,
    { newsletter: settings.slug, address: READER, name: null, source: 'test' },
    { now: START, random: seededRandom() },
  );
  await plan(db, { newsletter: settings.slug });
  const now = newsletter.clock();
  await db.updateTable('deliveries').set({ state: 'accepted', attempted_at: now }).execute();
  const asked: string[] = [];
  const amazon = async (url: string | URL | Request) => {
    asked.push(String(url));
    return new Response(String(url).endsWith('.pem') ? certificate : 'ok');
  };
  const app = await publicServer(newsletter, amazon as typeof fetch);
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  const post = async (body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${base}/webhooks/ses`, { method: 'POST', body: text });
    return response.status;
  };
  return { db, post, asked };
}

/** Signed by the rules of the SNS developer guide, written out here by hand. */
function signed(change: Record<string, string>, version = '2'): Record<string, string> {
  serial += 1;
  const message: Record<string, string> = {
    Type: 'Notification',
    MessageId: `id-${serial}`,
    TopicArn: TOPIC,
    Timestamp: '2026-11-20T08:00:00.000Z',
    SignatureVersion: version,
    SigningCertURL: `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${serial}.pem`,
    ...change,
  };
  const order =
    message.Type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = order.filter((name) => name in message).map((n) => `${n}\n${message[n]}\n`);
  const Signature = createSign(version === '1' ? 'sha1' : 'sha256')
    .update(text.join(''))
    .sign(key, 'base64');
  return { ...message, Signature };
}

const bounce = (type = 'Permanent', address = READER) =>
  JSON.stringify({
    notificationType: 'Bounce',
    bounce: {
      bounceType: type,
      bounceSubType: 'General',
      bouncedRecipients: [
        {
          emailAddress: address,
          action: 'failed',
          status: '5.1.1',
          diagnosticCode: 'smtp; 550 5.1.1 user unknown',
        },
      ],
    },
    mail: { source: 'news@example.com', messageId: '0102', destination: [address] },
  });

const complained = JSON.stringify({
  eventType: 'Complaint',
  complaint: { complainedRecipients: [{ emailAddress: READER }], complaintFeedbackType: 'abuse' },
  mail: { source: 'news@example.com', messageId: '0102', destination: [READER] },
});

describe('D-60: POST /webhooks/ses', () => {
  test.each(['1', '2'])(
    'a bounce signed by version %s suppresses the reader it names',
    async (version) => {
      const { db, post } = await world();
      expect(await post(signed({ Message: bounce(), Subject: 'Amazon SES' }, version))).toBe(200);
      expect(await suppressionOf(db, READER)).toBe('hard-bounce');
    },
  );

  test('the same notification again counts once', async () => {
    const { db, post } = await world();
    const message = signed({ Message: bounce('Transient') });
    expect(await post(message)).toBe(200);
    expect(await post(message)).toBe(200);
    expect(await db.selectFrom('bounces').select('effect').execute()).toEqual([{ effect: 'soft' }]);
    expect(await suppressionOf(db, READER)).toBeNull();
  });

  test('a complaint unsubscribes and suppresses (D-55)', async () => {
    const { db, post } = await world();
    expect(await post(signed({ Message: complained }))).toBe(200);
    expect(await suppressionOf(db, READER)).toBe('complaint');
    expect(await db.selectFrom('subscribers').select('state').execute()).toEqual([
      { state: 'unsubscribed' },
    ]);
  });

  test('the subscription to the topic is confirmed, at Amazon only', async () => {
    const { post, asked } = await world();
    const SubscribeURL = 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t';
    const Type = 'SubscriptionConfirmation';
    expect(await post(signed({ Type, Message: 'confirm', Token: 't', SubscribeURL }))).toBe(200);
    expect(asked.at(-1)).toBe(SubscribeURL);
    const elsewhere = signed({
      Type,
      Message: 'x',
      Token: 't',
      SubscribeURL: 'https://evil.example/',
    });
    expect(await post(elsewhere)).toBe(403);
    expect(asked).not.toContain('https://evil.example/');
  });

  test('a certificate is fetched once', async () => {
    const { post, asked } = await world();
    const SigningCertURL = `https://sns.eu-west-1.amazonaws.com/once-${Math.floor(START)}.pem`;
    await post(signed({ Message: bounce(), SigningCertURL }));
    await post(signed({ Message: complained, SigningCertURL }));
    expect(asked).toEqual([SigningCertURL]);
  });

  test.each([
    'https://sns.eu-west-1.amazonaws.com.evil.example/a.pem',
    'https://evil.example/sns.eu-west-1.amazonaws.com/a.pem',
    'https://sns.eu-west-1.amazonaws.com@evil.example/a.pem',
    'https://sns.eu-west-1.amazonaws.com:8443/a.pem',
    'http://sns.eu-west-1.amazonaws.com/a.pem',
    'https://s3.eu-west-1.amazonaws.com/a.pem',
    'https://sns.evil.amazonaws.com/a.pem',
    'file:///etc/passwd',
    '',
  ])('a certificate at %j is not asked for', async (SigningCertURL) => {
    const { db, post, asked } = await world();
    expect(await post(signed({ Message: bounce(), SigningCertURL }))).toBe(403);
    expect(asked).toEqual([]);
    expect(await suppressionOf(db, READER)).toBeNull();
  });

  test('China has a host of its own', async () => {
    const { post } = await world();
    const SigningCertURL = 'https://sns.cn-north-1.amazonaws.com.cn/cn.pem';
    expect(await post(signed({ Message: bounce(), SigningCertURL }))).toBe(200);
  });

  test('what was changed on the way, is of another topic, or is no message of SNS, is refused', async () => {
    const { db, post } = await world();
    const good = signed({ Message: bounce() });
    const other = signed({ Message: bounce(), TopicArn: `${TOPIC}2` });
    const { Signature: _, ...bare } = good;
    for (const body of [
      { ...good, Message: bounce('Permanent', 'ben@example.com') },
      { ...good, Timestamp: '2026-11-21T08:00:00.000Z' },
      { ...good, SignatureVersion: '1' },
      { ...good, SignatureVersion: '3' },
      { ...good, Type: 'Other' },
      { ...good, Message: { a: 1 } },
      other,
      bare,
      {},
      [],
      null,
      'no JSON',
      '',
    ])
      expect(await post(body)).toBe(403);
    expect(await db.selectFrom('bounces').selectAll().execute()).toEqual([]);
  });

  test('what is signed and says nothing of interest is taken and forgotten', async () => {
    const { db, post } = await world();
    for (const Message of ['Successfully validated', '{}', '{"notificationType":"Open"}', '[]'])
      expect(await post(signed({ Message }))).toBe(200);
    expect(await db.selectFrom('bounces').selectAll().execute()).toEqual([]);
  });

  test('a body beyond 512 KB is refused; without a topic in the settings there is no such route', async () => {
    const { post } = await world();
    expect(await post('x'.repeat(600_000))).toBe(413);
    const app = await publicServer(await openTestNewsletter());
    onTestFinished(() => app.close());
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/webhooks/ses',
      payload: '{}',
    });
    expect(statusCode).toBe(404);
  });
});
