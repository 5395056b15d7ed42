/** Writes mails as .eml files instead of sending them. */
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { failpoint } from './failpoint.ts';
import { accepted } from './outcome.ts';
import type { Transport } from './transport.ts';

/**
 * @param dir one file for each delivery is written there; the same delivery again replaces its file
 */
export function createOutbox(dir: string): Transport {
  let made: Promise<unknown> | undefined;
  return {
    async deliver({ id, to }, bytes) {
      made ??= mkdir(dir, { recursive: true });
      await made;
      const path = join(dir, `${id}-${fileName(to)}.eml`);
      await writeWhole(path, bytes);
      failpoint('after-reply');
      return accepted(null, path);
    },
    close: async () => {},
  };
}

/** Under another name first: whoever reads the outbox sees whole mails only. */
async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w');
  try {
    failpoint('mid-data');
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

function fileName(address: string): string {
  return address.replace(/[^a-z0-9@._-]+/gi, '_').slice(0, 100);
}
