/** The process that the crash tests kill: it sends a campaign, or plans one, as in life. */
import { interruption } from '../../src/cli/interruption.ts';
import { sendAll } from './crash-sender.ts';

const { TASK, STATE_DIR = '', SMTP_URL = '', CONNECTIONS = '', ON_UNKNOWN } = process.env;

if (TASK === 'plan') {
  const { openStore } = await import('../../src/store/open.ts');
  const { plan } = await import('../support/campaign.ts');
  const store = await openStore({ stateDir: STATE_DIR });
  await plan(store.db);
  await store.close();
} else {
  await sendAll({
    stateDir: STATE_DIR,
    smtpUrl: SMTP_URL,
    connections: Number(CONNECTIONS),
    onUnknown: ON_UNKNOWN === 'hold' ? 'hold' : 'resend',
    signal: interruption(),
  });
}
