import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { dkimSign } from 'mailauth/lib/dkim/sign.js';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { createTransport } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { describe, expect, test } from 'vitest';
import {
  isAligned,
  loadSigner,
  SIGNED_FIELDS,
  sign,
  verifySignature,
} from '../../src/message/dkim.ts';
import { compose, rawFields, rawLines, rawValues } from './sample.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const SIGNER = loadSigner({ domain: 'news.example.com', selector: 'k1', pem: PEM });
const PUBLIC = createPublicKey(SIGNER.key);

/** The zone of news.example.com, as mailauth asks for it. */
async function resolver(name: string, type: string): Promise<string[][]> {
  if (name !== 'k1._domainkey.news.example.com' || type !== 'TXT') {
    throw Object.assign(new Error('no such record'), { code: 'ENOTFOUND' });
  }
  return [
    [`v=DKIM1; k=rsa; p=${PUBLIC.export({ type: 'spki', format: 'der' }).toString('base64')}`],
  ];
}

/** What an independent verifier says: `pass`, `fail`, `neutral`; nothing for an unsigned message. */
/** Signed whole, or cut into pieces at these places. */
async function signed(message: Buffer, cuts: number[] = []): Promise<Buffer> {
  const places = [...new Set(cuts.map((cut) => cut % message.length))].sort((a, b) => a - b);
  const pieces = [0, ...places].map((start, n) => message.subarray(start, places[n]));
  return Buffer.concat(await sign(pieces, SIGNER));
}

async function verdict(message: Buffer): Promise<string | undefined> {
  const { results } = await dkimVerify(message, { resolver, strict: true });
  return results[0]?.status.result;
}

/** The message with a change of its text. */
function changed(message: Buffer, from: string | RegExp, to: string): Buffer {
  const raw = message.toString('latin1');
  expect(raw).toMatch(from);
  return Buffer.from(raw.replace(from, to), 'latin1');
}

