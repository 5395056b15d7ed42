/** What SQLite and PostgreSQL say differently. Everything else is written once. */
import {
  type ColumnDefinitionNode,
  DataTypeNode,
  type Kysely,
  type KyselyPlugin,
  OperationNodeTransformer,
  PostgresAdapter,
  type RawBuilder,
  RawNode,
  type RootOperationNode,
  sql,
} from 'kysely';
import type { Database } from './schema.ts';

type Db = Pick<Kysely<Database>, 'getExecutor'>;

/** True on PostgreSQL, false on SQLite. */
export function isPostgres(db: Db): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

export type ColumnType = 'bigint' | 'double precision' | 'text' | 'bytea';

/**
 * A list of rows as a table in the `from` of a statement, named `name`, with these columns.
 * The list travels as one parameter (SQLite; no bytes then) or one for each column (PostgreSQL), whatever its length.
 */
export function tableOf<Column extends string>(
  db: Db,
  name: string,
  columns: Record<Column, ColumnType>,
  rows: readonly { readonly [Name in NoInfer<Column>]: unknown }[],
): RawBuilder<unknown> {
  const names = Object.keys(columns) as Column[];
  if (isPostgres(db)) {
    const lists = names.map(
      (column) => sql`${rows.map((row) => row[column])}::${sql.raw(columns[column])}[]`,
    );
    const alias = sql`${sql.ref(name)}(${sql.join(names.map((column) => sql.ref(column)))})`;
    return sql`unnest(${sql.join(lists)}) as ${alias}`;
  }
  const list = JSON.stringify(rows.map((row) => names.map((column) => row[column])));
  const values = names.map((column, at) => sql`value ->> ${sql.lit(at)} as ${sql.ref(column)}`);
  return sql`(select ${sql.join(values)} from json_each(${list})) as ${sql.ref(name)}`;
}

/**
 * What tells this database from every other: a standby that takes over is the same one, a copy by dump and restore
 * is not. Null on SQLite, where the file has no name of its own.
 */
export async function databaseIdentity(db: Kysely<Database>): Promise<string | null> {
  if (!isPostgres(db)) return null;
  const { rows } = await sql<{
    identity: string;
  }>`select system_identifier || '/' || oid as identity
    from pg_control_system(), pg_database where datname = current_database()`.execute(db);
  return `postgres:${rows[0]?.identity}`;
}

/** The database's own clock, ms. */
export async function databaseTime(db: Kysely<Database>): Promise<number> {
  const now = isPostgres(db)
    ? sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`
    : sql`cast(unixepoch('subsec') * 1000 as integer)`;
  const { rows } = await sql<{ now: number }>`select ${now} as now`.execute(db);
  return rows[0]?.now ?? Number.NaN;
}

/**
 * Whether trying again later may help: the database is away, full, locked by another, or had to choose between
 * two writers.
 */
export function isPassing(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (code.startsWith('SQLITE_')) return true;
  // Classes of PostgreSQL: connection, resources, operator's intervention, system, two writers at odds (appendix A).
  if (/^(08|53|57P|58|40)/.test(code)) return true;
  return isLost(code, message);
}

/** What Node and the driver say of a connection that broke. */
function isLost(code: string, message: string): boolean {
  return (
    /^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)$/.test(code) ||
    /^(Connection terminated|timeout exceeded|Client (has encountered|was closed)|The (client|connection) )/i.test(
      message,
    )
  );
}

/**
 * Who sends of a campaign holds it together with others; who pauses, changes or ends it, alone. So nothing of it
 * starts after that has been committed. Lasts until the transaction ends. On SQLite every transaction is alone.
 */
export async function holdCampaign(
  db: Kysely<Database>,
  campaign: number,
  how: 'together' | 'alone',
): Promise<void> {
  if (!isPostgres(db)) return;
  const lock = sql.raw(`pg_advisory_xact_lock${how === 'together' ? '_shared' : ''}`);
  await sql`${along}select ${lock}(${sql.lit(CAMPAIGN)}, ${campaign}::int)`.execute(db);
}

/**
 * Who plans holds the list together with others, and who erases readers, alone: so a plan names nobody who is
 * erased meanwhile. Lasts until the transaction ends. On SQLite every transaction is alone.
 */
export async function holdList(db: Kysely<Database>, how: 'together' | 'alone'): Promise<void> {
  if (!isPostgres(db)) return;
  const lock = sql.raw(`pg_advisory_xact_lock${how === 'together' ? '_shared' : ''}`);
  await sql`${along}select ${lock}(${sql.lit(LIST)})`.execute(db);
}

/** Workers that spend from the same limits take turns, until the transaction ends. */
export async function holdLimits(db: Kysely<Database>, newsletter: string): Promise<void> {
  if (!isPostgres(db)) return;
  const lock = sql`pg_advisory_xact_lock(${sql.lit(LIMITS)}, hashtext(${newsletter}))`;
  await sql`${along}select ${lock}`.execute(db);
}

/** Names of locks. */
const CAMPAIGN = 7_312_905;
const LIMITS = 7_312_906;
const LIST = 7_312_908;

/**
 * Begins a statement of a transaction on PostgreSQL whose answer nobody looks at: it is sent along with the next one
 * (`client.ts`), which fails where this one does.
 */
export const along = sql.raw('/* along */ ');

/** Migrations are written in SQLite's few types; PostgreSQL gets those that hold the same values. */
export const POSTGRES_TYPES: KyselyPlugin = {
  transformQuery: ({ node, queryId }) =>
    new TypeNames().transformNode(node, queryId) as RootOperationNode,
  transformResult: async ({ result }) => result,
};

class TypeNames extends OperationNodeTransformer {
  protected override transformDataType(node: DataTypeNode): DataTypeNode {
    const other = { integer: 'bigint', real: 'double precision', blob: 'bytea' } as const;
    return node.dataType in other
      ? DataTypeNode.create(other[node.dataType as keyof typeof other])
      : node;
  }

  /** A row id is never used twice; a copy brings its ids along. */
  protected override transformColumnDefinition(node: ColumnDefinitionNode): ColumnDefinitionNode {
    const { autoIncrement, ...column } = super.transformColumnDefinition(node);
    if (!autoIncrement) return column;
    const identity = RawNode.createWithSql('generated by default as identity');
    return { ...column, endModifiers: [...(column.endModifiers ?? []), identity] };
  }
}
