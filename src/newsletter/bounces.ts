/** Reports of mails that came back: read, written down, and what follows for the readers. */
import { join } from 'node:path';
import type { Kind } from '../bounces/classify.ts';
import { type Mailbox, openPath } from '../bounces/files.ts';
import { parseReport } from '../bounces/parse.ts';
import { type Bounce, judge, type Reading, record } from '../bounces/record.ts';
import { type Fetch, readNotification } from '../bounces/ses.ts';
import { failedError, inputError } from '../errors.ts';
import { acquireLock } from '../store/lock.ts';
import type { Newsletter } from './newsletter.ts';

export interface ReadInput {
  /** Files, mboxes, Maildirs, folders; none: the mailbox in BOUNCES_IMAP_URL. */
  paths: readonly string[];
  /** Writes nothing, and leaves every mail as it is. */
  dryRun?: boolean | undefined;
}

export interface ReadResult {
  /** Messages. */
  read: number;
  /** Of them read before. */
  known: number;
  /** Findings by kind. */
  kinds: Partial<Record<Kind, number>>;
  /** What followed for readers. */
  effects: Record<NonNullable<Bounce['effect']>, number>;
  /** Failures for a person to look at: whose they are, or what they say, is not known. */
  forPerson: { origin: string; subject: string; kind: Kind; reply: string }[];
}

/** Reports that are listed for a person at most; all are in the database. */
const MOST_LISTED = 200;

/**
 * Reads reports. A mail is put away only after the database has what it says, so none is lost; one that is read
 * twice counts once.
 * @throws BroadsheetError `nothing-to-read`, `file-missing`, `imap-failed`, `mailbox-busy`
 */
export async function readBounces(
  newsletter: Newsletter,
  { paths, dryRun = false }: ReadInput,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<ReadResult> {
  const result = nothingYet();
  if (paths.length === 0) await readMailbox(newsletter, dryRun, result, onProgress);
  else {
    // All are opened first: a path that is not there is said before anything is written.
    const opened = await Promise.all(paths.map(openPath));
    const total = opened.reduce((sum, mailbox) => sum + mailbox.total, 0);
    for (const mailbox of opened)
      await readAll(newsletter, mailbox, dryRun, result, (done) =>
        onProgress(done, Math.max(done, total)),
      );
  }
  return result;
}

async function readMailbox(
  newsletter: Newsletter,
  dryRun: boolean,
  result: ReadResult,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const { bouncesImapUrl: url } = newsletter.secrets;
  if (!url)
    throw inputError('nothing-to-read', 'There is no mailbox to read reports from', {
      hint: 'Set BOUNCES_IMAP_URL in the environment or config/.env, or name files and folders.',
    });
  const { openImap } = await import('../bounces/imap.ts');
  const { processed } = newsletter.settings.bounces;
  const lock = acquireLock(join(newsletter.stateDir, 'bounces.lock'));
  if (!lock) throw failedError('mailbox-busy', 'Another process is reading the mailbox just now');
  try {
    const mailbox = await openImap({ url, processed });
    try {
      await readAll(newsletter, mailbox, dryRun, result, (done) => onProgress(done, mailbox.total));
    } finally {
      await mailbox.close();
    }
  } finally {
    lock.release();
  }
}

async function readAll(
  newsletter: Newsletter,
  mailbox: Mailbox,
  dryRun: boolean,
  result: ReadResult,
  onProgress: (done: number) => void,
): Promise<void> {
  for await (const { raw, origin, done } of mailbox.messages()) {
    const report = await parseReport(raw);
    const reading = readingOf(newsletter, origin);
    const bounces = dryRun
      ? await judge(newsletter.db, report, reading)
      : await newsletter.db.transaction().execute((trx) => record(trx, report, reading));
    count(result, bounces, { origin, subject: report.subject });
    if (!dryRun) await done(report.form === 'mail' ? 'other' : 'report');
    onProgress(result.read);
  }
}

function readingOf({ keys, settings, clock }: Newsletter, origin: string): Reading {
  const { slug, bounces } = settings;
  return { newsletter: slug, keys, address: bounces.address, origin, now: clock() };
}

function nothingYet(): ReadResult {
  const effects = { suppressed: 0, soft: 0, unsubscribed: 0, complaint: 0 };
  return { read: 0, known: 0, kinds: {}, effects, forPerson: [] };
}

function count(
  result: ReadResult,
  bounces: readonly Bounce[] | 'known',
  { origin, subject }: { origin: string; subject: string },
): void {
  result.read += 1;
  if (bounces === 'known') {
    result.known += 1;
    return;
  }
  for (const { kind, effect, reply, isForPerson } of bounces) {
    result.kinds[kind] = (result.kinds[kind] ?? 0) + 1;
    if (effect) result.effects[effect] += 1;
    if (isForPerson && result.forPerson.length < MOST_LISTED)
      result.forPerson.push({ origin, subject, kind, reply });
  }
}

/**
 * Takes one notification of Amazon SES that was posted to us.
 * @returns `refused` where it is not from the topic in the settings, or not signed by Amazon
 */
export async function receiveSes(
  newsletter: Newsletter,
  body: string,
  fetch: Fetch,
): Promise<'recorded' | 'subscribed' | 'ignored' | 'refused'> {
  const { ses } = newsletter.settings.bounces;
  if (!ses) return 'refused';
  const said = await readNotification(body, { topic: ses.topic, fetch });
  if (typeof said === 'string') return said;
  const reading = { ...readingOf(newsletter, 'ses'), isTrusted: true };
  await newsletter.db.transaction().execute((trx) => record(trx, said, reading));
  return 'recorded';
}
