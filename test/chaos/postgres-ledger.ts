/**
 * Looks at a campaign on PostgreSQL from outside, in plain SQL, while several workers send of it and the database itself
 * comes and goes. In the end a copy in a SQLite file goes before the judge that judges every campaign.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import pg from 'pg';

type Row = Record<string, unknown>;

export interface PostgresLedger {
  /** Rows of a query; waits where the database is away. */
  rows<Found = Row>(text: string, values?: readonly unknown[]): Promise<Found[]>;
  /** A SQLite file with what the judge reads. @returns its path */
  copyTo(dir: string): Promise<string>;
  /** What is wrong with tables and indexes, in PostgreSQL's own words. */
  damage(): Promise<string[]>;
  close(): Promise<void>;
}

/** How long the database may be away, and the pause between two tries, ms. */
const PATIENCE = 60_000;
const RETRY = 50;

const JUDGED = ['campaigns', 'deliveries', 'subscribers', 'attempts', 'consents', 'events'];

/** Of SQLite, by PostgreSQL's. */
const TYPES: Record<string, string> = {
  bigint: 'integer',
  'double precision': 'real',
  bytea: 'blob',
};

export function openPostgresLedger(url: string): PostgresLedger {
  // Counts and times are whole numbers.
  const types = {
    getTypeParser: (oid: number, format?: 'text') =>
      [20, 1700].includes(oid) ? Number : pg.types.getTypeParser(oid, format),
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    types: types as typeof pg.types,
    onConnect: (client) => void client.on('error', () => {}),
  });
  pool.on('error', () => {});

  async function rows<Found>(text: string, values: readonly unknown[] = []): Promise<Found[]> {
    const begun = performance.now();
    for (;;) {
      try {
        return (await pool.query(text, [...values])).rows;
      } catch (error) {
        // A mistake of ours has a class of its own (appendix A); everything else passes.
        const { code = '' } = error as { code?: string };
        if (/^(42|22|23)/.test(code) || performance.now() - begun > PATIENCE) throw error;
      }
      await sleep(RETRY);
    }
  }

  async function copyTo(dir: string): Promise<string> {
    const path = join(dir, 'judged.db');
    const copy = new Sqlite(path);
    for (const table of JUDGED) {
      const found = await rows<Row>(`select * from ${table}`);
      const columns = await rows<{ name: string; type: string }>(
        `select column_name as name, data_type as type from information_schema.columns
          where table_name = $1 and table_schema = current_schema()`,
        [table],
      );
      const typed = columns.map(({ name, type }) => `${name} ${TYPES[type] ?? 'text'}`);
      copy.exec(`create table ${table} (${typed.join(', ')})`);
      const insert = copy.prepare(`insert into ${table} values (${columns.map(() => '?')})`);
      copy.transaction(() => {
        for (const row of found) insert.run(columns.map(({ name }) => row[name]));
      })();
    }
    copy.exec(`create unique index deliveries_by_id on deliveries (id);
      create index deliveries_by_reader on deliveries (subscriber_id);
      create index attempts_by_delivery on attempts (delivery_id)`);
    copy.close();
    return path;
  }

  async function damage(): Promise<string[]> {
    await rows('create extension if not exists amcheck');
    const [{ names } = { names: [] }] = await rows<{ names: string[] }>(`select
      array_agg(pg_class.oid::regclass::text order by 1) as names from pg_class join pg_am on pg_am.oid = relam
      where amname = 'btree' and relnamespace = 'public'::regnamespace`);
    const found: string[] = [];
    for (const name of names) {
      await rows('select bt_index_check($1::regclass, true)', [name]).catch((error: Error) =>
        found.push(`${name}: ${error.message}`),
      );
    }
    for (const table of JUDGED)
      for (const { msg } of await rows<{ msg: string }>('select msg from verify_heapam($1)', [
        table,
      ]))
        found.push(`${table}: ${msg}`);
    return found;
  }

  return { rows, copyTo, damage, close: () => pool.end() };
}
