/** Looks while workers live and die: what a dead one has left, and whether one that was taken for dead does anything more. */
import { setTimeout as sleep } from 'node:timers/promises';
import { deliveryOf, tail } from '../support/oracle.ts';
import type { PostgresLedger } from './postgres-ledger.ts';

/** What a worker has in hand. */
export interface Held {
  pid: number;
  epoch: number;
  chunks: { id: number; first: number; last: number }[];
  /** Of these, those that another worker has had since, and when that was seen, ms. */
  lost: { id: number; first: number; last: number }[];
  at: number;
}

export interface ClusterWitness {
  /** A worker has been killed, and its last commit is through. */
  killed(pid: number): Promise<void>;
  /** The chunks of a worker that is about to be frozen; it is waited for until it has one. */
  heldBy(pid: number): Promise<Held>;
  /** It is frozen, and about to wake. @returns whether another worker has its chunks */
  fence(held: Held): Promise<boolean>;
  /** It has been awake for a while. */
  awake(held: Held): Promise<void>;
  /** All that is settled, with what it was at the last look (I4). */
  compare(): Promise<void>;
  readonly startUp: number;
  readonly marked: number;
  readonly arrived: number;
  /** Deliveries that killed workers had in hand. */
  readonly doubted: Set<number>;
  /** What breaks an invariant. */
  readonly found: string[];
}

/** So many dead workers lie between two comparisons of all that is settled. */
const COMPARED_EVERY = 10;
/** A worker without a chunk is asked so many times. */
const PATIENCE = 50;

/**
 * @param path of the mail server's log
 * @param connections of each worker
 */
export function openClusterWitness(
  { rows }: PostgresLedger,
  path: string,
  connections: number,
): ClusterWitness {
  const log = tail(path);
  /** When the newest copy of a delivery was stored, ms. */
  const stored = new Map<number, number>();
  let settled = new Map<number, string>();
  let looks = 0;

  /** I2: nothing came that is not marked. */
  async function readLog(): Promise<void> {
    const mails = log.read().filter((line) => line.kind === 'mail');
    for (const { messageId, at } of mails) stored.set(deliveryOf(messageId) ?? 0, at);
    const ids = mails.map(({ messageId }) => deliveryOf(messageId) ?? 0);
    const unmarked = await rows<{ id: number }>(
      'select id from deliveries where id = any($1) and begun_at is null',
      [ids],
    );
    for (const { id } of unmarked) witness.found.push(`I2: delivery ${id} has a mail and no mark`);
  }

  async function epochOf(pid: number): Promise<number | null> {
    const [worker] = await rows<{ id: number }>(
      "select id from workers where node like '%/' || $1 order by id desc limit 1",
      [String(pid)],
    );
    return worker?.id ?? null;
  }

  const witness: Omit<ClusterWitness, 'startUp' | 'marked' | 'arrived'> & {
    startUp: number;
    marked: number;
    arrived: number;
  } = {
    startUp: 0,
    marked: 0,
    arrived: 0,
    doubted: new Set(),
    found: [],

    async killed(pid) {
      const epoch = await epochOf(pid);
      const mine = 'from deliveries where epoch = $1';
      const [{ n } = { n: 0 }] = await rows<{ n: number }>(`select count(*) as n ${mine}`, [epoch]);
      if (n === 0) witness.startUp += 1;
      const marked = await rows<{ id: number; attempted_at: number }>(
        `select id, attempted_at ${mine} and state = 'attempting'`,
        [epoch],
      );
      await readLog();
      const arrived = marked.filter(
        ({ id, attempted_at }) => (stored.get(id) ?? 0) >= attempted_at,
      );
      for (const { id } of marked) witness.doubted.add(id);
      witness.marked += marked.length;
      witness.arrived += arrived.length;
      // Two lanes to a connection, and one unanswered body.
      if (marked.length > 2 * connections)
        witness.found.push(`I5: ${marked.length} are marked for ${connections} connections`);
      if (arrived.length > connections)
        witness.found.push(
          `I7: ${arrived.length} in doubt arrived over ${connections} connections`,
        );
      looks += 1;
      if (looks % COMPARED_EVERY === 0) await witness.compare();
    },

    async heldBy(pid) {
      for (let tries = 0; ; tries += 1) {
        const epoch = await epochOf(pid);
        const chunks = await rows<Held['chunks'][number]>(
          'select id, first_id as first, last_id as last from chunks where epoch = $1 and handed = 1',
          [epoch],
        );
        if (chunks.length > 0 || tries > PATIENCE)
          return { pid, epoch: epoch ?? 0, chunks, lost: [], at: 0 };
        await sleep(100);
      }
    },

    async fence(held) {
      const { epoch, chunks } = held;
      const lost = await rows<{ id: number; now: number }>(
        'select id, (extract(epoch from clock_timestamp()) * 1000)::bigint as now from chunks where id = any($1) and epoch <> $2',
        [chunks.map(({ id }) => id), epoch],
      );
      held.lost = chunks.filter(({ id }) => lost.some((each) => each.id === id));
      held.at = lost[0]?.now ?? 0;
      return lost.length > 0;
    },

    async awake({ epoch, lost, at, pid }) {
      for (const { id, first, last } of lost) {
        const late = await rows<{ id: number }>(
          `select id from deliveries where id between $1 and $2 and epoch = $3 and attempted_at > $4
            and exists (select 1 from chunks where id = $5 and epoch <> $3)`,
          [first, last, epoch, at, id],
        );
        if (late.length > 0)
          witness.found.push(`I3: worker ${pid} woke and marked ${late.length} of another's chunk`);
      }
    },

    async compare() {
      const now = await rows<{
        id: number;
        fate: string;
      }>(`select id, state || ' ' || settled_at as fate
        from deliveries where state in ('accepted', 'failed', 'suppressed', 'cancelled')`);
      const fates = new Map(now.map(({ id, fate }) => [id, fate]));
      for (const [id, fate] of settled)
        if (fates.get(id) !== fate)
          witness.found.push(
            `I4: delivery ${id} was ${fate}, now it is ${fates.get(id) ?? 'open'}`,
          );
      settled = fates;
    },
  };
  return witness;
}
