/** Chance and log for tests, without a test runner: processes that tests start use them too. */
import { createHash } from 'node:crypto';

/** Bytes that look like chance and are the same in every run. */
export function seededRandom(seed = 'seed'): (bytes: number) => Buffer {
  let n = 0;
  return (bytes) => {
    const blocks: Buffer[] = [];
    for (let length = 0; length < bytes; length += 32) {
      blocks.push(createHash('sha256').update(`${seed}${n++}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, bytes);
  };
}

export const silent = { info: () => {}, warn: () => {}, error: () => {} };