describe('a signature', async () => {
  const message = await signed(compose());

  test('D-04: an independent verifier accepts it, aligned with From, List-Unsubscribe and its Post covered', async () => {
    const { results } = await dkimVerify(message, { resolver, strict: true });
    expect(results).toHaveLength(1);
    expect(results[0]?.status).toMatchObject({ result: 'pass', aligned: 'news.example.com' });
    expect(`${results[0]?.signingHeaders?.keys}`).toMatch(
      /List-Unsubscribe: .*List-Unsubscribe-Post/,
    );
  });

  test('D-37: rsa-sha256, relaxed/relaxed, the whole body, no expiry', () => {
    const [value] = rawValues(message, 'DKIM-Signature');
    expect(value).toMatch(
      /^v=1; a=rsa-sha256; c=relaxed\/relaxed; d=news\.example\.com;\r\n s=k1;\r\n bh=/,
    );
    expect(value).not.toMatch(/[\s;][lxt]=/);
  });

  test('D-37: every field of the list is named, once more than it is there', () => {
    const h = / h=([^;]*);/.exec(rawValues(message, 'DKIM-Signature')[0] as string)?.[1];
    const names = h?.replace(/\s/g, '').split(':');
    expect(names).toEqual(SIGNED_FIELDS.flatMap((name) => [name, name]));
    expect(SIGNED_FIELDS.join(':')).toBe(
      'From:Reply-To:Subject:Date:Message-ID:To:MIME-Version:Content-Type:List-ID:List-Unsubscribe:List-Unsubscribe-Post:List-Help:Feedback-ID',
    );
  });

  test('it stands first, its lines are short, and the rest is the message, byte for byte', () => {
    expect(rawFields(message)[0]?.[0]).toBe('DKIM-Signature');
    expect(message.subarray(-compose().length)).toEqual(compose());
    const own = rawLines(message.subarray(0, -compose().length));
    expect(Math.max(...own.map((line) => line.length))).toBeLessThanOrEqual(78);
  });

  test('I11: the same message is signed with the same bytes', async () => {
    expect(await signed(compose())).toEqual(message);
  });

  test.each(SIGNED_FIELDS)('a second %s, added on the way, breaks it', async (name) => {
    const added = Buffer.concat([Buffer.from(`${name}: evil <eve@example.com>\r\n`), message]);
    expect(await verdict(added)).toBe('fail');
    expect(() => verifySignature(added, PUBLIC)).toThrow('DKIM');
  });

  test('what relays add on the way does not break it', async () => {
    const withoutFeedbackId = changed(compose(), /Feedback-ID: .*\r\n/, '');
    const added =
      'Received: from x by y; Sun, 17 Sep 2023 01:00:00 +0000\r\nFeedback-ID: 1.eu:AmazonSES\r\n';
    const relayed = Buffer.concat([Buffer.from(added), await signed(withoutFeedbackId)]);
    expect(await verdict(relayed)).toBe('pass');
  });

  test('D-16: it is whole after a real transport', async () => {
    const dotted = await signed(
      compose({ email: { text: '.\n..\n.a\n', html: 'x'.repeat(72) + '.\n\n.\n' } }),
    );
    const received = await overSmtp(dotted);
    expect(received).toEqual(dotted);
    expect(await verdict(received)).toBe('pass');
  });

  test('an independent verifier accepts it whatever the body, also one that we did not compose', async () => {
    const body = fc
      .array(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.constantFrom(' ', '\t', '  ', '\r\n', ' \r\n', '\r\n\r\n', '.', 'text'),
        ),
        { maxLength: 30 },
      )
      .map((parts) => parts.join('').replace(/\r(?!\n)|(?<!\r)\n/g, ''));
    await fc.assert(
      fc.asyncProperty(body, fc.array(fc.nat(500), { maxLength: 4 }), async (text, cuts) => {
        const message = await signed(
          Buffer.from(
            `From: a@news.example.com\r\nSubject:  x \r\n\ty\r\nTo: a@example.net\r\nTo: b@example.net\r\n\r\n${text}`,
          ),
          cuts,
        );
        expect(await verdict(message)).toBe('pass');
        verifySignature(message, PUBLIC);
      }),
      { numRuns: 200 },
    );
  });
});

describe('D-39: verification after composing', async () => {
  const message = await signed(compose());

  test('accepts what is right', () => {
    expect(() => verifySignature(message, PUBLIC)).not.toThrow();
  });

  test('accepts what other signers make, when it covers the list', async () => {
    const byNodemailer = await signByNodemailer(SIGNED_FIELDS.join(':'));
    expect(() => verifySignature(byNodemailer, PUBLIC)).not.toThrow();
    const given = { signingDomain: 'news.example.com', selector: 'k1', privateKey: PEM };
    const { signatures } = await dkimSign(compose(), {
      ...given,
      headerList: [...SIGNED_FIELDS],
      signatureData: [given],
    });
    const byMailauth = Buffer.concat([Buffer.from(signatures), compose()]);
    expect(() => verifySignature(byMailauth, PUBLIC)).not.toThrow();
  });

  test('refuses what is not signed', () => {
    expect(() => verifySignature(compose(), PUBLIC)).toThrow('The message is not signed');
  });

  test.each([
    ['another body', /<\/body>|PC9ib2R5/, 'x', 'of another body'],
    ['another subject', /Subject: /, 'Subject: Re: ', 'does not fit the header'],
    ['another link', /\/u\/1\.k1/, '/u/1.k2', 'does not fit the header'],
    ['a part of the body only', /v=1;/, 'v=1; l=10;', 'only the beginning'],
    ['another algorithm', /rsa-sha256/, 'rsa-sha1', 'says a=rsa-sha1'],
    [
      'a list without List-Unsubscribe-Post',
      /(List-Unsubscribe-Post:\s*){2}/,
      '',
      'does not cover List-Unsubscribe-Post',
    ],
    ['no signature value', / b=[^;]*?\r\n(?=From)/, ' b=\r\n', 'does not fit the header'],
  ])('refuses %s', (_, from, to, words) => {
    expect(() => verifySignature(changed(message, from, to), PUBLIC)).toThrow(words);
  });

  test('refuses another key', () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    expect(() => verifySignature(message, other)).toThrow('does not fit the header and the key');
  });

  test('refuses what nodemailer signs by default, which leaves one-click uncovered', async () => {
    const bare = await signByNodemailer();
    expect(() => verifySignature(bare, PUBLIC)).toThrow(/does not cover .*List-Unsubscribe-Post/);
    expect(await verdict(bare)).toBe('pass');
  });
});

