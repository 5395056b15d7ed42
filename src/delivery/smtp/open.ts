/** Opens a session with a relay: connecting, TLS and login are nodemailer's; the clean socket is what it is for. */
import type { Socket } from 'node:net';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import XOAuth2 from 'nodemailer/lib/xoauth2';
import type { SmtpOauth } from '../../config/secrets.ts';
import type { Outcome } from '../outcome.ts';
import { classify, type Phase } from '../replies.ts';

export interface Relay {
  /** `smtp://user:password@host:port` or `smtps://…`. TLS is required outside loopback. */
  url: string;
  /** Log in with a token instead of a password (XOAUTH2). */
  oauth?: SmtpOauth | undefined;
  /** Further trusted certificates, PEM; for tests and private relays. */
  ca?: string;
}

/** A connection on which mail can be sent. */
export interface Session {
  socket: Socket;
  /** Names that the server gave after EHLO: PIPELINING, SIZE, SMTPUTF8, … */
  extensions: ReadonlySet<string>;
  /** Bytes that it takes in one mail; 0: it did not say. */
  largest: number;
}

const MINUTE = 60_000;

/**
 * @param signal aborted: gives up
 * @throws Error as nodemailer makes it, or `took too long`; `refusal` tells what it means
 */
export async function openSession(relay: Relay, signal: AbortSignal): Promise<Session> {
  const { protocol, hostname, port, username, password } = new URL(relay.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'smtps:';
  const isLoopback = host === 'localhost' || host === '::1' || /^127\./.test(host);
  const connection = new SMTPConnection({
    host,
    port: Number(port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && !isLoopback,
    ignoreTLS: !secure && isLoopback && relay.ca === undefined,
    connectionTimeout: 2 * MINUTE,
    greetingTimeout: 5 * MINUTE,
    socketTimeout: 5 * MINUTE,
    ...(relay.ca === undefined ? {} : { tls: { ca: relay.ca } }),
  });
  // Errors reach us through the callbacks; an unheard event would end the process.
  connection.on('error', () => {});
  await step(connection, signal, (done) => connection.connect(done));
  if (username) {
    const user = decodeURIComponent(username);
    const login = relay.oauth
      ? { user, method: 'XOAUTH2', oauth2: new XOAuth2({ user, ...relay.oauth }) }
      : { user, pass: decodeURIComponent(password) };
    await step(connection, signal, (done) => connection.login(login, done));
  }
  return handOver(connection);
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

/** What nodemailer keeps to itself. A test opens a session with each version that we take. */
interface Insides {
  _socket: Socket;
  _onSocketData: () => void;
  _onSocketError: () => void;
  _onConnectionSocketError: () => void;
  _onSocketClose: () => void;
  _onSocketEnd: () => void;
  _onSocketTimeout: () => void;
  _supportedExtensions: string[];
  _maxAllowedSize: number;
}

/** Takes the socket, after TLS the encrypted one, out of nodemailer's hands. */
function handOver(connection: SMTPConnection): Session {
  const insides = connection as unknown as Insides;
  const socket = insides._socket;
  const heard = {
    data: [insides._onSocketData],
    error: [insides._onSocketError, insides._onConnectionSocketError],
    close: [insides._onSocketClose],
    end: [insides._onSocketEnd],
    timeout: [insides._onSocketTimeout],
  };
  for (const [event, listeners] of Object.entries(heard))
    for (const listener of listeners) socket.removeListener(event, listener);
  // Each mail has a deadline of its own.
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, MINUTE);
  return {
    socket,
    extensions: new Set(insides._supportedExtensions),
    largest: insides._maxAllowedSize || 0,
  };
}

/** nodemailer's errors: code names the kind, responseCode and response what the server said. */
interface SmtpError extends Error {
  code?: string;
  command?: string;
  responseCode?: number;
  response?: string;
}

/** What it means that a session could not be opened. */
export function refusal(error: SmtpError): Outcome {
  return classify({
    phase: phaseOf(error),
    code: error.responseCode ?? null,
    words: error.response ?? withoutCredentials(error.message),
    bodyBegun: false,
  });
}

function phaseOf({ command = '', code }: SmtpError): Phase {
  return code === 'EAUTH' || code === 'EOAUTH2' || command.startsWith('AUTH') ? 'auth' : 'connect';
}

/** Whatever a library puts into its message, a password is not passed on. */
function withoutCredentials(words: string): string {
  return words.replace(/\/\/[^\s/@]*@/g, '//…@');
}
