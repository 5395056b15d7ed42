/** Contestant: our sender on a planned campaign, with ledger and marks. Prints what it took. */
import { readFileSync } from 'node:fs';
import { runSender } from '../src/delivery/sender.ts';
import { createSmtpTransport } from '../src/delivery/smtp/transport.ts';
import { loadSigner } from '../src/message/dkim.ts';
import { openStore } from '../src/store/open.ts';
import { senderOptions } from './sender.ts';
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
  ...senderOptions,
  db,
  newsletter: 'bench',
  transportFor: () => createSmtpTransport({ url: SMTP_URL, connections: Number(CONNECTIONS) }),
  signer,
});
console.log(JSON.stringify(result(report.attempts.accepted)));
await close();
