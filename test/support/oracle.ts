/**
 * Judges a campaign from outside: from what a mail server wrote down and from the database file, with plain SQL and
 * without a line of what sends. Never from the sender's own counts.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import Sqlite from 'better-sqlite3';

/** A mail that the server took, written down before it answered. */
export interface Receipt {
  kind: 'mail';
  /** RCPT TO. */
  to: string;
  /** With its angle brackets. */
  messageId: string;
  /** SHA-256 of the message, hex. */
  hash: string;
  /** When its body began and when it was stored, ms since 1970. */
  begun: number;
  at: number;
  /** False where the server dropped the connection instead of answering. */
  answered: boolean;
}

/** A recipient or a mail that the server refused. */
export interface Refusal {
  kind: 'refused';
  to: string;
  code: number;
  /** ms since 1970. */
  at: number;
}

/** A connection that the server dropped without having stored the mail. */
export interface Drop {
  kind: 'dropped';
  to: string;
  /** ms since 1970. */
  at: number;
}

export type LogLine = Receipt | Refusal | Drop;

/** What happened to the sender, and what it was told. */
export interface Circumstances {
  /** Path of the SQLite file. */
  database: string;
  log: readonly LogLine[];
  /** Readers whom the campaign was planned for. */
  readers: number;
  connections: number;
  /** Times that the sender was killed. */
  kills: number;
  /** Times that a delivery may be sent again when its fate is unknown: 1 for `resend`, 0 for `hold`. */
  resends: number;
  /**
   * Several senders shared it chunk by chunk, by the database's clock: what one of them left in doubt is found in
   * parts, at several times and with what others left; and times may differ from the server's by `SKEW`.
   */
  isShared?: boolean;
}

export interface Verdict {
  planned: number;
  /** Deliveries of which at least one copy arrived. */
  delivered: number;
  /** Copies beyond the first one of each delivery. */
  extraCopies: number;
  /** Copies of one delivery at most. */
  mostCopies: number;
  /** Deliveries of which no copy arrived. */
  notDelivered: number;
  /** Mails that the server stored and did not answer, of its own accord. */
  unanswered: number;
  /** Deliveries by state. */
  states: Record<string, number>;
  /** In words, each with its invariant; empty when all is well. */
  violations: string[];
}

type Row = Record<string, unknown>;

interface Court extends Circumstances {
  /** Rows of a query; parameters are named as in `Circumstances`. */
  rows(sql: string): Row[];
}

/** Examples of one violation that are told at most. */
const EXAMPLES = 5;
/** How far the time of an event may lie before its commit, ms. */
const COMMIT = 1_000;
/** How far two processes' ideas of the database's time lie apart at most, ms. */
const SKEW = 1_000;

/** Judges a campaign that has ended: the only one in its database. */
export function judge(circumstances: Circumstances): Verdict {
  const db = open(circumstances.database);
  try {
    const log = loadLog(db, circumstances.log);
    const { readers, connections, kills, resends, isShared } = circumstances;
    const skew = isShared ? SKEW : 0;
    const parameters = { readers, connections, kills, resends, commit: COMMIT, skew };
    const court: Court = {
      ...circumstances,
      rows: (sql) => db.prepare(sql).all(parameters) as Row[],
    };
    const violations = [
      ...log,
      ...Object.entries(CHECKS).flatMap(([invariant, check]) => abridged(invariant, check(court))),
    ];
    return { ...countsOf(court), violations };
  } finally {
    db.close();
  }
}

function open(database: string): Sqlite.Database {
  return new Sqlite(database, { readonly: true, fileMustExist: true });
}

/** The log as two tables beside the database. @returns what is wrong with the log itself */
function loadLog(db: Sqlite.Database, log: readonly LogLine[]): string[] {
  db.exec(`create temp table receipts (id integer primary key, delivery integer, recipient text,
      message_id text, hash text, begun integer, at integer, answered integer);
    create temp table refusals (recipient text, code integer, at integer);`);
  const receipt = db.prepare('insert into temp.receipts values (null, ?, ?, ?, ?, ?, ?, ?)');
  const refusal = db.prepare('insert into temp.refusals values (?, ?, ?)');
  const strange: string[] = [];
  db.transaction(() => {
    for (const line of log) {
      if (line.kind === 'refused') refusal.run(line.to, line.code, line.at);
      if (line.kind !== 'mail') continue;
      const { to, messageId, hash, begun, at, answered } = line;
      const delivery = deliveryOf(messageId);
      if (delivery === null) strange.push(`Mail to ${to} has the Message-ID ${messageId}`);
      receipt.run(delivery, to, messageId, hash, begun, at, Number(answered));
    }
  })();
  db.exec(`create index temp.receipts_of on receipts (delivery, id);
    create index temp.refusals_of on refusals (recipient);`);
  return abridged('I11', strange);
}

