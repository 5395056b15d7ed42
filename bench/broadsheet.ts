/** Contestant: our sender on a planned campaign, with ledger and marks. Prints what it took. */
import { readFileSync } from 'node:fs';
import { runSender } from '../src/delivery/sender.ts';
import { createSmtpTransport } from '../src/delivery/smtp/transport.ts';
import { loadSigner } from '../src/message/dkim.ts';
import { openStore } from '../src/store/open.ts';
import { used } from './used.ts';

const { STATE_DIR = '', SMTP_URL = '', CONNECTIONS = '20', DKIM_KEY } = process.env;
const signer = DKIM_KEY
  ? loadSigner({
      domain: 'news.example.com',
      selector: 'bench',
      pem: readFileSync(DKIM_KEY, 'utf8'),
    })
  : undefined;
const { db, close } = await openStore({ stateDir: STATE_DIR });
const result = used();
const report = await runSender({
  db,
  newsletter: 'bench',
  transportFor: () => createSmtpTransport({ url: SMTP_URL, connections: Number(CONNECTIONS) }),
  signer,
  clock: Date.now,
  random: (bytes) => Buffer.alloc(bytes, 7),
  signal: new AbortController().signal,
  once: true,
  log: { info: () => {}, warn: (fields, message) => console.error(message, fields) },
  settings: { onUnknown: 'resend', expireAfter: 48 * 3_600_000, rates: {} },
});
console.log(JSON.stringify(result(report.attempts.accepted)));
await close();
