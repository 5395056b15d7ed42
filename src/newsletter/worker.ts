/** The process that sends, and nothing else: it never loads mjml, handlebars or fastify. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { SenderReport } from '../delivery/lanes.ts';
import type { Rates } from '../delivery/limits.ts';
import { createOutbox } from '../delivery/outbox.ts';
import { patiently } from '../delivery/patiently.ts';
import { runSender } from '../delivery/sender.ts';
import { createSmtpTransport } from '../delivery/smtp/transport.ts';
import type { Transport } from '../delivery/transport.ts';
import type { LedgerRules } from '../delivery/turn.ts';
import { inputError } from '../errors.ts';
import type { Verp } from '../message/verp.ts';
import { isPostgres } from '../store/dialect.ts';
import { acquireLock } from '../store/lock.ts';
import type { Channel } from '../store/schema.ts';
import { requireHome } from './installation.ts';
import type { Newsletter } from './newsletter.ts';
import { signerOf } from './signer.ts';

/**
 * Sends whatever campaigns there are until the signal, or, with `once`, until nothing is due.
 * @returns what was done, or null when another process of this database is sending already
 * @throws BroadsheetError `database-copied`
 */
export async function work(
  newsletter: Newsletter,
  options: { signal: AbortSignal; once?: boolean },
): Promise<SenderReport | null> {
  await patiently(() => requireHome(newsletter));
  // On PostgreSQL each chunk has one owner, and any number of processes send.
  const isShared = isPostgres(newsletter.db);
  const lock = isShared ? undefined : acquireLock(join(newsletter.stateDir, 'sender.lock'));
  if (lock === null) return null;
  try {
    return await runSender({
      db: newsletter.db,
      newsletter: newsletter.settings.slug,
      transportFor: (channel, campaign) =>
        transportFor(newsletter, channel, `campaign-${campaign}`),
      signer: signerOf(newsletter),
      verp: verpOf(newsletter),
      clock: newsletter.clock,
      random: newsletter.random,
      log: newsletter.log,
      signal: options.signal,
      once: options.once === true,
      settings: rulesOf(newsletter),
    });
  } finally {
    lock?.release();
  }
}

function rulesOf({ settings }: Newsletter): LedgerRules {
  const { onUnknown, expireAfter } = settings.delivery;
  return { onUnknown, expireAfter, rates: ratesOf(settings) };
}

/** The limits of the relay and of each provider group, as the settings have them. */
export function ratesOf({ delivery: { rate, providers } }: Newsletter['settings']): Rates {
  return { relay: rate, ...providers };
}

export interface Worker {
  /** True until the process has ended. */
  readonly running: boolean;
  /** True when it ended otherwise than by being done. */
  readonly failed: boolean;
  /** Lets it finish what is in flight; resolves when it has ended. */
  stop(): Promise<void>;
}

/** Starts a worker process that ends when this process does. */
export function startWorker(newsletter: Newsletter): Worker {
  const [command, ...args] = newsletter.workerCommand;
  const env = { LOG_LEVEL: 'error', ...process.env };
  const child = spawn(command as string, args, { stdio: ['pipe', 'ignore', 'inherit'], env });
  return {
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    get failed() {
      return (child.exitCode ?? 0) > 0;
    },
    stop: () => stop(child),
  };
}

/** The worker watches its stdin: when that ends, nobody waits for it any more. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.stdin?.end();
  await ended;
}

/** @param folder of the outbox */
export function transportFor(newsletter: Newsletter, channel: Channel, folder: string): Transport {
  const { connections } = newsletter.settings.delivery;
  if (channel === 'outbox')
    return createOutbox(join(newsletter.stateDir, 'outbox', folder), connections);
  const { smtpUrl } = newsletter.secrets;
  if (!smtpUrl) {
    throw inputError('smtp-url-missing', 'SMTP_URL is not set', {
      hint: 'Put SMTP_URL=smtps://user:password@relay.example.com into the environment or config/.env.',
    });
  }
  return createSmtpTransport({ url: smtpUrl, oauth: newsletter.secrets.smtpOauth, connections });
}

/** Return paths that name the delivery, where the settings have an address for reports (D-54). */
export function verpOf({ settings, keys }: Newsletter): Verp | undefined {
  const { address } = settings.bounces;
  return address === undefined ? undefined : { address, newsletter: settings.slug, keys };
}
