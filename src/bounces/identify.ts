/** Whose mail a report is about (D-53). Reports come from anybody: what names a delivery has to be ours by its MAC. */
import type { Kysely } from 'kysely';
import { parseAddress } from '../audience/address.ts';
import { verifyToken } from '../audience/tokens.ts';
import type { KeyRing } from '../config/secrets.ts';
import { deserialise, messageId } from '../message/program.ts';
import { readVerp } from '../message/verp.ts';
import type { Database, DeliveryState } from '../store/schema.ts';
import type { Report } from './parse.ts';

/** How a delivery was found, the surest first. */
export type KnownBy = 'verp' | 'message-id' | 'unsubscribe-token' | 'recipient';

export interface Identity {
  knownBy: KnownBy;
  newsletter: string;
  subscriberId: number;
  address: string;
  /** Null where only the reader is known, and has had no mail of late. */
  delivery: { id: number; campaignId: number; state: DeliveryState } | null;
}

export interface Identifier {
  keys: KeyRing;
  /** Where reports come to without a token; undefined where return paths name no delivery. */
  address: string | undefined;
}

/** How long after its sending a mail may come back to nobody but its recipient's address, ms. */
const RECENT = 7 * 86_400_000;

/** Names that one report is asked for; a mail of ours has one of each. */
const MOST_NAMES = 20;

/**
 * The delivery that a report names by a token or a Message-ID of ours: return path, then Message-ID, then the
 * unsubscribe link in the mail that it gives back. Null where it names none. @param now ms
 */
export async function identify(
  db: Kysely<Database>,
  report: Report,
  by: Identifier,
  now: number,
): Promise<Identity | null> {
  return (
    (await byReturnPath(db, report, by)) ??
    (await byMessageId(db, report)) ??
    (await byUnsubscribe(db, report, by, now))
  );
}

/**
 * The reader of a mail sent of late whose address a report names as a recipient in its own field. Anybody can write
 * such a report, so this alone gives nobody up.
 */
export async function identifyRecipient(
  db: Kysely<Database>,
  address: string,
  now: number,
): Promise<Identity | null> {
  const key = keyOf(address);
  if (key === null) return null;
  const row = await deliveries(db)
    .where('subscribers.address_key', '=', key)
    .where('deliveries.attempted_at', '>', now - RECENT)
    .orderBy('deliveries.attempted_at', 'desc')
    .executeTakeFirst();
  return row ? identityOf('recipient', row) : null;
}

/** Mails that left: only these can come back. */
function deliveries(db: Kysely<Database>) {
  return db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select([
      'deliveries.id',
      'deliveries.campaign_id as campaignId',
      'deliveries.edition_id as editionId',
      'deliveries.state',
      'deliveries.newsletter',
      'subscribers.id as subscriberId',
      'subscribers.address',
    ])
    .where('deliveries.channel', '=', 'smtp')
    .where('deliveries.attempted_at', 'is not', null);
}

type Row = Awaited<ReturnType<ReturnType<typeof deliveries>['executeTakeFirstOrThrow']>>;

function identityOf(knownBy: KnownBy, row: Row): Identity {
  const { id, campaignId, state, newsletter, subscriberId, address } = row;
  return { knownBy, newsletter, subscriberId, address, delivery: { id, campaignId, state } };
}

/** The address that it came to, or the one that the returned mail was sent from. */
async function byReturnPath(
  db: Kysely<Database>,
  { cameTo, returned }: Report,
  { address, keys }: Identifier,
): Promise<Identity | null> {
  if (address === undefined) return null;
  for (const newsletter of await newsletters(db))
    for (const given of [...cameTo, ...returned.returnPaths].slice(0, MOST_NAMES)) {
      const id = readVerp({ address, newsletter, keys }, given);
      const row = id === null ? undefined : await sent(db, id, newsletter);
      if (row) return identityOf('verp', row);
    }
  return null;
}

/** One mailbox may take the reports of all newsletters of the database. */
async function newsletters(db: Kysely<Database>): Promise<string[]> {
  const rows = await db.selectFrom('campaigns').select('newsletter').distinct().execute();
  return rows.map(({ newsletter }) => newsletter);
}

function sent(db: Kysely<Database>, id: number, newsletter: string): Promise<Row | undefined> {
  return deliveries(db)
    .where('deliveries.id', '=', id)
    .where('deliveries.newsletter', '=', newsletter)
    .executeTakeFirst();
}

/** `v1.{issue}.{delivery}.{mac}@{domain}`, made anew from what was frozen. */
async function byMessageId(db: Kysely<Database>, { returned }: Report): Promise<Identity | null> {
  for (const given of returned.messageIds.slice(0, MOST_NAMES)) {
    const [, id] = /^v1\.[\w-]{1,64}\.(\d{1,15})\.[0-9a-v]{8}@/i.exec(given) ?? [];
    const row =
      id && (await deliveries(db).where('deliveries.id', '=', Number(id)).executeTakeFirst());
    if (row && (await isOurs(db, row, given))) return identityOf('message-id', row);
  }
  return null;
}

async function isOurs(db: Kysely<Database>, row: Row, given: string): Promise<boolean> {
  const { program } = await db
    .selectFrom('editions')
    .select('program')
    .where('id', '=', row.editionId)
    .executeTakeFirstOrThrow();
  return messageId(deserialise(program), { delivery: row.id }) === given;
}

/** Our link in its List-Unsubscribe, signed by a key that we have: the reader, whose latest mail it will be. */
async function byUnsubscribe(
  db: Kysely<Database>,
  { returned }: Report,
  { keys }: Identifier,
  now: number,
): Promise<Identity | null> {
  const tokens = returned.unsubscribe
    .slice(0, MOST_NAMES)
    .flatMap((value) => [...value.slice(0, 2_000).matchAll(/\/u\/([\w.-]{1,200})>/g)])
    .map((match) => match[1] as string);
  for (const newsletter of tokens.length > 0 ? await newsletters(db) : [])
    for (const token of tokens) {
      const verified = verifyToken(keys, newsletter, 'unsubscribe', token);
      const reader = verified?.by === 'mac' && (await readerOf(db, newsletter, verified.publicId));
      if (reader) return ofReader(db, reader, now);
    }
  return null;
}

function readerOf(db: Kysely<Database>, newsletter: string, publicId: string) {
  return db
    .selectFrom('subscribers')
    .select(['id as subscriberId', 'address', 'newsletter'])
    .where('newsletter', '=', newsletter)
    .where('public_id', '=', publicId)
    .executeTakeFirst();
}

async function ofReader(
  db: Kysely<Database>,
  reader: Pick<Identity, 'subscriberId' | 'address' | 'newsletter'>,
  now: number,
): Promise<Identity> {
  const row = await deliveries(db)
    .where('deliveries.subscriber_id', '=', reader.subscriberId)
    .where('deliveries.attempted_at', '<=', now)
    .orderBy('deliveries.attempted_at', 'desc')
    .executeTakeFirst();
  return row
    ? identityOf('unsubscribe-token', row)
    : { ...reader, knownBy: 'unsubscribe-token', delivery: null };
}

function keyOf(address: string): string | null {
  try {
    return parseAddress(address).key;
  } catch {
    return null;
  }
}
