/** Reports in an IMAP mailbox. What is read stays unseen until it is written down; then it is moved, never deleted. */
import { ImapFlow } from 'imapflow';
import { failedError } from '../errors.ts';
import type { Incoming, Mailbox } from './files.ts';
import { LONGEST_REPORT } from './parse.ts';

export interface ImapOptions {
  /** `imaps://user:password@host:993/INBOX`; `imap://` begins without TLS and asks for it, except on this machine. */
  url: string;
  /** Folder that reports are moved to. */
  processed: string;
}

export interface ImapMailbox extends Mailbox {
  close(): Promise<void>;
}

/** Set on mail that is no report: it stays unseen, for a person, and is not read again. */
const READ = '$BroadsheetRead';

/** Milliseconds that a server may be silent. */
const PATIENCE = 60_000;

/**
 * Opens the mailbox and counts what is unseen.
 * @throws BroadsheetError `imap-failed`; it never shows the password
 */
export async function openImap({ url, processed }: ImapOptions): Promise<ImapMailbox> {
  const { client, folder } = clientOf(url);
  try {
    await client.connect();
    await client.mailboxOpen(folder);
    const uids = (await client.search({ seen: false, unKeyword: READ }, { uid: true })) || [];
    const place = `${folder} at ${new URL(url).hostname}`;
    return {
      total: uids.length,
      messages: () => messagesOf(client, uids, { url, place, processed }),
      close: () => closeQuietly(client),
    };
  } catch (error) {
    client.close();
    throw failed(url, error);
  }
}

async function* messagesOf(
  client: ImapFlow,
  uids: readonly number[],
  { url, place, processed }: { url: string; place: string; processed: string },
): AsyncGenerator<Incoming> {
  const told = <Result>(answer: Promise<Result>): Promise<Result> =>
    answer.catch((error) => {
      throw failed(url, error);
    });
  let isThere = false;
  for (const uid of uids) {
    const range = String(uid);
    const query = { source: { maxLength: LONGEST_REPORT + 1 } };
    const found = await told(client.fetchOne(range, query, { uid: true }));
    // Somebody else took it meanwhile.
    if (!found || found.source === undefined) continue;
    yield {
      raw: found.source,
      origin: `${place}, message ${uid}`,
      async done(what) {
        if (what === 'other') {
          await told(client.messageFlagsAdd(range, [READ], { uid: true }));
          return;
        }
        if (!isThere) await told(client.mailboxCreate(processed));
        isThere = true;
        await told(client.messageFlagsAdd(range, ['\\Seen'], { uid: true }));
        await told(client.messageMove(range, processed, { uid: true }));
      },
    };
  }
}

function clientOf(url: string): { client: ImapFlow; folder: string } {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const secure = protocol === 'imaps:';
  const isHere = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
  const client = new ImapFlow({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (secure ? 993 : 143),
    secure,
    ...(secure ? {} : { doSTARTTLS: !isHere }),
    auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
    logger: false,
    disableAutoIdle: true,
    socketTimeout: PATIENCE,
  });
  // Whoever waits for an answer is told by its rejection.
  client.on('error', () => {});
  return { client, folder: decodeURIComponent(pathname.slice(1)) || 'INBOX' };
}

async function closeQuietly(client: ImapFlow): Promise<void> {
  await client.logout().catch(() => client.close());
}

function failed(url: string, error: unknown) {
  const { message, responseText } = error as { message: string; responseText?: string };
  const { host } = new URL(url);
  return failedError(
    'imap-failed',
    `The mailbox at ${host} cannot be read: ${responseText ?? message}`,
    {
      hint: 'Check BOUNCES_IMAP_URL: host, user, password, and the folder behind the host.',
    },
  );
}