/** A Message-ID is `<v1.ISSUE.DELIVERY.MAC@DOMAIN>`. */
export function deliveryOf(messageId: string): number | null {
  const id = /^<v1\.[\w-]+\.(\d+)\.\w{8}@/.exec(messageId)?.[1];
  return id === undefined ? null : Number(id);
}

function abridged(invariant: string, violations: readonly string[]): string[] {
  const shown = violations.slice(0, EXAMPLES).map((words) => `${invariant}: ${words}`);
  const more = violations.length - shown.length;
  return more > 0 ? [...shown, `${invariant}: and ${more} more`] : shown;
}

function countsOf({ rows }: Court): Omit<Verdict, 'violations'> {
  const [counts] = rows(`select
      (select count(*) from deliveries) as planned,
      (select count(distinct delivery) from temp.receipts) as delivered,
      (select count(*) - count(distinct delivery) from temp.receipts) as extraCopies,
      (select coalesce(max(n), 0) from (select count(*) as n from temp.receipts group by delivery)) as mostCopies,
      (select count(*) from deliveries where not exists
        (select 1 from temp.receipts where delivery = deliveries.id)) as notDelivered,
      (select count(*) from temp.receipts where not answered) as unanswered`);
  const states = rows('select state, count(*) as n from deliveries group by state order by n desc');
  return {
    ...(counts as unknown as Omit<Verdict, 'violations' | 'states'>),
    states: Object.fromEntries(states.map(({ state, n }) => [state, Number(n)])),
  };
}

