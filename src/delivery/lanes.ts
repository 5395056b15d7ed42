/** Works on one campaign: lanes that each carry one mail at a time, and one exchange with the ledger that they share. */
import type { Kysely } from 'kysely';
import { addrSpec } from '../message/address.ts';
import { type Signer, sign } from '../message/dkim.ts';
import { fillPieces } from '../message/program.ts';
import { type Verp, verpAddress } from '../message/verp.ts';
import type { Channel, Database } from '../store/schema.ts';
import type { Chunk } from './chunks.ts';
import { type Edition, editionOf, openEditions, trySignature } from './editions.ts';
import { openExchange, type Source } from './exchange.ts';
import { failpoint } from './failpoint.ts';
import type { Marked } from './mark.ts';
import type { Outcome } from './outcome.ts';
import { createQueue } from './queue.ts';
import { watchRelay } from './relay.ts';
import type { Mail, Transport } from './transport.ts';
import type { LedgerRules, SendingCampaign, Turn } from './turn.ts';

export interface SenderOptions {
  db: Kysely<Database>;
  newsletter: string;
  transportFor: (channel: Channel, campaignId: number) => Transport;
  signer: Signer | undefined;
  /** Return paths that name the delivery (D-54), for editions whose sender is its address. */
  verp?: Verp | undefined;
  /** ms. */
  clock: () => number;
  random: (bytes: number) => Buffer;
  /** Aborted: start nothing more, finish what is in flight, give the rest back. */
  signal: AbortSignal;
  /** End when nothing is due, instead of waiting for more. */
  once: boolean;
  settings: LedgerRules;
  /** How long a mail of a worker that is gone may still be under way, ms; default: 15 minutes. */
  longestMail?: number;
  log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
}

export interface SenderReport {
  /** Attempts by how they ended. */
  attempts: Record<Outcome['state'], number>;
  /** When the next deferred delivery is due, ms. */
  nextDue: number | null;
}

/** Where a sender stands when it begins with a campaign. */
export interface Standing {
  /** Of this sender. */
  epoch: number;
  /** Waits until what has been committed is on the disk. */
  flush: () => Promise<void>;
  /** The chunk that deliveries are marked of; null where one sender has everything. */
  chunk: () => Chunk | null;
  source?: Source;
}

/** How long mails in flight may take after the signal, ms. */
const GRACE = 25_000;

/**
 * Works on one campaign until nothing of it may start: all is done, it is paused, limits hold the rest back, or the
 * signal aborts.
 * @returns when limits let it go on, ms; null where none do
 */
export async function sendCampaign(
  options: SenderOptions,
  campaign: SendingCampaign,
  { epoch, flush, chunk, source }: Standing,
  report: SenderReport,
): Promise<number | null> {
  const editions = await openEditions(options.db, campaign.id);
  if (options.signer) await trySignature(editions, options.signer);
  const transport = options.transportFor(campaign.channel, campaign.id);
  const stopGrace = afterGrace(options.signal, transport);
  const queue = createQueue();
  const turn = (): Turn => ({
    campaign,
    epoch,
    now: options.clock(),
    rules: options.settings,
    queue,
    chunk: chunk(),
    chance: () => options.random(4).readUInt32BE() / 2 ** 32,
  });
  const { db, signal } = options;
  const exchange = openExchange({ db, flush, turn, source, lanes: transport.lanes, signal });
  const relay = watchRelay(options, turn, transport);
  const lane = async () => {
    for (let next = await exchange.next(); next; ) {
      const delivery = next;
      const mail = await compose(options, editions, delivery);
      let following: Promise<Marked | null> | undefined;
      const outcome = await ('state' in mail ? record(mail) : transport.deliver(mail, record));
      report.attempts[outcome.state] += 1;
      if (outcome.state !== 'accepted') tell(options, delivery, outcome);
      await relay.saw(outcome);
      next = await (following ?? exchange.next());

      /** A result and the mark of the next delivery share a commit. */
      async function record(outcome: Outcome): Promise<Outcome> {
        const stored = exchange.store({ delivery, outcome: legible(outcome) });
        if (!outcome.relayFault) following = exchange.next();
        // Where the ledger fails, `stored` says so; nobody may be listening to the other yet.
        following?.catch(() => {});
        await stored;
        return outcome;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: transport.lanes }, lane));
    await relay.end();
  } finally {
    await exchange.close();
    await transport.close();
    stopGrace();
  }
  return exchange.again;
}

/** The mail of a delivery; or, where it cannot be composed, the outcome: that must not stop the others. */
async function compose(
  { db, signer, verp }: SenderOptions,
  editions: Map<number, Edition>,
  { id, campaignId, editionId, address, name, token }: Marked,
): Promise<Mail | Outcome> {
  const edition = await editionOf(db, editions, campaignId, editionId);
  failpoint('after-mark');
  try {
    const message = fillPieces(edition.program, { delivery: id, address, name, token });
    return {
      id: String(id),
      from: verp?.address === edition.sender ? verpAddress(verp, id) : edition.sender,
      to: addrSpec(address),
      message: signer ? await sign(message, signer) : message,
    };
  } catch (error) {
    const { message: reply } = error as Error;
    return { state: 'failed', code: null, reply, relayFault: false, reason: 'cannot-be-composed' };
  }
}

/** What a log can be searched by; no address, which the ledger has. */
function tell(
  { log, newsletter }: SenderOptions,
  { id: delivery, campaignId: campaign, provider, attempts }: Marked,
  { state, code, reason, reply }: Outcome,
): void {
  const about = { newsletter, campaign, delivery, provider, attempts, state, code, reason, reply };
  log.info(about, 'not accepted');
}

/** PostgreSQL keeps no NUL in text, and a server may say anything. */
function legible(outcome: Outcome): Outcome {
  return outcome.reply.includes('\0')
    ? { ...outcome, reply: outcome.reply.replaceAll('\0', '\ufffd') }
    : outcome;
}

/** A while after the signal, a mail in flight has had its time. @returns what calls it off */
function afterGrace(signal: AbortSignal, transport: Transport): () => void {
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(() => transport.abort(), GRACE);
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', begin);
  };
}

/** The soonest that lies ahead; of what is due already only a limit can tell when. */
export function soonest(times: (number | null)[], now: number): number | null {
  const known = times.filter((time) => time !== null);
  const ahead = known.filter((time) => time > now);
  if (ahead.length > 0) return Math.min(...ahead);
  return known.length > 0 ? now : null;
}

export function emptyReport(): SenderReport {
  return { attempts: { accepted: 0, deferred: 0, failed: 0, unknown: 0 }, nextDue: null };
}
