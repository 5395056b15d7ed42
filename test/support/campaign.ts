/** A list, a compiled email and a planned campaign, for the tests of delivery. */
import type { Kysely } from 'kysely';
import { addSubscriber } from '../../src/audience/subscribers.ts';
import { unsubscribeToken } from '../../src/audience/tokens.ts';
import type { SenderOptions, SenderReport } from '../../src/delivery/lanes.ts';
import {
  type CampaignKey,
  type Plan,
  type PlanInput,
  planCampaign,
} from '../../src/delivery/plan.ts';
import { runSender } from '../../src/delivery/sender.ts';
import type { Email } from '../../src/issue/email.ts';
import { slotMarker } from '../../src/issue/email.ts';
import { compile } from '../../src/message/program.ts';
import type { Database } from '../../src/store/schema.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { RING, seededRandom, silent } from './newsletter.ts';

export const START = Date.parse('2026-11-20T08:00:00Z');

export const EMAIL: Email = {
  subject: 'Weekly',
  preheader: 'words',
  language: 'en',
  html: `<!doctype html><html><body><p>Hello.\n.a line with a dot\n..two</p><a href="${slotMarker('unsubscribe', 1)}">Unsubscribe</a></body></html>`,
  text: `Hello.\n.\n.a line with a dot\n\nUnsubscribe: ${slotMarker('unsubscribe', 1)}\n`,
};

export const KEY: CampaignKey = {
  newsletter: 'weekly',
  channel: 'smtp',
  issue: '2026-w47',
  audience: { segment: null, newReaders: false },
};

/** Adds `reader1@example.com` and so on. */
export async function addReaders(
  db: Kysely<Database>,
  count: number,
  from = 1,
  newsletter = 'weekly',
): Promise<string[]> {
  const random = seededRandom(`readers${from}`);
  const addresses = Array.from({ length: count }, (_, n) => `reader${from + n}@example.com`);
  await inTransaction(db, async (trx) => {
    for (const address of addresses) {
      await addSubscriber(
        trx,
        { newsletter, address, name: null, source: 'test' },
        { now: START, random },
      );
    }
  });
  return addresses;
}

/** Plans KEY, or what differs from it. */
export function plan(
  db: Kysely<Database>,
  change: Partial<CampaignKey> = {},
  more: Pick<PlanInput, 'firstWave'> = {},
  sender = 'news@example.com',
): Promise<Plan> {
  const program = compile(EMAIL, {
    from: { name: 'Weekly', address: 'news@example.com' },
    listId: { id: 'weekly.example.com', name: 'Weekly' },
    date: START,
    links: {
      unsubscribe: 'https://news.example.com/u/{token}',
      web: 'https://news.example.com/issues/2026-w47',
    },
    identity: { issue: '2026-w47', domain: 'example.com', salt: 'salt' },
  });
  return planCampaign(db, {
    ...KEY,
    ...change,
    ...more,
    email: EMAIL,
    program,
    sender,
    tokenFor: (publicId) => unsubscribeToken(RING, 'weekly', publicId),
    now: START,
  });
}

/** Runs a sender until nothing is due. */
export function runOnce(
  options: Pick<SenderOptions, 'db' | 'transportFor'> & Partial<SenderOptions>,
): Promise<SenderReport> {
  return runSender({
    newsletter: 'weekly',
    signer: undefined,
    clock: () => START,
    random: seededRandom('sender'),
    signal: new AbortController().signal,
    once: true,
    log: silent,
    ...options,
    settings: {
      onUnknown: 'resend',
      expireAfter: 48 * 3_600_000,
      rates: {},
      ...options.settings,
    },
  });
}

/** How many deliveries are in each state. */
export async function states(db: Kysely<Database>): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('deliveries')
    .select(({ fn }) => ['state', fn.countAll<number>().as('n')])
    .groupBy('state')
    .execute();
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}
