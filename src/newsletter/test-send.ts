/** The real mail, to a few named addresses. Not a delivery: nothing is recorded. */
import { randomBytes } from 'node:crypto';
import { parseAddress } from '../audience/address.ts';
import type { Outcome } from '../delivery/outcome.ts';
import type { IssueId } from '../issue/issue.ts';
import { addrSpec } from '../message/address.ts';
import { sign } from '../message/dkim.ts';
import { fillPieces } from '../message/program.ts';
import { keepTargets } from './clicks.ts';
import { compose } from './compose.ts';
import { readIssue } from './issues.ts';
import type { Newsletter } from './newsletter.ts';
import { signerOf } from './signer.ts';
import { transportFor } from './worker.ts';

export interface TestResult {
  address: string;
  outcome: Outcome;
}

/** A token that no reader has: the link opens a page and unsubscribes nobody. */
const INERT = 'test';

/** Sends to each address, one after the other, with `[测试]` or `[Test]` before the subject. */
export async function testSend(
  newsletter: Newsletter,
  issue: IssueId,
  addresses: string[],
  signal: AbortSignal,
): Promise<TestResult[]> {
  const readers = addresses.map((given) => parseAddress(given).address);
  const { language } = readIssue(newsletter, issue).issue;
  const prefix = language.startsWith('zh') ? '[测试] ' : '[Test] ';
  const { program, targets } = await compose(newsletter, issue, newsletter.clock(), prefix);
  await keepTargets(newsletter, issue, targets);
  const signer = signerOf(newsletter);
  const transport = transportFor(newsletter, newsletter.settings.delivery.channel, 'test');
  const results: TestResult[] = [];
  signal.addEventListener('abort', transport.abort, { once: true });
  try {
    for (const address of readers) {
      const delivery = `test-${randomBytes(6).toString('hex')}`;
      const pieces = fillPieces(program, { delivery, address, name: null, token: INERT });
      const message = signer ? await sign(pieces, signer) : pieces;
      const { address: from } = newsletter.settings.sender;
      const outcome = await transport.deliver({
        id: delivery,
        from,
        to: addrSpec(address),
        message,
      });
      results.push({ address, outcome });
    }
  } finally {
    signal.removeEventListener('abort', transport.abort);
    await transport.close();
  }
  return results;
}
