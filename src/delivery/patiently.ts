import { setTimeout as sleep } from 'node:timers/promises';
import { failedError } from '../errors.ts';
import { isPassing } from '../store/dialect.ts';

/** How long a failing database is tried again, ms. */
const PATIENCE = 5 * 60_000;
const RETRY = 250;

/** A database that is full, locked or away holds everything up: no stored result, no next mark. */
export async function patiently<T>(write: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (performance.now() - begun > PATIENCE) {
        const { message } = error as Error;
        throw failedError('ledger-unwritable', `The database cannot be written: ${message}`, {
          hint: 'Make room or free the lock, then send again: it goes on where it stopped.',
        });
      }
      await sleep(RETRY);
    }
  }
}
