/** Mail to a relay over nodemailer's SMTP connection. One connection serves one mail at a time. */
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { needsSmtpUtf8 } from '../message/address.ts';
import { failpoint } from './failpoint.ts';
import type { Outcome } from './outcome.ts';
import { classify, type Phase } from './replies.ts';
import type { Envelope, Transport } from './transport.ts';

export interface SmtpOptions {
  /** `smtp://user:password@host:port` or `smtps://…`. TLS is required outside loopback. */
  url: string;
  /** Longest time that one mail may take, ms: more than the 10 minutes of RFC 5321 4.5.3.2.6. */
  deadline?: number;
  /** Further trusted certificates, PEM; for tests and private relays. */
  ca?: string;
}

const MINUTE = 60_000;

/** A transport that opens connections as they are needed and uses them again. */
export function createSmtpTransport(options: SmtpOptions): Transport {
  const idle: SMTPConnection[] = [];
  const all = new Set<SMTPConnection>();
  const deadline = options.deadline ?? 12 * MINUTE;

  async function connection(signal: AbortSignal): Promise<SMTPConnection> {
    for (let kept = idle.pop(); kept; kept = idle.pop()) {
      if (!kept.destroyed) return kept;
      all.delete(kept);
    }
    const fresh = await connect(options, signal);
    all.add(fresh);
    return fresh;
  }

  return {
    async deliver(envelope, bytes, signal) {
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(deadline)]);
      let opened: SMTPConnection;
      try {
        opened = await connection(bounded);
      } catch (error) {
        return outcomeOf(error as SmtpError, false);
      }
      const outcome = await sendOne(opened, envelope, bytes, bounded);
      if (await isReusable(opened, outcome)) idle.push(opened);
      else {
        all.delete(opened);
        opened.close();
      }
      return outcome;
    },
    async close() {
      for (const open of all) open.quit();
      all.clear();
    },
  };
}

/** nodemailer's errors: code names the kind, responseCode and response what the server said. */
interface SmtpError extends Error {
  code?: string;
  command?: string;
  responseCode?: number;
  response?: string;
}

async function connect({ url, ca }: SmtpOptions, signal: AbortSignal): Promise<SMTPConnection> {
  const { protocol, hostname, port, username, password } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'smtps:';
  const isLoopback = host === 'localhost' || host === '::1' || /^127\./.test(host);
  const connection = new SMTPConnection({
    host,
    port: Number(port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && !isLoopback,
    ignoreTLS: !secure && isLoopback && ca === undefined,
    connectionTimeout: 2 * MINUTE,
    greetingTimeout: 5 * MINUTE,
    // Shorter than the server's patience after the final dot makes duplicates (RFC 1047, D-63).
    socketTimeout: 11 * MINUTE,
    ...(ca === undefined ? {} : { tls: { ca } }),
  });
  // Errors reach us through the callbacks; an unheard event would end the process.
  connection.on('error', () => {});
  await step(connection, signal, (done) => connection.connect(done));
  if (username) {
    const credentials = { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
    await step(connection, signal, (done) => connection.login(credentials, done));
  }
  return connection;
}

/** One callback of the connection as a promise that ends when the connection or the signal does. */
function step(
  connection: SMTPConnection,
  signal: AbortSignal,
  start: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error | null) => {
      signal.removeEventListener('abort', abort);
      connection.removeListener('error', finish);
      connection.removeListener('end', ended);
      if (error) {
        connection.close();
        reject(error);
      } else resolve();
    };
    const abort = () => finish(new Error('took too long'));
    // The reason, where there is one, comes right after the end.
    const ended = () => setImmediate(finish, new Error('the connection was closed'));
    signal.addEventListener('abort', abort, { once: true });
    connection.once('error', finish);
    connection.once('end', ended);
    if (signal.aborted) abort();
    else start(finish);
  });
}

async function sendOne(
  connection: SMTPConnection,
  { from, to }: Envelope,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<Outcome> {
  if (needsSmtpUtf8(to) && !supports(connection, 'SMTPUTF8')) {
    // RFC 6531 3.2: sent as it is, the address would reach somebody else or nobody.
    return {
      state: 'failed',
      code: null,
      reply: 'The relay does not offer SMTPUTF8, which this address needs',
      relayFault: false,
    };
  }
  const body = bodyOf(bytes);
  let response = '';
  try {
    await step(connection, signal, (done) =>
      connection.send({ from, to: [to], size: bytes.length }, body.message, (error, info) => {
        response = info?.response ?? '';
        done(error);
      }),
    );
  } catch (error) {
    return outcomeOf(error as SmtpError, body.begun());
  }
  failpoint('after-reply');
  return classify({
    phase: 'data',
    code: codeOf(response),
    words: response,
    bodyBegun: body.begun(),
  });
}

/**
 * The message as nodemailer wants it, and whether it was asked for. It is asked for exactly when the
 * server said 354, so this tells "surely not sent" from "unknown".
 */
function bodyOf(bytes: Buffer) {
  let begun = false;
  const message = {
    pipe(destination: DataStream) {
      begun = true;
      failpoint('mid-data');
      if (needsStuffing(bytes)) destination.end(bytes);
      else {
        // Nothing to escape: handed on whole, which spares the stream its look at each byte.
        destination.push(bytes.subarray(0, -2));
        destination.end();
      }
    },
  };
  return { message: message as never, begun: () => begun };
}

interface DataStream {
  push(bytes: Buffer): boolean;
  end(bytes?: Buffer): void;
}

/** A dot after any line break, or no CRLF at the end: then the stream must look at every byte. */
function needsStuffing(bytes: Buffer): boolean {
  return (
    bytes[0] === 0x2e ||
    bytes.includes('\n.') ||
    bytes.includes('\r.') ||
    bytes.subarray(-2).toString('latin1') !== '\r\n'
  );
}

function supports(connection: SMTPConnection, extension: string): boolean {
  const { _supportedExtensions = [] } = connection as unknown as {
    _supportedExtensions?: string[];
  };
  return _supportedExtensions.includes(extension);
}

/** After a refused recipient the server still has an open transaction; RSET ends it. */
async function isReusable(connection: SMTPConnection, outcome: Outcome): Promise<boolean> {
  if (outcome.state === 'accepted') return true;
  if (outcome.code === null || outcome.relayFault || outcome.state === 'unknown') return false;
  try {
    await step(connection, AbortSignal.timeout(MINUTE), (done) => connection.reset(done));
    return true;
  } catch {
    return false;
  }
}

function outcomeOf(error: SmtpError, bodyBegun: boolean): Outcome {
  const code = error.responseCode ?? null;
  const words = error.response ?? withoutCredentials(error.message);
  return classify({ phase: phaseOf(error), code, words, bodyBegun });
}

function phaseOf({ command = '', code }: SmtpError): Phase {
  if (command === 'RCPT TO') return 'recipient';
  if (command === 'DATA' || code === 'EMESSAGE') return 'data';
  if (command === 'MAIL FROM') return 'sender';
  return code === 'EAUTH' || command.startsWith('AUTH') ? 'auth' : 'connect';
}

function codeOf(response: string): number | null {
  const code = /^(\d{3})(?:[ -]|$)/.exec(response)?.[1];
  return code ? Number(code) : null;
}

/** Whatever a library puts into its message, a password is not passed on. */
function withoutCredentials(words: string): string {
  return words.replace(/\/\/[^\s/@]*@/g, '//…@');
}
