/** The real mail, to a few named addresses. Not a delivery: nothing is recorded. */
import { randomBytes } from 'node:crypto';
import { parseAddress } from '../audience/address.ts';
import type { Outcome } from '../delivery/outcome.ts';
import type { IssueId } from '../issue/issue.ts';
import { sign } from '../message/dkim.ts';
import { fill } from '../message/program.ts';
import { compose } from './compose.ts';
import { readIssue } from './issues.ts';
import type { Newsletter } from './newsletter.ts';
import { signerOf, transportFor } from './worker.ts';

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
  const { program } = await compose(newsletter, issue, newsletter.clock(), prefix);
  const signer = signerOf(newsletter);
  const transport = transportFor(newsletter, newsletter.settings.delivery.channel, 'test');
  const results: TestResult[] = [];
  try {
    for (const address of readers) {
      const delivery = `test-${randomBytes(6).toString('hex')}`;
      const message = fill(program, { delivery, address, name: null, token: INERT });
      const envelope = { id: delivery, from: newsletter.settings.sender.address, to: address };
      const bytes = signer ? sign(message, signer) : message;
      results.push({ address, outcome: await transport.deliver(envelope, bytes, signal) });
    }
  } finally {
    await transport.close();
  }
  return results;
}
