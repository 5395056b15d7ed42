/** An oracle that never finds anything proves nothing: each invariant is broken once, and has to be named. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { beforeAll, describe, expect, test } from 'vitest';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import { openStore } from '../../src/store/open.ts';
import { addReaders, plan, runOnce } from '../support/campaign.ts';
import { temporaryDirectory } from '../support/newsletter.ts';
import { judge, type LogLine, type Receipt, readLog, witness } from '../support/oracle.ts';
import { openReceiver } from './receiver.ts';

const READERS = 12;
const CONNECTIONS = 3;

/** A campaign that went well. */
let whole: { database: string; log: readonly LogLine[] };

beforeAll(async () => {
  const log = join(temporaryDirectory(), 'received');
  const receiver = await openReceiver({ log, pause: [0, 0], seed: '', faults: false });
  const { db, path, close } = await openStore({ stateDir: temporaryDirectory() });
  await addReaders(db, READERS);
  await plan(db);
  await runOnce({
    db,
    clock: Date.now,
    transportFor: () => createSmtpTransport({ url: receiver.url, connections: CONNECTIONS }),
  });
  await close();
  receiver.close();
  whole = { database: path, log: readLog(log) };
});

/** A copy of the database, after some SQL. @returns its path */
function databaseAfter(sql: string): string {
  const database = join(temporaryDirectory(), 'copy.db');
  copyFileSync(whole.database, database);
  change(database, sql);
  return database;
}

function change(database: string, sql: string): void {
  const db = new Sqlite(database);
  db.pragma('foreign_keys = off');
  db.exec(sql);
  db.close();
}

/** The invariants that are found broken. */
function broken(sql: string, log = whole.log, kills = 1): string[] {
  const { violations } = judge({
    database: databaseAfter(sql),
    log,
    readers: READERS,
    connections: CONNECTIONS,
    kills,
    resends: 1,
  });
  return [...new Set(violations.map((words) => words.split(':')[0] as string))];
}

/** Another copy of the first mail, stored later. */
function copy(changes: Partial<Receipt> = {}): Receipt {
  const first = whole.log.find((line) => line.kind === 'mail') as Receipt;
  return { ...first, begun: first.at + 1, at: first.at + 2, ...changes };
}

const DOUBT = (at: number) =>
  `insert into attempts (newsletter, delivery_id, state, reason, at)
    select newsletter, id, 'unknown', 'sender-ended', ${at} from deliveries;`;

describe('judge', () => {
  test('finds nothing wrong with a campaign that went well', () => {
    expect(broken('')).toEqual([]);
  });

  test.each([
    ['I1', 'a row that is gone', 'delete from deliveries where id = 3'],
    ['I1', 'a reader who was not planned', 'update deliveries set subscriber_id = 99 where id = 2'],
    ['I2', 'a mail without a mark', 'update deliveries set begun_at = null where id = 3'],
    ['I2', 'a mark that came later', 'update deliveries set begun_at = 9e15 where id = 3'],
    ['I4', 'a mail after the end', 'update deliveries set settled_at = 1 where id = 3'],
    ['I4', 'a failure of nobody', "update deliveries set state = 'failed' where id = 3"],
    ['I5', 'more in doubt than two a connection', DOUBT(1)],
    [
      'I6',
      'a deferral that nobody asked for',
      `insert into attempts (newsletter, delivery_id, state, code, at) values ('weekly', 3, 'deferred', 450, 1)`,
    ],
    ['I7', 'a third time', 'update deliveries set resends = 2 where id = 3'],
    ['I8', 'a row that is open', "update deliveries set state = 'deferred' where id = 3"],
    ['I8', 'a campaign that is not over', "update campaigns set state = 'sending'"],
    ['I8', 'a mail that is hidden', "update deliveries set state = 'suppressed' where id = 3"],
    ['I8', 'an unknown without a reason', "update deliveries set state = 'unknown' where id = 3"],
    [
      'I9',
      'a slot that was sent twice',
      `update campaigns set slot = 's'; insert into campaigns (newsletter, channel, issue, slot, state, audience,
        planned, created_at) select newsletter, channel, 'other', 's', state, audience, 0, 0 from campaigns`,
    ],
    [
      'I10',
      'a mail to one who had left',
      `insert into consents (newsletter, subscriber_id, event, via, at) values ('weekly', 3, 'unsubscribed', 'page', 1)`,
    ],
    [
      'I10',
      'a mail in a pause',
      `insert into events (newsletter, campaign_id, kind, at) values ('weekly', 1, 'paused', 1), ('weekly', 1, 'resumed', 9e15)`,
    ],
    [
      'database',
      'a row that hangs loose',
      `insert into attempts (newsletter, delivery_id, state, at) values ('weekly', 999, 'unknown', 1)`,
    ],
  ])('names %s for %s', (invariant, _, sql) => {
    expect(broken(sql)).toContain(invariant);
  });

  test('names I3 for two at the same time', () => {
    expect(broken(DOUBT(1), [...whole.log, copy({ begun: 1 })])).toContain('I3');
  });

  test('names I6 for a copy that nothing tells of', () => {
    expect(broken('', [...whole.log, copy()])).toContain('I6');
  });

  test('names I7 for a third copy, for too many copies and for one without a cause', () => {
    expect(broken('', [...whole.log, copy(), copy()])).toContain('I7');
    expect(broken('', [...whole.log, copy()], 0)).toContain('I7');
    const twice = [...whole.log, ...whole.log];
    expect(broken('', twice)).toContain('I7');
  });

  test('names I4 and I8 for a mail that never came', () => {
    expect(broken('', whole.log.slice(1))).toEqual(['I4', 'I8']);
  });

  test('names I11 for another content and for a mail to somebody else', () => {
    expect(broken('', [...whole.log, copy({ hash: '0' })])).toContain('I11');
    expect(broken('', [...whole.log, copy({ to: 'else@example.com' })])).toContain('I11');
    expect(broken('', [...whole.log, copy({ messageId: '<odd>' })])).toContain('I11');
  });
});

describe('a witness', () => {
  function look(sql: string): string[] {
    const path = join(temporaryDirectory(), 'received');
    writeFileSync(path, whole.log.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return witness(path, { database: databaseAfter(sql), connections: CONNECTIONS }, 1).look();
  }

  test('finds nothing wrong with a campaign that went well', () => {
    expect(look('')).toEqual([]);
  });

  test('names I2, I5 and I7 for what a dead sender has left', () => {
    const marked = "state = 'attempting'";
    expect(look('update deliveries set begun_at = null where id = 1')).toEqual([
      expect.stringContaining('I2: reader1@example.com'),
    ]);
    expect(look(`update deliveries set ${marked}, attempted_at = 9e15 where id < 8`)).toEqual([
      'I5: 7 deliveries are marked for 3 connections',
    ]);
    expect(look(`update deliveries set ${marked} where id < 5`)).toEqual([
      'I7: 4 mails in doubt arrived over 3 connections',
    ]);
  });

  test('names I4 for what was settled and is not any more', () => {
    const log = join(temporaryDirectory(), 'received');
    writeFileSync(log, '');
    const database = databaseAfter('');
    const { look: lookAgain } = witness(log, { database, connections: CONNECTIONS }, 1);
    expect(lookAgain()).toEqual([]);
    change(database, "update deliveries set state = 'queued', settled_at = null where id = 3");
    expect(lookAgain()).toEqual([expect.stringMatching(/^I4: Delivery 3 was accepted/)]);
  });
});
