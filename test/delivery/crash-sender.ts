/** The sender of the crash tests: as in life, until nothing is due. */
import { runSender } from '../../src/delivery/sender.ts';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import { openStore } from '../../src/store/open.ts';
import { seededRandom, silent } from '../support/seeded.ts';

export interface CrashSender {
  stateDir: string;
  smtpUrl: string;
  connections: number;
  onUnknown: 'resend' | 'hold';
  signal: AbortSignal;
}

export async function sendAll(options: CrashSender): Promise<void> {
  const { stateDir, smtpUrl, connections, onUnknown, signal } = options;
  const store = await openStore({ stateDir });
  await runSender({
    db: store.db,
    newsletter: 'weekly',
    transportFor: () => createSmtpTransport({ url: smtpUrl, connections, rest: 1 }),
    signer: undefined,
    clock: Date.now,
    random: seededRandom(),
    signal,
    once: true,
    log: silent,
    settings: { onUnknown, expireAfter: 400 * 86_400_000, rates: {} },
  });
  await store.close();
}