describe('a key', () => {
  const load =
    (pem: string, domain = 'news.example.com', selector = 'k1') =>
    () =>
      loadSigner({ domain, selector, pem });
  const pemOf = (key: { privateKey: typeof rsa.privateKey }) =>
    key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

  test('D-37: of 1024 bits is accepted, of fewer refused', () => {
    expect(load(pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 })))).not.toThrow();
    expect(load(pemOf(generateKeyPairSync('rsa', { modulusLength: 768 })))).toThrow(
      'has 768 bits, which nobody accepts',
    );
  });

  test('PKCS #1 is read as well', () => {
    expect(load(rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string)).not.toThrow();
  });

  test('D-38: Ed25519 is refused, with the reason', () => {
    expect(load(pemOf(generateKeyPairSync('ed25519')))).toThrow(
      'which large providers do not verify',
    );
    expect(load(pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' })))).toThrow(
      'is ec, not RSA',
    );
  });

  test('what is no private key is refused, and no error says what was in it', () => {
    expect(load('')).toThrow('cannot be read');
    expect(load(rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string)).toThrow(
      'cannot be read',
    );
    const torn = PEM.replace(/\n.{20}/, '\n');
    expect(load(torn)).toThrow('cannot be read');
    expect(load(torn)).not.toThrow(PEM.slice(60, 80));
  });

  test('domain and selector have to be such', () => {
    expect(load(PEM, 'news.example.com; d=evil')).toThrow('is no domain');
    expect(load(PEM, 'news.example.com', 'k1;\r\n')).toThrow('is no selector');
    expect(loadSigner({ domain: '新闻.Example', selector: 'k1', pem: PEM }).domain).toBe(
      'xn--efvy88h.example',
    );
  });
});

describe('D-04: alignment', () => {
  test.each([
    ['news.example.com', 'news.example.com', true],
    ['example.com', 'news.example.com', true],
    ['news.example.com', 'example.com', true],
    ['EXAMPLE.com', 'news.example.com', true],
    ['新闻.example', 'xn--efvy88h.example', true],
    ['example.com', 'badexample.com', false],
    ['com', 'example.com', false],
    ['example.org', 'example.com', false],
    ['mail.example.com', 'news.example.com', false],
    ['', '', false],
  ])('D-35: d=%s, From %s: %s', (signer, from, aligned) => {
    expect(isAligned(signer, from)).toBe(aligned);
  });
});

/** nodemailer's own signature. */
async function signByNodemailer(headerFieldNames?: string): Promise<Buffer> {
  const names = headerFieldNames === undefined ? {} : { headerFieldNames };
  const dkim = { domainName: 'news.example.com', keySelector: 'k1', privateKey: PEM, ...names };
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    dkim,
  });
  const envelope = { from: 'a@news.example.com', to: ['b@example.net'] };
  return (await transport.sendMail({ raw: compose(), envelope })).message as Buffer;
}

/** Sends it to a server on this machine, dots and all, and gives back what arrived. */
async function overSmtp(message: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, _session, done) {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => done());
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const transport = createTransport({ host: '127.0.0.1', port, secure: false });
  await transport.sendMail({
    raw: message,
    envelope: { from: 'a@news.example.com', to: ['b@example.net'] },
  });
  transport.close();
  await new Promise<void>((resolve) => server.close(resolve));
  return Buffer.concat(chunks);
}