/** One for each invariant of docs/reliability.md, as far as it can be seen from outside; each tells what breaks it. */
const CHECKS: Record<string, (court: Court) => string[]> = {
  I1: ({ rows, readers }) => [
    ...rows(`select id, planned, (select count(*) from deliveries where campaign_id = campaigns.id) as n
        from campaigns where planned <> n or planned <> :readers`).map(
      ({ id, planned, n }) =>
        `Campaign ${id} was planned for ${planned} and has ${n} rows; there are ${readers} readers`,
    ),
    ...rows(`select address, count(*) as n from deliveries where state <> 'cancelled'
        group by newsletter, channel, issue, lower(address) having n > 1`).map(
      ({ address, n }) => `${address} has ${n} rows`,
    ),
    ...rows(`select address from subscribers where not exists
        (select 1 from deliveries where subscriber_id = subscribers.id)`).map(
      ({ address }) => `${address} has no row`,
    ),
  ],

  I2: ({ rows }) =>
    rows(`select recipient, receipts.at, begun_at from temp.receipts
        left join deliveries on deliveries.id = delivery
        where begun_at is null or begun_at > begun + :skew`).map(
      ({ recipient, at, begun_at }) =>
        `A mail to ${recipient} was stored at ${at}, its first mark is of ${begun_at}`,
    ),

  I3: ({ rows }) =>
    rows(`select first.recipient from temp.receipts first
        join temp.receipts second on second.delivery = first.delivery and second.id > first.id
        where second.begun < first.at`).map(
      ({ recipient }) => `Two mails to ${recipient} were under way at the same time`,
    ),

  I4: ({ rows }) => [
    ...rows(`select recipient, state from temp.receipts join deliveries on deliveries.id = delivery
        where state in ('accepted', 'failed', 'suppressed', 'cancelled') and at > settled_at + :skew`).map(
      ({ recipient, state }) => `A mail to ${recipient} came after it was ${state}`,
    ),
    ...rows(`select address from deliveries where state = 'accepted' and not exists
        (select 1 from temp.receipts where delivery = deliveries.id and answered)`).map(
      ({ address }) => `${address} is accepted, and the server never said so`,
    ),
    ...rows(`select address, reply from deliveries where state = 'failed' and reply not like 'expired:%'
        and not exists (select 1 from temp.refusals where recipient = address and code >= 500)`).map(
      ({ address, reply }) => `${address} failed (${reply}), and the server never said so`,
    ),
  ],

  // Of several senders: `cluster-witness.ts`, as each one dies.
  I5: ({ rows, connections, isShared }) =>
    isShared
      ? []
      : [
          ...rows(`select count(*) as n from attempts where reason = 'sender-ended'
        group by at having n > 2 * :connections`).map(
            ({ n }) => `A sender left ${n} deliveries in doubt; it had ${connections} connections`,
          ),
          ...rows(`select count(distinct at) as n from attempts where reason = 'sender-ended'
        having n > :kills`).map(({ n }) => `${n} senders left deliveries in doubt`),
        ],

  I6: ({ rows }) => [
    ...rows(`select address, attempts.code from attempts join deliveries on deliveries.id = delivery_id
        where attempts.state = 'deferred' and attempts.code is not null and not exists
          (select 1 from temp.refusals where recipient = address and refusals.code = attempts.code
            and refusals.code between 400 and 499)`).map(
      ({ address, code }) => `${address} was deferred for a ${code} that the server never said`,
    ),
    ...rows(`select address, copies, doubts from (
        select address, (select count(*) from temp.receipts where delivery = deliveries.id) as copies,
          (select count(*) from attempts where delivery_id = deliveries.id and state = 'unknown') as doubts
        from deliveries) where copies > 1 + doubts`).map(
      ({ address, copies, doubts }) =>
        `${address} has ${copies} copies, and only ${doubts} attempts of unknown outcome`,
    ),
  ],

  I7: ({ rows, connections, kills }) => [
    ...rows('select address, resends from deliveries where resends > :resends').map(
      ({ address, resends }) => `${address} was sent again ${resends} times`,
    ),
    ...rows(`select recipient, count(*) as n from temp.receipts
        group by delivery having n > 1 + :resends`).map(
      ({ recipient, n }) => `${recipient} has ${n} copies`,
    ),
    ...rows(`select count(*) - count(distinct delivery) as extra, sum(not answered) as unanswered
        from temp.receipts having extra > :connections * :kills + unanswered`).map(
      ({ extra, unanswered }) =>
        `${extra} extra copies after ${kills} kills with ${connections} connections and ${unanswered} mails without an answer`,
    ),
    // Where nothing was killed, only a mail without an answer is sent again.
    ...rows(`select recipient from temp.receipts first where answered and :kills = 0 and exists
        (select 1 from temp.receipts later where later.delivery = first.delivery and later.id > first.id)`).map(
      ({ recipient }) => `A mail to ${recipient} was answered, and came again`,
    ),
  ],

  I8: ({ rows }) => [
    ...rows(`select id, state, (select count(*) from deliveries where campaign_id = campaigns.id
          and state in ('queued', 'attempting', 'deferred')) as open
        from campaigns where state <> 'finished' or open > 0`).map(
      ({ id, state, open }) => `Campaign ${id} is ${state}, ${open} deliveries have not ended`,
    ),
    ...rows(`select address, state from deliveries
        where state not in ('unknown', 'failed', 'suppressed', 'cancelled') and not exists
          (select 1 from temp.receipts where delivery = deliveries.id)`).map(
      ({ address, state }) => `${address} was skipped: it is ${state}, and no mail came`,
    ),
    ...rows(`select distinct address, deliveries.state from deliveries
        join temp.receipts on receipts.delivery = deliveries.id
        where deliveries.state in ('suppressed', 'cancelled') and not exists
          (select 1 from attempts where delivery_id = deliveries.id and attempts.state = 'unknown')`).map(
      ({ address, state }) => `${address} is ${state} and has the mail; nothing tells of it`,
    ),
    ...rows(`select address from deliveries where state = 'unknown' and not exists
        (select 1 from attempts where delivery_id = deliveries.id and attempts.state = 'unknown')`).map(
      ({ address }) => `${address} is unknown, and no attempt says why`,
    ),
  ],

  I9: ({ rows }) =>
    rows(`select slot, count(*) as n from campaigns where slot is not null
        group by newsletter, slot having n > 1`).map(({ slot, n }) => `${slot} has ${n} campaigns`),

  I10: ({ rows }) => [
    ...rows(`select address from deliveries join consents using (subscriber_id)
        where event in ('unsubscribed', 'removed') and consents.at + :commit < attempted_at`).map(
      ({ address }) => `${address} was mailed after it had left the list`,
    ),
    ...rows(`select address, kind from deliveries join events using (campaign_id)
        where kind in ('paused', 'cancelled') and attempted_at > events.at + :commit
          and attempted_at < coalesce((select min(later.at) from events later
            where later.campaign_id = events.campaign_id and later.id > events.id and later.kind = 'resumed'), 9e15)`).map(
      ({ address, kind }) => `${address} was mailed after the campaign was ${kind}`,
    ),
  ],

  I11: ({ rows }) => [
    ...rows(`select recipient, count(distinct hash) as bodies, count(distinct message_id) as ids
        from temp.receipts group by delivery having bodies > 1 or ids > 1`).map(
      ({ recipient, bodies, ids }) =>
        `${recipient} has copies of ${bodies} contents and ${ids} Message-IDs`,
    ),
    ...rows(`select recipient, address from temp.receipts join deliveries on deliveries.id = delivery
        where recipient <> address`).map(
      ({ recipient, address }) => `${recipient} has the mail of ${address}`,
    ),
  ],

  database: ({ rows }) => [
    ...rows('pragma integrity_check')
      .filter((row) => row.integrity_check !== 'ok')
      .map((row) => `${row.integrity_check}`),
    ...rows('pragma foreign_key_check').map(({ table, rowid }) => `${table} ${rowid} hangs loose`),
  ],
};

