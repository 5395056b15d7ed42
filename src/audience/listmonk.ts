/** The readers of listmonk from its own database: there each subscription has its state, which its CSV lacks. */
import type { Kysely } from 'kysely';
import { inputError } from '../errors.ts';
import { rowsElsewhere } from '../store/foreign.ts';
import type { Database } from '../store/schema.ts';
import { type Candidate, candidate, cut, defaultsOf, type Layout } from './columns.ts';
import { ACTIVE, PENDING, type Standing, standingOf, UNSUBSCRIBED } from './consent.ts';
import { attributesOf, namesOf } from './foreign.ts';
import { type Entry, type ImportReport, type MergeInput, mergeReaders } from './merge.ts';
import type { Now } from './subscribers.ts';

export interface ListmonkInput extends Omit<MergeInput, 'via'>, Omit<Layout, 'now' | 'standing'> {
  /** `postgres://…` */
  url: string;
  /** Names of its lists; none: all. */
  lists?: readonly string[] | undefined;
}

interface Row {
  id: number;
  email: string;
  name: string;
  attribs: string;
  status: string;
  /** Worst first: of all subscriptions that count. */
  subscription: string | null;
  /** Names of the lists, as JSON. */
  lists: string | null;
  /** ms, of the first subscription. */
  since: string | null;
  /** ms, of the last change of a confirmed one. */
  confirmed: string | null;
  complaints: string;
  bounces: string;
}

/** `$1`: names of lists, empty for all. Bounces are there since listmonk 2. */
const QUERY = `
  select s.id, s.email, s.name, s.attribs::text as attribs, s.status::text as status,
    of.subscription, of.lists, of.since, of.confirmed,
    (select count(*) from bounces b where b.subscriber_id = s.id and b.type = 'complaint') as complaints,
    (select count(*) from bounces b where b.subscriber_id = s.id and b.type = 'hard') as bounces
  from subscribers s
  join lateral (
    select
      case when bool_or(sl.status = 'unsubscribed') then 'unsubscribed'
        when bool_or(sl.status = 'confirmed') then 'confirmed'
        else 'unconfirmed' end as subscription,
      json_agg(l.name order by l.id)::text as lists,
      (extract(epoch from min(sl.created_at)) * 1000)::bigint as since,
      (extract(epoch from max(sl.updated_at) filter (where sl.status = 'confirmed')) * 1000)::bigint as confirmed,
      count(*) as subscriptions
    from subscriber_lists sl join lists l on l.id = sl.list_id
    where sl.subscriber_id = s.id and (cardinality($1::text[]) = 0 or l.name = any($1::text[]))
  ) of on of.subscriptions > 0
  order by s.id`;

const NAMES = 'select name from lists where name = any($1::text[])';
const VARIABLE = 'LISTMONK_DATABASE_URL';

/**
 * Joins the readers of listmonk with the list. Who has left one of the lists that count has left; only who has
 * confirmed may be mailed; blocklisted, complained and hard bounces are suppressed. Lists become tags.
 * @throws BroadsheetError `list-unknown`, `foreign-database`
 */
export async function importListmonk(
  db: Kysely<Database>,
  input: ListmonkInput,
  world: Now,
): Promise<ImportReport> {
  await requireLists(input);
  const layout = { ...input, now: world.now };
  return mergeReaders(db, entries(input, layout), { ...input, via: 'import:listmonk' }, world);
}

async function requireLists({ url, lists = [] }: ListmonkInput): Promise<void> {
  const known = new Set<string>();
  for await (const rows of rowsElsewhere<{ name: string }>(url, VARIABLE, NAMES, [lists]))
    for (const { name } of rows) known.add(name);
  const missing = lists.filter((name) => !known.has(name));
  if (missing.length === 0) return;
  throw inputError('list-unknown', `listmonk has no list "${missing.join('", "')}"`);
}

async function* entries(
  { url, lists = [] }: ListmonkInput,
  layout: Layout,
): AsyncGenerator<Entry[]> {
  const defaults = defaultsOf(layout);
  for await (const rows of rowsElsewhere<Row>(url, VARIABLE, QUERY, [lists])) {
    yield rows.map((row) => {
      const reader = readerOf(row, layout, defaults);
      return {
        line: row.id,
        reader: typeof reader === 'string' ? { reason: reader, value: cut(row.email) } : reader,
      };
    });
  }
}

function readerOf(
  row: Row,
  layout: Layout,
  defaults: ReturnType<typeof defaultsOf>,
): Candidate | string {
  const declared = Object.entries(attributesOf(row.attribs)).filter(([name]) =>
    Object.hasOwn(layout.fields, name),
  );
  const time = (ms: string | null) => (ms === null ? '' : new Date(Number(ms)).toISOString());
  return candidate(
    {
      email: row.email,
      name: row.name,
      language: '',
      tags: (JSON.parse(row.lists ?? '[]') as string[]).flatMap(namesOf),
      standing: standing(row),
      source: 'listmonk',
      created: time(row.since),
      confirmed: time(row.confirmed),
      fields: Object.fromEntries(declared),
    },
    layout,
    defaults,
  );
}

function standing({ status, subscription, complaints, bounces }: Row): Standing {
  if (Number(complaints) > 0) return { state: 'suppressed', reason: 'complaint' };
  if (status === 'blocklisted')
    return { state: 'suppressed', reason: Number(bounces) > 0 ? 'hard-bounce' : 'manual' };
  if (Number(bounces) > 0) return { state: 'suppressed', reason: 'hard-bounce' };
  if (status !== 'enabled' || subscription === 'unsubscribed') return UNSUBSCRIBED;
  return subscription === 'confirmed' ? ACTIVE : (standingOf(subscription ?? '') ?? PENDING);
}
