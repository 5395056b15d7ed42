/** Another program's PostgreSQL database, to read from. */
import type { Client } from 'pg';
import { failedError } from '../errors.ts';

/**
 * The rows of a query, some thousand at a time; in a transaction that can only read.
 * @param name of the variable with the address, for messages; the address itself holds a password
 * @throws BroadsheetError `foreign-database`
 */
export async function* rowsElsewhere<Row extends object>(
  url: string,
  name: string,
  query: string,
  values: unknown[],
): AsyncGenerator<Row[]> {
  const { default: pg } = await import('pg');
  const client: Client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    await client.query('begin isolation level repeatable read read only');
    await client.query(`declare readers no scroll cursor for ${query}`, values);
    for (;;) {
      const { rows } = await client.query<Row>('fetch 2000 from readers');
      if (rows.length === 0) return;
      yield rows;
    }
  } catch (error) {
    throw failedError(
      'foreign-database',
      `The database in ${name} cannot be read: ${said(error)}`,
      {
        hint: 'Look whether it runs, whether the user may log in and read, and whether it is the right one.',
      },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

function said(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || 'no connection';
}
