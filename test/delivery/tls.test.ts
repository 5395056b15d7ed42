/** TLS against nodemailer's smtp-server: demanded everywhere but on loopback, and never stripped. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../src/delivery/outcome.ts';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import { temporaryDirectory } from '../support/newsletter.ts';

/** Reaches this machine, but is no address of loopback: what holds for relays elsewhere holds for it. */
const ELSEWHERE = '0.0.0.0';

let key: Buffer;
let cert: Buffer;
beforeAll(() => {
  const dir = temporaryDirectory();
  const [keyFile, certFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=relay']
      .concat(['-addext', `subjectAltName=IP:${ELSEWHERE},IP:127.0.0.1`])
      .concat(['-keyout', keyFile, '-out', certFile]),
    { stdio: 'ignore' },
  );
  key = readFileSync(keyFile);
  cert = readFileSync(certFile);
});

interface Relay {
  port: number;
  /** Bodies, and whether each came over TLS. */
  mails: { body: string; secure: boolean; user: string | undefined }[];
}

async function startRelay(options: SMTPServerOptions = {}): Promise<Relay> {
  const relay: Relay = { port: 0, mails: [] };
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    onAuth: ({ username, password }, _, done) =>
      password === 'secret' ? done(null, { user: username }) : done(new Error('wrong password')),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        relay.mails.push({ body, secure: session.secure, user: session.user });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((done) => server.listen(0, '0.0.0.0', done));
  onTestFinished(() => new Promise((done) => server.close(done)));
  relay.port = (server.server.address() as AddressInfo).port;
  return relay;
}

async function deliver(url: string, ca?: string): Promise<Outcome> {
  const transport = createSmtpTransport({ url, ...(ca === undefined ? {} : { ca }) });
  try {
    return await transport.deliver({
      id: '1',
      from: 'news@example.com',
      to: 'ana@example.com',
      message: [Buffer.from('Subject: x\r\n\r\nHello.\r\n')],
    });
  } finally {
    await transport.close();
  }
}

describe('a relay elsewhere', () => {
  test('is spoken to over STARTTLS, and logged in to only then', async () => {
    const relay = await startRelay();
    const url = `smtp://user:secret@${ELSEWHERE}:${relay.port}`;
    expect((await deliver(url, cert.toString())).state).toBe('accepted');
    expect(relay.mails).toEqual([
      { body: 'Subject: x\r\n\r\nHello.\r\n', secure: true, user: 'user' },
    ]);
  });

  test('is spoken to over TLS from the start with smtps:', async () => {
    const relay = await startRelay({ secure: true });
    const url = `smtps://${ELSEWHERE}:${relay.port}`;
    expect((await deliver(url, cert.toString())).state).toBe('accepted');
    expect(relay.mails[0]?.secure).toBe(true);
  });

  test('that offers no STARTTLS gets nothing: neither mail nor password (D-40)', async () => {
    let login = 0;
    const relay = await startRelay({
      hideSTARTTLS: true,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: (_, __, done) => {
        login += 1;
        done(null, { user: 'x' });
      },
    });
    const outcome = await deliver(`smtp://user:secret@${ELSEWHERE}:${relay.port}`, cert.toString());
    expect(outcome).toMatchObject({ state: 'deferred', relayFault: true });
    expect(relay.mails).toEqual([]);
    expect(login).toBe(0);
  });

  test.each(['smtp', 'smtps'])(
    '%s: whose certificate nobody vouches for gets nothing',
    async (scheme) => {
      const relay = await startRelay({ secure: scheme === 'smtps' });
      const outcome = await deliver(`${scheme}://user:secret@${ELSEWHERE}:${relay.port}`);
      expect(outcome).toMatchObject({ state: 'deferred', relayFault: true });
      expect(outcome.reply).toMatch(/certificate/);
      expect(relay.mails).toEqual([]);
    },
  );
});

test('a relay on loopback needs no TLS', async () => {
  const relay = await startRelay();
  expect((await deliver(`smtp://127.0.0.1:${relay.port}`)).state).toBe('accepted');
  expect(relay.mails[0]?.secure).toBe(false);
});
