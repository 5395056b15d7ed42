/** What every write into the ledger depends on. */
import type { Channel } from '../store/schema.ts';
import type { Chunk } from './chunks.ts';
import type { Rates } from './limits.ts';
import type { Queue } from './queue.ts';

export interface LedgerRules {
  onUnknown: 'resend' | 'hold';
  /** How long after its first attempt a deferred delivery is still tried, ms. */
  expireAfter: number;
  rates: Rates;
}

export interface SendingCampaign {
  id: number;
  newsletter: string;
  channel: Channel;
}

/** Everything that a write into the ledger depends on. */
export interface Turn {
  campaign: SendingCampaign;
  /** Of this sender; a result or mark of another epoch is not ours to touch. */
  epoch: number;
  /** ms. */
  now: number;
  rules: LedgerRules;
  queue: Queue;
  /** What this worker owns of the campaign; null on SQLite, where one sender owns everything. */
  chunk: Chunk | null;
  /** In [0, 1). */
  chance: () => number;
}

/** An unknown delivery is sent once more, last, with the same bytes; then it stays unknown (I7). */
export const MOST_RESENDS = 1;

/** Reason of a delivery that a sender left marked when it ended. */
export const SENDER_ENDED = 'sender-ended';
