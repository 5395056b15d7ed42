/**
 * pg-boss, in a schema of its own beside our tables: it gives each job to one live worker, notices when that one
 * dies, and gives it to another. Only on PostgreSQL; loaded only there.
 */
import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import type { Db as IDatabase, JobAttempt, PgBoss } from 'pg-boss';
import { failedError } from '../errors.ts';
import { poolOf } from './pool.ts';
import type { Database } from './schema.ts';

/** Also stands in docs/scale.md and in what `grantTo` grants. */
export const ENGINE_SCHEMA = 'pgboss';

/** A worker gives a sign of life this often, and has died when none came for so long, s. */
const BEAT = 5;
const DEAD_AFTER = 20;
/** How often the dead are looked for, s. Together at most 45 s until another worker has the job. */
const LOOK = 10;
/** A job is nothing to lose: the chunk that it stands for knows what is to be done. */
const FOR_EVER = 365 * 86_400;

export interface Job extends JobAttempt {
  chunk: number;
}

export interface Engine {
  /** One job for each chunk that has none, in the transaction that is open. */
  enqueue(trx: Kysely<Database>, chunks: readonly number[]): Promise<void>;
  /** The next job, for this worker alone; it stays its own while the worker lives. Null where there is none. */
  take(): Promise<Job | null>;
  /** What a dead worker had is taken before what nobody has begun. */
  preferAbandoned(): Promise<void>;
  /** This worker does nothing for the job: after a while another one has it. */
  forget(job: Job): void;
  /** The job is done, in the transaction that is open; nothing happens where it has been given to another. */
  complete(trx: Kysely<Database>, job: Job): Promise<void>;
  stop(): Promise<void>;
}

/** Brings pg-boss's own tables up to date. Needs the right to create a schema. */
export async function migrateEngine(db: Kysely<Database>): Promise<void> {
  const { PgBoss } = await import('pg-boss');
  const alone = await poolOf(db).connect();
  try {
    // Two processes that come at once take turns.
    await alone.query('select pg_advisory_lock($1)', [MIGRATING]);
    const boss = new PgBoss({ ...QUIET, db: over(alone), migrate: true, supervise: false });
    boss.on('error', () => {});
    await boss.start();
    await stop(boss);
    await alone.query('select pg_advisory_unlock($1)', [MIGRATING]);
  } finally {
    // A lock that was not given back ends with its connection.
    alone.release(true);
  }
}

/** pg-boss's statements on connections of ours, with the types that it expects. */
function over(connections: Pick<pg.Pool, 'query'> | pg.PoolClient): IDatabase {
  return {
    executeSql: (text, values = []) => connections.query({ text, values, types: pg.types }),
  };
}

/** Names a lock. */
const MIGRATING = 7_312_907;

const QUIET = {
  schema: ENGINE_SCHEMA,
  schedule: false,
  registerInstance: false,
  // Rebuilding indexes is the owner's; with a thousand jobs an issue there is nothing to rebuild.
  reindex: false,
  monitorVacuum: false,
} as const;

/**
 * @param db a database, or a transaction: then only to enqueue in it
 * @param options.supervise looks after workers that died
 * @throws BroadsheetError `database-outdated`
 */
export async function openEngine(
  db: Kysely<Database>,
  newsletter: string,
  { supervise }: { supervise: boolean },
): Promise<Engine> {
  const { PgBoss, fromKysely } = await import('pg-boss');
  const boss = new PgBoss({
    ...QUIET,
    db: db.isTransaction ? fromKysely(db) : over(poolOf(db)),
    migrate: false,
    supervise,
    superviseIntervalSeconds: LOOK,
    monitorIntervalSeconds: LOOK,
  });
  // What it meets in the background is met again, and told, by the next call.
  boss.on('error', () => {});
  const queue = `chunks/${newsletter}`;
  try {
    await boss.start().catch((error: Error) => {
      throw /schema|migrat|install/i.test(error.message) ? outdated(error) : error;
    });
    if (!(await boss.getQueue(queue))) await boss.createQueue(queue, QUEUE);
    if (supervise) await boss.supervise(queue);
  } catch (error) {
    await stop(boss).catch(() => {});
    throw error;
  }
  const held = new Set<Job>();
  const beat = setInterval(() => {
    if (held.size > 0) boss.touch(queue, [...held]).catch(() => {});
  }, BEAT * 1_000);
  return {
    async enqueue(trx, chunks) {
      const jobs = chunks.map((chunk) => ({ data: { chunk }, singletonKey: String(chunk) }));
      await boss.insert(queue, jobs, { db: fromKysely(trx) });
    },
    async take() {
      const [job] = await boss.fetch<{ chunk: number }>(queue);
      if (!job) return null;
      const taken = { id: job.id, retryCount: job.retryCount, chunk: job.data.chunk };
      held.add(taken);
      return taken;
    },
    async preferAbandoned() {
      await sql`update ${sql.table(`${ENGINE_SCHEMA}.job`)} set priority = 1
        where name = ${queue} and state = 'retry' and priority = 0`.execute(db);
    },
    forget: (job) => void held.delete(job),
    async complete(trx, job) {
      await boss.complete(queue, job, null, { db: fromKysely(trx) });
      held.delete(job);
    },
    async stop() {
      clearInterval(beat);
      await stop(boss);
    },
  };
}

/** One job at a time for a chunk; as often again as need be. */
const QUEUE = {
  policy: 'exclusive',
  heartbeatSeconds: DEAD_AFTER,
  expireInSeconds: 23 * 3_600,
  retryLimit: 1_000_000,
  retentionSeconds: FOR_EVER,
  deleteAfterSeconds: 3_600,
} as const;

async function stop(boss: PgBoss): Promise<void> {
  await boss.stop({ graceful: false, close: false });
}

/** Whether its tables are there; told apart from a version that is too old by pg-boss itself. */
export async function hasEngine(db: Kysely<Database>): Promise<boolean> {
  const { rows } = await sql<{ found: string | null }>`select
    to_regclass(${`${ENGINE_SCHEMA}.version`})::text as found`.execute(db);
  return rows[0]?.found != null;
}

function outdated({ message }: Error) {
  return failedError('database-outdated', `The tables of pg-boss are not up to date: ${message}`, {
    hint: 'As the owner of the database: broadsheet database migrate',
  });
}
