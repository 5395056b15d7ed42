/** The same mails over the same connections, with no ledger: what marks and results cost is the difference. */
import { setImmediate as turn } from 'node:timers/promises';
import { editionOf, openEditions } from '../src/delivery/editions.ts';
import { createSmtpTransport } from '../src/delivery/smtp/transport.ts';
import { fillPieces } from '../src/message/program.ts';
import { openStore } from '../src/store/open.ts';
import { used } from './used.ts';

const { STATE_DIR = '', SMTP_URL = '', CONNECTIONS = '20', MAILS = '1000' } = process.env;
const { db, close } = await openStore({ stateDir: STATE_DIR });
const [{ id, campaign_id: campaign } = { id: 0, campaign_id: 0 }] = await db
  .selectFrom('editions')
  .select(['id', 'campaign_id'])
  .execute();
const { program, sender } = await editionOf(db, await openEditions(db, campaign), campaign, id);
await close();

const result = used();
const transport = createSmtpTransport({ url: SMTP_URL, connections: Number(CONNECTIONS) });
let next = 0;
let sent = 0;
async function lane(): Promise<void> {
  for (let n = next++; n < Number(MAILS); n = next++) {
    const to = `reader${n}@example.com`;
    const token = `1.bench.${Buffer.from(to).toString('base64url')}.aaaaaaaaaaaaaaaaaaaaaa`;
    const message = fillPieces(program, { delivery: n, address: to, name: null, token });
    // An outcome waits for the end of the turn, as it does with a ledger.
    const { state } = await transport.deliver({ id: `${n}`, from: sender, to, message }, () =>
      turn(),
    );
    if (state === 'accepted') sent += 1;
  }
}
await Promise.all(Array.from({ length: transport.lanes }, lane));
await transport.close();
console.log(JSON.stringify(result(sent)));