/** Looks each time that a sender has been killed, before the next one begins. */
export interface Witness {
  /** @returns what breaks an invariant */
  look(): string[];
  /** Deliveries that the last sender had marked, and of these those that the server had. */
  readonly inDoubt: { marked: number; arrived: number };
}

/**
 * @param path of the server's log
 * @param every so many looks it compares all that is settled with what it was (I4)
 */
export function witness(
  path: string,
  { database, connections }: Pick<Circumstances, 'database' | 'connections'>,
  every: number,
): Witness {
  const log = tail(path);
  /** When the newest copy of a delivery was stored, ms. */
  const stored = new Map<number, number>();
  let settled = new Map<number, string>();
  /** When what was marked had been marked, at the last look. */
  let marks = new Map<number, number>();
  let looks = 0;
  const inDoubt = { marked: 0, arrived: 0 };

  function look(): string[] {
    const db = open(database);
    try {
      const found = [...unmarked(db), ...doubtful(db)];
      looks += 1;
      return looks % every === 0 ? [...found, ...changed(db)] : found;
    } finally {
      db.close();
    }
  }

  /** I2: nothing came that is not marked, now that nobody can mark it any more. */
  function unmarked(db: Sqlite.Database): string[] {
    const begun = db.prepare('select begun_at from deliveries where id = ?').pluck();
    const found: string[] = [];
    for (const line of log.read()) {
      if (line.kind !== 'mail') continue;
      const delivery = deliveryOf(line.messageId) ?? 0;
      stored.set(delivery, line.at);
      if (!begun.get(delivery)) found.push(`${line.to} has a mail, and its row no mark`);
    }
    return abridged('I2', found);
  }

  /** I5: two rows for each connection at most; I7: of each, one mail at most that may have arrived. */
  function doubtful(db: Sqlite.Database): string[] {
    const rows = db
      .prepare("select id, attempted_at from deliveries where state = 'attempting'")
      .all() as { id: number; attempted_at: number }[];
    const arrived = rows.filter(({ id, attempted_at }) => (stored.get(id) ?? 0) >= attempted_at);
    // A sender that died before it had recovered leaves the marks of the one before.
    const isNew = (row: (typeof rows)[number]) => marks.get(row.id) !== row.attempted_at;
    inDoubt.marked = rows.filter(isNew).length;
    inDoubt.arrived = arrived.filter(isNew).length;
    marks = new Map(rows.map(({ id, attempted_at }) => [id, attempted_at]));
    const found: string[] = [];
    if (rows.length > 2 * connections)
      found.push(`I5: ${rows.length} deliveries are marked for ${connections} connections`);
    if (arrived.length > connections)
      found.push(`I7: ${arrived.length} mails in doubt arrived over ${connections} connections`);
    return found;
  }

  function changed(db: Sqlite.Database): string[] {
    const rows = db
      .prepare(`select id, state || ' ' || settled_at as fate from deliveries
        where state in ('accepted', 'failed', 'suppressed', 'cancelled')`)
      .all() as { id: number; fate: string }[];
    const now = new Map(rows.map(({ id, fate }) => [id, fate]));
    const found = [...settled]
      .filter(([id, fate]) => now.get(id) !== fate)
      .map(([id, fate]) => `Delivery ${id} was ${fate}, now it is ${now.get(id) ?? 'open again'}`);
    settled = now;
    return abridged('I4', found);
  }

  return { look, inDoubt };
}

/** A server's log, whole. */
export function readLog(path: string): LogLine[] {
  return tail(path).read();
}

/** Reads a log that is still being written; each time what came since. */
export function tail(path: string): { read(): LogLine[] } {
  let from = 0;
  let rest = '';
  function read(): LogLine[] {
    const file = openSync(path, 'r');
    const bytes = Buffer.alloc(fstatSync(file).size - from);
    from += readSync(file, bytes, 0, bytes.length, from);
    closeSync(file);
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    return lines.map((line) => JSON.parse(line) as LogLine);
  }
  return { read };
}
