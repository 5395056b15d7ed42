/** The sender that the crash tests kill: a process of its own, as in life. */

import { runSender } from '../../src/delivery/sender.ts';
import { createSmtpTransport } from '../../src/delivery/smtp.ts';
import { openStore } from '../../src/store/open.ts';
import { seededRandom, silent } from '../support/seeded.ts';

const { STATE_DIR = '', SMTP_URL = '', LANES = '3' } = process.env;
const controller = new AbortController();
process.on('SIGTERM', () => controller.abort());

const store = await openStore({ stateDir: STATE_DIR });
await runSender({
  db: store.db,
  newsletter: 'weekly',
  transportFor: () => createSmtpTransport({ url: SMTP_URL }),
  signer: undefined,
  clock: Date.now,
  random: seededRandom(),
  signal: controller.signal,
  once: true,
  log: silent,
  settings: { connections: Number(LANES), onUnknown: 'resend', expireAfter: 400 * 86_400_000 },
});
await store.close();
