/** The sender that the crash tests kill: a process of its own, as in life. */

import { runSender } from '../../src/delivery/sender.ts';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import { openStore } from '../../src/store/open.ts';
import { seededRandom, silent } from '../support/seeded.ts';

const { STATE_DIR = '', SMTP_URL = '', CONNECTIONS = '3' } = process.env;
const controller = new AbortController();
process.on('SIGTERM', () => controller.abort());

const store = await openStore({ stateDir: STATE_DIR });
await runSender({
  db: store.db,
  newsletter: 'weekly',
  transportFor: () =>
    createSmtpTransport({ url: SMTP_URL, connections: Number(CONNECTIONS), rest: 1 }),
  signer: undefined,
  clock: Date.now,
  random: seededRandom(),
  signal: controller.signal,
  once: true,
  log: silent,
  settings: { onUnknown: 'resend', expireAfter: 400 * 86_400_000, rates: {} },
});
await store.close();
