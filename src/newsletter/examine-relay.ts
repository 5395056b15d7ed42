/** The relay under examination: a session is opened and closed, and no mail is sent. */
import { once } from 'node:events';
import { TLSSocket } from 'node:tls';
import { personalLogin } from '../check/account.ts';
import { type Examination, examining } from '../check/examination.ts';
import { openSession, type Relay, refusal, type Session } from '../delivery/smtp/open.ts';

/** How long the whole session may take, ms. */
const PATIENCE = 15_000;

/** How long the answer to QUIT is waited for, ms. */
const GOODBYE = 2_000;

/** Connects, takes TLS, logs in, and says goodbye (D-40, D-43, D-49). */
export async function examineRelay(relay: Relay): Promise<Examination> {
  const { host, username } = new URL(relay.url);
  const says = examining('relay', `Relay ${host}`);
  try {
    const session = await openSession(relay, AbortSignal.timeout(PATIENCE));
    const words = [encryption(session), username ? 'login accepted' : 'no login', offers(session)];
    const found = words.join(', ');
    await sayGoodbye(session);
    if (!session.extensions.has('PIPELINING'))
      return says('warn', found, 'Without PIPELINING each mail takes more round trips.');
    if (!username && !isLoopback(relay.url)) return says('warn', found, NOT_DIRECT);
    return says('ok', `${found}; ${ITS_DUTY}`);
  } catch (error) {
    const { reply, reason } = refusal(error as Error);
    const fix =
      reason === 'login-refused' && personalLogin(relay.url)
        ? 'The password is the authorisation code (授权码) from the settings of the mailbox, not that of the web.'
        : 'Look at SMTP_URL: scheme, host, port, user and password (percent-encoded).';
    return says('fail', `${reason}: ${reply}`, fix);
  }
}

const ITS_DUTY = 'PTR and EHLO name of its addresses are its duty';
const NOT_DIRECT =
  'Mail goes through a relay with a login; delivery straight to the readers’ servers is not supported.';

/** Whether a relay is on this machine. */
export function isLoopback(smtpUrl: string): boolean {
  return /^(localhost|127\..*|\[::1\])$/.test(new URL(smtpUrl).hostname);
}

function encryption({ socket }: Session): string {
  return socket instanceof TLSSocket ? `${socket.getProtocol()}` : 'not encrypted';
}

function offers({ extensions, largest }: Session): string {
  const named = ['PIPELINING', '8BITMIME'].map((name) =>
    extensions.has(name) ? name : `no ${name}`,
  );
  return [...named, largest > 0 ? `SIZE ${largest}` : 'no SIZE'].join(', ');
}

async function sayGoodbye({ socket }: Session): Promise<void> {
  socket.on('error', () => {}).resume();
  socket.end('QUIT\r\n');
  try {
    if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(GOODBYE) });
  } catch {
    // It does not answer: the session is over all the same.
  }
  socket.destroy();
}
