/** Contestant: our sender on a planned campaign, with ledger and marks. Prints what it took. */
import { runSender } from '../src/delivery/sender.ts';
import { createSmtpTransport } from '../src/delivery/smtp.ts';
import { openStore } from '../src/store/open.ts';
import { used } from './used.ts';

const { STATE_DIR = '', SMTP_URL = '', CONNECTIONS = '20' } = process.env;
const { db, close } = await openStore({ stateDir: STATE_DIR });
const result = used();
const report = await runSender({
  db,
  newsletter: 'bench',
  transportFor: () => createSmtpTransport({ url: SMTP_URL }),
  signer: undefined,
  clock: Date.now,
  random: (bytes) => Buffer.alloc(bytes, 7),
  signal: new AbortController().signal,
  once: true,
  log: { warn: (fields, message) => console.error(message, fields) },
  settings: { connections: Number(CONNECTIONS), onUnknown: 'resend', expireAfter: 48 * 3_600_000 },
});
console.log(JSON.stringify(result(report.attempts.accepted)));
await close();
