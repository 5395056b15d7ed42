/**
 * On PostgreSQL a campaign is cut into chunks of about a thousand deliveries. A chunk is one worker's at a time: only
 * its owner marks deliveries of it. The engine hands them out; what is to be done stands here and in the deliveries.
 */
import { type Kysely, sql } from 'kysely';
import { holdCampaign, isPostgres } from '../store/dialect.ts';
import type { Engine, Job } from '../store/engine.ts';
import type { Database } from '../store/schema.ts';
import { inTransaction } from '../store/transaction.ts';
import { doubt } from './doubt.ts';
import type { LedgerRules, SendingCampaign } from './turn.ts';

/** Deliveries of its campaign with ids from `first` to `last`. */
export interface Chunk {
  id: number;
  campaign: number;
  first: number;
  last: number;
  /** What of it is due, as its owner last read it: ids in the order of their turns, by provider group and state. */
  due: Map<string, number[]>;
  /** When that was, ms. */
  askedAt: number;
}

/** Deliveries of a chunk. */
const SIZE = 1_000;
/** Chunks that get a job in one transaction. */
const MOST = 1_000;
/** How long a mail that another worker began may still be under way, ms: longer than any conversation (D6, RFC 5321 4.5.3.2.6). */
export const LONGEST_MAIL = 15 * 60_000;

/** What another worker has under way may be settled any moment: it is looked at again after this long, ms. */
const LOOK_AGAIN = 10_000;

/** Cuts a campaign, in the transaction that is open. */
export async function cutChunks(db: Kysely<Database>, campaign: number): Promise<void> {
  await sql`insert into chunks (newsletter, campaign_id, first_id, last_id, next_at)
    select min(newsletter), ${campaign}, min(id), max(id), min(not_before)
    from (select id, newsletter, not_before, (row_number() over (order by id) - 1) / ${sql.lit(SIZE)} as part
      from deliveries where campaign_id = ${campaign}) as numbered
    group by part order by part`.execute(db);
}

/** What was planned in this transaction is handed out when it commits. */
export async function handOutPlanned(
  trx: Kysely<Database>,
  newsletter: string,
  campaign: number,
  now: number,
): Promise<void> {
  if (!isPostgres(trx)) return;
  await cutChunks(trx, campaign);
  // Only here: a sender on SQLite needs neither the engine nor its driver.
  const { openEngine } = await import('../store/engine.ts');
  const engine = await openEngine(trx, newsletter, { supervise: false });
  await handOut(trx, engine, newsletter, now);
  await engine.stop();
}

/**
 * Sees that there is a job for every chunk that has something due, whatever put it there: a plan, a retry, a person who
 * resumed. Any worker may do it at any time.
 * @param now ms
 */
export async function handOut(
  db: Kysely<Database>,
  engine: Engine,
  newsletter: string,
  now: number,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const { rows } = await sql<{ id: number }>`update chunks set handed = 1
      where id in (select chunks.id from chunks join campaigns on campaigns.id = chunks.campaign_id
        where chunks.newsletter = ${newsletter} and open = 1 and handed = 0 and next_at <= ${now}
          and campaigns.state = 'sending'
        order by chunks.id limit ${sql.lit(MOST)} for update of chunks skip locked)
      returning id`.execute(trx);
    const chunks = rows.map(({ id }) => id).toSorted((a, b) => a - b);
    if (chunks.length > 0) await engine.enqueue(trx, chunks);
  });
}

/** Campaigns that came from SQLite have no chunks yet. */
export async function cutMissing(db: Kysely<Database>, newsletter: string): Promise<void> {
  const rows = await db
    .selectFrom('campaigns')
    .select('id')
    .where('newsletter', '=', newsletter)
    .where('state', '=', 'sending')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('chunks').select('chunks.id').whereRef('campaign_id', '=', 'campaigns.id'),
        ),
      ),
    )
    .execute();
  for (const { id } of rows) {
    await inTransaction(db, async (trx) => {
      await sql`select 1 from campaigns where id = ${id} for update`.execute(trx);
      const known = await trx
        .selectFrom('chunks')
        .select('id')
        .where('campaign_id', '=', id)
        .executeTakeFirst();
      if (!known) await cutChunks(trx, id);
    });
  }
}

