/** The list, as the person who keeps it knows it. */
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import {
  exportSubscribers,
  type ImportReport,
  importSubscribers,
  type RefusedRow,
} from '../audience/csv.ts';
import * as audience from '../audience/subscribers.ts';
import { suppressionOf } from '../audience/suppression.ts';
import { removeSubscriber as takeOff } from '../audience/unsubscribe.ts';
import { inputError } from '../errors.ts';
import type { Newsletter } from './newsletter.ts';

const STATES = ['active', 'pending', 'unsubscribed'] as const;

/** Every reader, or those in one state, in the order in which they came. */
export function eachSubscriber({ db, settings }: Newsletter, state?: string) {
  const known = STATES.find((name) => name === state);
  if (state !== undefined && !known) {
    throw inputError('state-unknown', `No reader is "${state}"`, {
      hint: `States: ${STATES.join(', ')}.`,
    });
  }
  return audience.eachSubscriber(db, { newsletter: settings.slug, state: known });
}

/** Everything known of one reader. */
export async function showSubscriber(newsletter: Newsletter, address: string) {
  const { db, settings } = newsletter;
  const reader = await audience.findSubscriber(db, settings.slug, address);
  if (!reader) throw unknownReader(address);
  const consents = await db
    .selectFrom('consents')
    .select(['at', 'event', 'via'])
    .where('subscriber_id', '=', reader.id)
    .orderBy('id')
    .execute();
  const deliveries = await db
    .selectFrom('deliveries')
    .select([
      'issue',
      'channel',
      'state',
      'attempts',
      'code',
      'reply',
      'attempted_at',
      'settled_at as at',
    ])
    .where('subscriber_id', '=', reader.id)
    .orderBy('id')
    .execute();
  const bounces = await db
    .selectFrom('bounces')
    .leftJoin('deliveries', 'deliveries.id', 'bounces.delivery_id')
    .select(['bounces.at', 'deliveries.issue', 'bounces.kind', 'bounces.effect', 'bounces.reply'])
    .where('bounces.subscriber_id', '=', reader.id)
    .orderBy('bounces.id')
    .execute();
  const { id: _, public_id: __, address_hash: ___, address_key, tags, ...shown } = reader;
  return {
    ...shown,
    tags: JSON.parse(tags) as string[],
    suppressed: await suppressionOf(db, address_key),
    consents,
    deliveries,
    bounces,
  };
}

/** Adds a reader who agreed to it; says so where one left before, and brings nobody back. */
export async function addSubscriber(
  { db, settings, clock, random }: Newsletter,
  reader: { address: string; name: string | null },
) {
  const result = await audience.addSubscriber(
    db,
    { newsletter: settings.slug, source: 'cli', ...reader },
    { now: clock(), random },
  );
  return { address: reader.address, result };
}

/** Unsubscribes a reader. The row stays, so that an import does not bring the address back. */
export async function removeSubscriber({ db, settings, clock }: Newsletter, address: string) {
  const leaving = { newsletter: settings.slug, address, via: 'cli' };
  const result = await takeOff(db, leaving, clock());
  if (result === 'unknown') throw unknownReader(address);
  return { address, result };
}

export interface ImportFile {
  delimiter?: string | undefined;
  encoding?: string | undefined;
  dryRun?: boolean | undefined;
  onRefused?: (row: RefusedRow) => void;
  /** Bytes of the work done, and of all of it. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Imports a CSV file. It is read through once before anything is written, so that a file that breaks
 * off half-way changes nothing.
 */
export async function importFile(
  newsletter: Newsletter,
  path: string,
  options: ImportFile,
): Promise<ImportReport> {
  const { db, settings, clock, random } = newsletter;
  const size = sizeOf(path);
  const { onRefused, onProgress, dryRun, ...rest } = options;
  const run = (pass: number, isDry: boolean) =>
    importSubscribers(
      db,
      {
        ...rest,
        newsletter: settings.slug,
        input: createReadStream(path),
        name: basename(path),
        dryRun: isDry,
        onProgress: (bytes) => onProgress?.(pass * size + bytes, 2 * size),
        ...(isDry && onRefused ? { onRefused } : {}),
      },
      { now: clock(), random },
    );
  const counted = await run(0, true);
  return dryRun ? counted : run(1, false);
}

/** The list as CSV. */
export function exportLines({ db, settings }: Newsletter) {
  return exportSubscribers(db, settings.slug);
}

function sizeOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile()) return stat.size;
  throw inputError('file-missing', `There is no file ${path}`);
}

function unknownReader(address: string) {
  return inputError('reader-unknown', `${address} is not on the list`);
}
