/**
 * A send without its last step: every reader's mail is composed, and signed where we sign, into nothing.
 * What that shows is kept, and the campaign's report compares itself with it.
 */
import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { maskAddress, providerOf } from '../audience/address.ts';
import { BroadsheetError } from '../errors.ts';
import { type Signer, sign } from '../message/dkim.ts';
import { deserialise, fillPieces, type Program, serialise } from '../message/program.ts';
import type { Database } from '../store/schema.ts';
import { type Rates, shortestDuration } from './limits.ts';
import { type CampaignKey, type Recipient, recipients } from './plan.ts';

export interface RehearsalInput extends CampaignKey {
  program: Program;
  /** Names the issue as it stands: what an approval carries. */
  hash: string;
  signer: Signer | undefined;
  tokenFor: (publicId: string) => string;
  rates: Rates;
  /** What the first wave adds, ms. */
  pause: number;
  clock: () => number;
  /** Readers composed so far. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Plain data. */
export interface Rehearsal {
  /** When it began, ms. */
  at: number;
  hash: string;
  /** SHA-256 over the ids of the readers, in order: names exactly who would get it. */
  audienceHash: string;
  recipients: number;
  byProvider: Record<string, number>;
  /** Bytes of all messages together. */
  bytes: number;
  /** The largest message, and whose it is; the address is masked. */
  largest: { bytes: number; address: string } | null;
  /** Readers to whom no mail can be made, and the first of them. */
  impossible: { count: number; example: string | null };
  /** Composing and signing all of them took so long here, ms. */
  composedMs: number;
  /** At the rates of the settings, and with the pause of a first wave, it takes this long at least, ms. */
  shortestMs: number;
}

/** Messages that are composed at once: signing has a thread for each. */
const AT_ONCE = 8;

/** Composes every mail of a send and throws it away. Reads only; memory does not grow with the list. */
export async function rehearse(db: Kysely<Database>, input: RehearsalInput): Promise<Rehearsal> {
  const at = input.clock();
  const begun = performance.now();
  // Through the bytes that a campaign would keep.
  const program = deserialise(serialise(input.program));
  const audience = createHash('sha256');
  const tally: Tally = {
    recipients: 0,
    byProvider: {},
    bytes: 0,
    largest: null,
    impossible: { count: 0, example: null },
  };
  for await (const page of recipients(db, input)) {
    if (input.signal?.aborted) break;
    for (const { id } of page) audience.update(`${id}\n`);
    for (let from = 0; from < page.length; from += AT_ONCE) {
      const some = page.slice(from, from + AT_ONCE);
      const sizes = await Promise.all(some.map((reader) => sizeOf(program, reader, input)));
      for (const [n, reader] of some.entries()) count(tally, reader, sizes[n] as number | string);
    }
    input.onProgress?.(tally.recipients);
  }
  return {
    at,
    hash: input.hash,
    audienceHash: `sha256:${audience.digest('hex')}`,
    ...tally,
    composedMs: Math.round(performance.now() - begun),
    shortestMs: shortestDuration(input.rates, tally.byProvider) + input.pause,
  };
}

type Tally = Pick<Rehearsal, 'recipients' | 'byProvider' | 'bytes' | 'largest' | 'impossible'>;

/** Bytes of one reader's message, or why there is none. */
async function sizeOf(
  program: Program,
  { id, address, name, public_id }: Recipient,
  { signer, tokenFor }: RehearsalInput,
): Promise<number | string> {
  try {
    const reader = { delivery: id, address, name, token: tokenFor(public_id) };
    const pieces = fillPieces(program, reader);
    const message = signer ? await sign(pieces, signer) : pieces;
    return message.reduce((sum, piece) => sum + piece.length, 0);
  } catch (error) {
    if (error instanceof BroadsheetError) return error.problems[0]?.message ?? error.code;
    throw error;
  }
}

function count(tally: Tally, { address }: Recipient, size: number | string): void {
  const provider = providerOf(address);
  tally.recipients += 1;
  tally.byProvider[provider] = (tally.byProvider[provider] ?? 0) + 1;
  if (typeof size === 'string') {
    tally.impossible.count += 1;
    tally.impossible.example ??= `${maskAddress(address)}: ${size.replaceAll(address, maskAddress(address))}`;
    return;
  }
  tally.bytes += size;
  if (size > (tally.largest?.bytes ?? 0))
    tally.largest = { bytes: size, address: maskAddress(address) };
}

export async function keepRehearsal(
  db: Kysely<Database>,
  { newsletter, channel, issue }: CampaignKey,
  rehearsal: Rehearsal,
): Promise<void> {
  await db
    .insertInto('rehearsals')
    .values({
      newsletter,
      channel,
      issue,
      audience_hash: rehearsal.audienceHash,
      result: JSON.stringify(rehearsal),
      created_at: rehearsal.at,
    })
    .execute();
}

/** A campaign beside its last rehearsal. */
export interface Compared extends Rehearsal {
  /** The campaign was planned for exactly the readers of the rehearsal. */
  sameReaders: boolean;
  /** From the campaign's start to its end, ms; null while it runs. */
  tookMs: number | null;
}

/** The last rehearsal before a campaign began. @returns undefined where there was none */
export async function comparedWithRehearsal(
  db: Kysely<Database>,
  campaign: number,
): Promise<Compared | undefined> {
  const { newsletter, channel, issue, created_at, finished_at } = await db
    .selectFrom('campaigns')
    .select(['newsletter', 'channel', 'issue', 'created_at', 'finished_at'])
    .where('id', '=', campaign)
    .executeTakeFirstOrThrow();
  const row = await db
    .selectFrom('rehearsals')
    .select('result')
    .where('newsletter', '=', newsletter)
    .where('channel', '=', channel)
    .where('issue', '=', issue)
    .where('created_at', '<=', created_at)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const rehearsal = JSON.parse(row.result) as Rehearsal;
  const readers = await audienceHash(db, { newsletter, channel, issue }, campaign);
  return {
    ...rehearsal,
    sameReaders: readers === rehearsal.audienceHash,
    tookMs: finished_at === null ? null : finished_at - created_at,
  };
}

/** Deliveries that are read at once. */
const PAGE = 5_000;

/** The hash of those whom a campaign was planned for. */
async function audienceHash(
  db: Kysely<Database>,
  { newsletter, channel, issue }: Omit<CampaignKey, 'audience'>,
  campaign: number,
): Promise<string> {
  const audience = createHash('sha256');
  for (let after = 0; ; ) {
    const page = await db
      .selectFrom('deliveries')
      .select('subscriber_id')
      .where('newsletter', '=', newsletter)
      .where('channel', '=', channel)
      .where('issue', '=', issue)
      .where('campaign_id', '=', campaign)
      .where('subscriber_id', '>', after)
      .orderBy('subscriber_id')
      .limit(PAGE)
      .execute();
    const last = page.at(-1);
    if (!last) return `sha256:${audience.digest('hex')}`;
    for (const { subscriber_id } of page) audience.update(`${subscriber_id}\n`);
    after = last.subscriber_id;
  }
}
