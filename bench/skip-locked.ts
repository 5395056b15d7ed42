/**
 * Contestant: what one would write without an engine. Each worker leases 500 rows with `for update skip locked`, then
 * marks, fills in and settles them in groups as large as ours, by prepared statements over one connection.
 */
import pg from 'pg';
import { deserialise, fillPieces } from '../src/message/program.ts';
import { used } from './used.ts';

interface Leased {
  id: string;
  address: string;
  slots: string;
}

const { DATABASE = '', LANES = '50' } = process.env;
const LEASE = 500;
const lanes = Number(LANES);
const client = new pg.Client({ connectionString: DATABASE });
await client.connect();
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.destroy();

const result = used();
const editions = await client.query<{ program: Buffer }>('select program from editions');
const program = deserialise(editions.rows[0]?.program as Buffer);
let sent = 0;
for (;;) {
  const { rows } = await client.query<Leased>({
    name: 'lease',
    text: `update deliveries set epoch = pg_backend_pid(), not_before = $1
      where id in (select id from deliveries where state = 'queued' and not_before < $2
        order by not_before, id limit ${LEASE} for update skip locked)
      returning id, address, slots`,
    values: [Date.now() + 60_000, Date.now()],
  });
  if (rows.length === 0) break;
  for (let from = 0; from < rows.length; from += lanes) {
    const group = rows.slice(from, from + lanes);
    const ids = group.map(({ id }) => id);
    await client.query({
      name: 'mark',
      text: `update deliveries set state = 'attempting', attempts = attempts + 1, attempted_at = $2
        where id = any($1) and state = 'queued'`,
      values: [ids, Date.now()],
    });
    for (const { id, address, slots } of group)
      fillPieces(program, { delivery: Number(id), address, ...JSON.parse(slots) });
    await client.query({
      name: 'settle',
      text: `update deliveries set state = 'accepted', settled_at = $2, code = 250, reply = '250 2.0.0 ok'
        where id = any($1) and state = 'attempting'`,
      values: [ids, Date.now()],
    });
    sent += ids.length;
  }
}
console.log(JSON.stringify(result(sent)));
await client.end();
