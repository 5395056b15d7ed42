/** The loop that sends: lanes that each carry one mail at a time, and one ledger that they share. */
import { createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { failedError } from '../errors.ts';
import { addrSpec } from '../message/address.ts';
import { type Signer, sign, verifySignature } from '../message/dkim.ts';
import { deserialise, fill, type Program } from '../message/program.ts';
import type { Channel, Database } from '../store/schema.ts';
import { openExchange } from './exchange.ts';
import { failpoint } from './failpoint.ts';
import {
  dueCampaign,
  finishCampaigns,
  type LedgerRules,
  type Marked,
  nextDue,
  recover,
  type Turn,
} from './ledger.ts';
import type { Outcome } from './outcome.ts';
import { pauseCampaign } from './progress.ts';
import type { Transport } from './transport.ts';

export interface SenderOptions {
  db: Kysely<Database>;
  newsletter: string;
  transportFor: (channel: Channel, campaignId: number) => Transport;
  signer: Signer | undefined;
  /** ms. */
  clock: () => number;
  random: (bytes: number) => Buffer;
  /** Aborted: start nothing more, finish what is in flight, give the rest back. */
  signal: AbortSignal;
  /** End when nothing is due, instead of waiting for more. */
  once: boolean;
  settings: LedgerRules & { connections: number };
  log: { warn(fields: object, message: string): void };
}

export interface SenderReport {
  /** Attempts by how they ended. */
  attempts: Record<Outcome['state'], number>;
  /** When the next deferred delivery is due, ms. */
  nextDue: number | null;
}

/** How often a sender without work looks for some, ms. */
const IDLE = 1_000;
/** How long mails in flight may take after the signal, ms. */
const GRACE = 25_000;
/** So many relay faults in a row, beyond one for each connection, pause a campaign. */
const MOST_FAULTS = 10;
/** A lane waits longer after each fault, up to this, ms. */
const LONGEST_WAIT = 5_000;

/** Sends whatever is due. The caller holds the sender lock. */
export async function runSender(options: SenderOptions): Promise<SenderReport> {
  const { db, newsletter, clock, signal, settings } = options;
  const epoch = await recover(db, newsletter, settings.onUnknown, clock());
  const report: SenderReport = {
    attempts: { accepted: 0, deferred: 0, failed: 0, unknown: 0 },
    nextDue: null,
  };
  while (!signal.aborted) {
    await finishCampaigns(db, newsletter, clock());
    const campaign = await dueCampaign(db, newsletter, clock());
    if (campaign) await sendCampaign(options, campaign, epoch, report);
    else if (options.once) break;
    else await sleep(IDLE, undefined, { signal }).catch(() => {});
  }
  report.nextDue = await nextDue(db, newsletter);
  return report;
}

type DueCampaign = NonNullable<Awaited<ReturnType<typeof dueCampaign>>>;

/** Works on one campaign until nothing of it is due, it is paused, or the signal aborts. */
async function sendCampaign(
  options: SenderOptions,
  campaign: DueCampaign,
  epoch: number,
  report: SenderReport,
): Promise<void> {
  const transport = options.transportFor(campaign.channel, campaign.id);
  const editions = await openEditions(options.db, campaign.id);
  if (options.signer) trySignature(editions, options.signer);
  const hardStop = afterGrace(options.signal);
  const turn = (): Turn => ({
    campaign,
    epoch,
    now: options.clock(),
    rules: options.settings,
    chance: () => options.random(4).readUInt32BE() / 2 ** 32,
  });
  const ledger = openExchange(options.db, turn, options.signal);
  const faults = faultCounter(options, campaign.id);
  const lane = async () => {
    for (let next = await ledger.next(); next; next = await ledger.next()) {
      const outcome = await attempt(options, editions, transport, next, hardStop);
      report.attempts[outcome.state] += 1;
      ledger.done({ delivery: next, outcome });
      await faults(outcome);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.settings.connections }, lane));
  } finally {
    await ledger.close();
    await transport.close();
  }
}

async function attempt(
  { db, signer }: SenderOptions,
  editions: Map<number, Edition>,
  transport: Transport,
  { id, campaignId, editionId, address, name, token }: Marked,
  hardStop: AbortSignal,
): Promise<Outcome> {
  // An amended campaign has an edition that was not there when it was opened.
  if (!editions.has(editionId))
    for (const [id, added] of await openEditions(db, campaignId)) editions.set(id, added);
  const edition = editions.get(editionId);
  if (!edition)
    throw failedError(
      'edition-missing',
      `Delivery ${id} names edition ${editionId}, which is not there`,
    );
  let bytes: Buffer;
  try {
    bytes = fill(edition.program, { delivery: id, address, name, token });
  } catch (error) {
    // What cannot be composed for one reader must not stop the others.
    return { state: 'failed', code: null, reply: (error as Error).message, relayFault: false };
  }
  failpoint('after-mark');
  const message = signer ? sign(bytes, signer) : bytes;
  const envelope = { id: String(id), from: edition.sender, to: addrSpec(address) };
  return transport.deliver(envelope, message, hardStop);
}

interface Edition {
  program: Program;
  sender: string;
}

async function openEditions(
  db: Kysely<Database>,
  campaignId: number,
): Promise<Map<number, Edition>> {
  const rows = await db
    .selectFrom('editions')
    .select(['id', 'program', 'sender'])
    .where('campaign_id', '=', campaignId)
    .execute();
  return new Map(
    rows.map(({ id, program, sender }) => [id, { program: deserialise(program), sender }]),
  );
}

/** One message is signed and verified before any is sent (D-39). */
function trySignature(editions: Map<number, Edition>, signer: Signer): void {
  const [edition] = editions.values();
  if (!edition) return;
  const reader = { delivery: 'trial', address: edition.sender, name: null, token: 'trial' };
  verifySignature(sign(fill(edition.program, reader), signer), createPublicKey(signer.key));
}

/** Pauses the campaign when the relay fails again and again, and slows down until then. */
function faultCounter({ db, log, signal, settings }: SenderOptions, campaignId: number) {
  let inRow = 0;
  const most = MOST_FAULTS + settings.connections;
  return async ({ relayFault, reply }: Outcome) => {
    inRow = relayFault ? inRow + 1 : 0;
    if (!relayFault) return;
    log.warn({ campaign: campaignId, reply, inRow }, 'the relay is at fault');
    if (inRow >= most) {
      await pauseCampaign(db, campaignId, `The relay failed ${inRow} times in a row: ${reply}`);
    } else {
      const wait = Math.min(100 * inRow, LONGEST_WAIT);
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  };
}

/** Aborts a while after the signal did: a mail in flight may end, but not take for ever. */
function afterGrace(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const begin = () => setTimeout(() => controller.abort(), GRACE).unref();
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return controller.signal;
}
