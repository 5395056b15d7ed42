/** `send --dry-run --full`: the whole send, composed into nothing and kept for comparison. */
import { unsubscribeToken } from '../audience/tokens.ts';
import { previewPlan } from '../delivery/plan.ts';
import { keepRehearsal, type Rehearsal, rehearse } from '../delivery/rehearsal.ts';
import { gate } from './check.ts';
import { compose } from './compose.ts';
import type { Newsletter } from './newsletter.ts';
import { campaignOf, type SendInput } from './send.ts';
import { signerOf } from './signer.ts';
import { ratesOf } from './worker.ts';

export interface Rehearsed extends Rehearsal {
  issue: string;
  subject: string;
  approved: boolean;
  /** Readers left out, by reason. */
  excluded: Record<string, number>;
  /** Sent now, it would be done at this time at the earliest, ms. */
  finishesAt: number;
  /** It was stopped before the end of the list; nothing was kept. */
  interrupted: boolean;
}

export interface RehearsalTalk {
  onProgress(done: number, total: number): void;
  signal: AbortSignal;
}

/**
 * Rehearses a send for every reader who would get it.
 * @throws BroadsheetError when a check stops it
 */
export async function rehearseSend(
  newsletter: Newsletter,
  input: SendInput,
  talk: RehearsalTalk,
): Promise<Rehearsed> {
  const { db, settings, keys, clock } = newsletter;
  const composed = await compose(newsletter, input.issue, clock());
  await gate(newsletter, composed, input.allow);
  const key = campaignOf(newsletter, input);
  const { recipients: total, excluded } = await previewPlan(db, key);
  const rehearsal = await rehearse(db, {
    ...key,
    program: composed.program,
    hash: composed.hash,
    signer: signerOf(newsletter),
    tokenFor: (publicId) => unsubscribeToken(keys, settings.slug, publicId),
    rates: ratesOf(settings),
    pause: settings.delivery.firstWave?.pause ?? 0,
    clock,
    onProgress: (done) => talk.onProgress(done, total),
    signal: talk.signal,
  });
  const interrupted = talk.signal.aborted;
  if (!interrupted) await keepRehearsal(db, key, rehearsal);
  return {
    ...rehearsal,
    issue: input.issue,
    subject: composed.email.subject,
    approved: composed.approved,
    excluded,
    finishesAt: clock() + rehearsal.shortestMs,
    interrupted,
  };
}
