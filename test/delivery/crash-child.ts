/** The process that the crash tests kill: it sends a campaign, or plans one, as in life. */
import { interruption } from '../../src/cli/interruption.ts';
import { runSender } from '../../src/delivery/sender.ts';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import { openStore } from '../../src/store/open.ts';
import { seededRandom, silent } from '../support/seeded.ts';

const { TASK, STATE_DIR = '', SMTP_URL = '', CONNECTIONS = '', ON_UNKNOWN } = process.env;

const store = await openStore({ stateDir: STATE_DIR });
if (TASK === 'plan') {
  const { plan } = await import('../support/campaign.ts');
  await plan(store.db);
} else {
  await runSender({
    db: store.db,
    newsletter: 'weekly',
    transportFor: () =>
      createSmtpTransport({ url: SMTP_URL, connections: Number(CONNECTIONS), rest: 1 }),
    signer: undefined,
    clock: Date.now,
    random: seededRandom(),
    signal: interruption(),
    once: true,
    log: silent,
    settings: {
      onUnknown: ON_UNKNOWN === 'hold' ? 'hold' : 'resend',
      expireAfter: 400 * 86_400_000,
      rates: {},
    },
  });
}
await store.close();
