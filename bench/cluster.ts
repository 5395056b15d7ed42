/** Contestant: one worker on PostgreSQL whose relay takes everything at once. Prints what it took. */
import type { Outcome } from '../src/delivery/outcome.ts';
import { runSender } from '../src/delivery/sender.ts';
import type { Transport } from '../src/delivery/transport.ts';
import { openStore } from '../src/store/open.ts';
import { senderOptions } from './sender.ts';
import { used } from './used.ts';

const { DATABASE = '', LANES = '50' } = process.env;
const accepted: Outcome = {
  state: 'accepted',
  code: 250,
  reply: '250 2.0.0 ok',
  relayFault: false,
  reason: 'accepted',
};
const nowhere: Transport = {
  lanes: Number(LANES),
  deliver: async (_, record) => {
    await record?.(accepted);
    return accepted;
  },
  abort: () => {},
  close: async () => {},
};

const { db, close } = await openStore({ url: DATABASE, stateDir: '' });
// All workers begin together.
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.destroy();
const result = used();
const report = await runSender({
  ...senderOptions,
  db,
  newsletter: 'weekly',
  transportFor: () => nowhere,
  signer: undefined,
});
console.log(JSON.stringify(result(report.attempts.accepted)));
await close();
