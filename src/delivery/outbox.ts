/** Writes mails as .eml files instead of sending them. */
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { failpoint } from './failpoint.ts';
import { accepted } from './outcome.ts';
import type { Transport } from './transport.ts';

/**
 * @param dir one file for each delivery is written there; the same delivery again replaces its file
 * @param lanes files written at once
 */
export function createOutbox(dir: string, lanes = 4): Transport {
  let made: Promise<unknown> | undefined;
  return {
    lanes,
    async deliver({ id, to, message }, record) {
      made ??= mkdir(dir, { recursive: true });
      await made;
      const path = join(dir, `${id}-${fileName(to)}.eml`);
      await writeWhole(path, message);
      failpoint('after-reply');
      const outcome = accepted(null, path);
      await record?.(outcome);
      return outcome;
    },
    abort: () => {},
    close: async () => {},
  };
}

/** Under another name first: whoever reads the outbox sees whole mails only. */
async function writeWhole(path: string, message: readonly Buffer[]): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w');
  try {
    failpoint('before-body');
    await file.writev(message);
  } finally {
    await file.close();
  }
  failpoint('after-body');
  await rename(temporary, path);
}

function fileName(address: string): string {
  return address.replace(/[^a-z0-9@._-]+/gi, '_').slice(0, 100);
}
