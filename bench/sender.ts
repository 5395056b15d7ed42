/** What every sender of ours is given in the bench: no limits, no words but of trouble, and the end when nothing is due. */
import type { SenderOptions } from '../src/delivery/lanes.ts';

export const senderOptions: Omit<SenderOptions, 'db' | 'newsletter' | 'transportFor' | 'signer'> = {
  clock: Date.now,
  random: (bytes) => Buffer.alloc(bytes, 7),
  signal: new AbortController().signal,
  once: true,
  log: { info: () => {}, warn: (fields, message) => console.error(message, fields) },
  settings: { onUnknown: 'resend', expireAfter: 48 * 3_600_000, rates: {} },
};