/** A person opened what was closed or put off: every chunk of the campaign is looked at again. @param now ms */
export async function reopenChunks(
  db: Kysely<Database>,
  campaign: number,
  now: number,
): Promise<void> {
  await db
    .updateTable('chunks')
    .set({ open: 1, next_at: now })
    .where('campaign_id', '=', campaign)
    .execute();
}

/** A chunk of which this worker has the job. */
export interface Held {
  job: Job;
  chunk: Chunk;
}

export interface Claim {
  /** Of this worker. */
  epoch: number;
  /** ms. */
  now: number;
  onUnknown: LedgerRules['onUnknown'];
  /** How long a mail of another worker may still be under way, ms. */
  longestMail: number;
}

/**
 * Makes the chunk this worker's own. What another had marked and must be done with by now is in doubt.
 * @returns null where nothing of it may be sent: its job is then done with
 */
export function claimChunk(
  db: Kysely<Database>,
  engine: Engine,
  job: Job,
  { epoch, now, onUnknown, longestMail }: Claim,
): Promise<{ campaign: SendingCampaign; chunk: Chunk } | null> {
  return inTransaction(db, async (trx) => {
    const { rows } = await sql<ClaimedRow>`update chunks set epoch = ${epoch}
      from campaigns where chunks.id = ${job.chunk} and chunks.open = 1
        and campaigns.id = chunks.campaign_id and campaigns.state = 'sending'
      returning campaigns.id as campaign, campaigns.newsletter, campaigns.channel, first_id, last_id`.execute(
      trx,
    );
    const [row] = rows;
    if (!row) {
      await trx.updateTable('chunks').set({ handed: 0 }).where('id', '=', job.chunk).execute();
      await engine.complete(trx, job);
      return null;
    }
    const { campaign: id, newsletter, channel, first_id: first, last_id: last } = row;
    const gone = sql<boolean>`campaign_id = ${id} and id between ${first} and ${last}
      and epoch <> ${epoch} and attempted_at <= ${now - longestMail}`;
    await doubt(trx, { newsletter, which: gone, onUnknown, now });
    return {
      campaign: { id, newsletter, channel },
      chunk: { id: job.chunk, campaign: id, first, last, due: new Map(), askedAt: 0 },
    };
  });
}

interface ClaimedRow extends Pick<SendingCampaign, 'newsletter' | 'channel'> {
  campaign: number;
  first_id: number;
  last_id: number;
}

/**
 * Gives a chunk back: done for good, or put off until something of it is due.
 * @param notBefore limits hold it back until then, ms; 0: none do
 */
export async function closeChunk(
  db: Kysely<Database>,
  engine: Engine,
  { job, chunk }: Held,
  { epoch, now, longestMail, notBefore }: Omit<Claim, 'onUnknown'> & { notBefore: number },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    // A person may be about to open some of it again.
    await holdCampaign(trx, chunk.campaign, 'together');
    await sql`update chunks set handed = 0, open = left_over.open,
        next_at = greatest(left_over.next_at, ${notBefore}::bigint)
      from (select case when count(deliveries.id) > 0 then 1 else 0 end as open,
          coalesce(min(case when state = 'attempting'
            then least(attempted_at + ${longestMail}::bigint, ${now + LOOK_AGAIN}::bigint) else not_before end), 0)
            as next_at
        from chunks as mine left join deliveries on deliveries.campaign_id = mine.campaign_id
          and deliveries.id between mine.first_id and mine.last_id
          and state in ('queued', 'deferred', 'attempting')
        where mine.id = ${chunk.id}) as left_over
      where chunks.id = ${chunk.id} and epoch = ${epoch}`.execute(trx);
    await engine.complete(trx, job);
  });
}

/** When something of any campaign under way is due, ms; null when there is nothing. */
export async function nextChunkDue(
  db: Kysely<Database>,
  newsletter: string,
): Promise<number | null> {
  const row = await db
    .selectFrom('chunks')
    .innerJoin('campaigns', 'campaigns.id', 'chunks.campaign_id')
    .select(({ fn }) => fn.min('chunks.next_at').as('at'))
    .where('chunks.newsletter', '=', newsletter)
    .where('campaigns.state', '=', 'sending')
    .where('chunks.open', '=', 1)
    .executeTakeFirst();
  return row?.at ?? null;
}
