/**
 * The tables, as Kysely sees them. Times are integers, milliseconds since 1970 UTC; JSON is text.
 * Every table carries `newsletter`, because several newsletters may share one database.
 */
import type { Generated } from 'kysely';

export interface Database {
  subscribers: SubscriberTable;
  suppressions: SuppressionTable;
  consents: ConsentTable;
  campaigns: CampaignTable;
  editions: EditionTable;
  deliveries: DeliveryTable;
  attempts: AttemptTable;
  events: EventTable;
  limits: LimitTable;
  budgets: BudgetTable;
  schedules: ScheduleTable;
  slots: SlotTable;
}

export interface SubscriberTable {
  id: Generated<number>;
  newsletter: string;
  /** As typed; what mail is sent to. */
  address: string;
  /** Canonical address: NFC, domain as lower-case A-label, local part lower-cased. Unique per newsletter. */
  address_key: string;
  /** SHA-256 of address_key, hex: what suppressions are kept by. */
  address_hash: string;
  name: string | null;
  language: string | null;
  state: 'pending' | 'active' | 'unsubscribed';
  /** Opaque random id that stands in unsubscribe links: 16 bytes, base64url. Unique. */
  public_id: string;
  /** JSON array of strings. */
  tags: Generated<string>;
  /** JSON object: the fields of the settings that are known of the reader, text or numbers; days as 2026-11-25. */
  fields: Generated<string>;
  /** Where the subscription came from: `import:readers.csv`, `cli`, `form`. */
  source: string;
  /** When the reader agreed, where an import says so; else when the row was made. */
  created_at: number;
  updated_at: number;
  /** The row holds nothing of the person any more, and stays for the sums of the campaigns. */
  erased_at: Generated<number | null>;
}

/** Acts across all newsletters of the database: `newsletter` says only where it arose. */
export interface SuppressionTable {
  id: Generated<number>;
  newsletter: string;
  /** SHA-256 of address_key, hex: survives erasure. Unique. */
  address_hash: string;
  reason: 'hard-bounce' | 'soft-bounces' | 'complaint' | 'manual' | 'erased';
  detail: string | null;
  created_at: number;
}

/** Append-only. */
export interface ConsentTable {
  id: Generated<number>;
  newsletter: string;
  subscriber_id: number;
  event: 'subscribed' | 'confirmed' | 'imported' | 'unsubscribed' | 'resubscribed' | 'removed';
  /** `cli`, `import:FILE`, `one-click`, `page`, … */
  via: string;
  /** Campaign whose link was used, where known. */
  campaign_id: number | null;
  detail: string | null;
  at: number;
}

export type Channel = 'outbox' | 'smtp';

export interface CampaignTable {
  id: Generated<number>;
  newsletter: string;
  channel: Channel;
  issue: string;
  /** Slot id where the schedule started it. */
  slot: string | null;
  state: 'sending' | 'paused' | 'finished' | 'cancelled';
  /** Why it paused, where it did so by itself. */
  note: string | null;
  /** JSON: the audience rule as it was planned, e.g. `{"segment":null,"newReaders":false}`. */
  audience: string;
  /** Recipients planned; the sum over the states of its deliveries, always. */
  planned: number;
  created_at: number;
  finished_at: number | null;
}

/** What is sent, frozen. */
export interface EditionTable {
  id: Generated<number>;
  newsletter: string;
  campaign_id: number;
  /** `sha256:…` of the program. */
  hash: string;
  subject: string;
  /** Envelope sender. */
  sender: string;
  /** JSON of the Email: what the web version shows. */
  email: string;
  /** The compiled message program, serialised by `message/program.ts`. */
  program: Buffer;
  created_at: number;
}

export const DELIVERY_STATES = [
  'queued',
  'attempting',
  'accepted',
  'deferred',
  'failed',
  'unknown',
  'suppressed',
  'cancelled',
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface DeliveryTable {
  id: Generated<number>;
  newsletter: string;
  channel: Channel;
  issue: string;
  campaign_id: number;
  edition_id: number;
  subscriber_id: number;
  /** Kept, with `slots`, until seven days after the end, so that a resend has the same bytes. */
  address: string | null;
  /** JSON of the slot values of this reader. */
  slots: string | null;
  state: DeliveryState;
  /** Raised by each sender that starts; fences off a sender that was taken over. */
  epoch: Generated<number>;
  attempts: Generated<number>;
  /** Times an unknown outcome was sent again. */
  resends: Generated<number>;
  /** Not before this time; 0: at once. */
  not_before: Generated<number>;
  /** Of the first attempt. */
  begun_at: number | null;
  /** Of the latest attempt. */
  attempted_at: number | null;
  settled_at: number | null;
  code: number | null;
  /** Reply of the relay, or why it is unknown. */
  reply: string | null;
  /** Mailbox provider group of the address, as `audience/address.ts` names it. */
  provider: Generated<string>;
  /** Short word for `reply`, from `delivery/replies.ts`. */
  reason: string | null;
  /** 1 while it bars another delivery of the issue to the reader; null once cancelled. */
  taken: Generated<number | null>;
}

/** Append-only: each attempt that did not succeed. One that did is told by its delivery. */
export interface AttemptTable {
  id: Generated<number>;
  newsletter: string;
  delivery_id: number;
  state: 'deferred' | 'failed' | 'unknown';
  reason: string | null;
  code: number | null;
  reply: string | null;
  at: number;
}

/** Append-only: what happened to a campaign, and what people did to it. */
export interface EventTable {
  id: Generated<number>;
  newsletter: string;
  campaign_id: number | null;
  kind: string;
  /** In words. */
  detail: string | null;
  at: number;
}

/** What holds mail back: pace and pauses of the relay or of a provider group. */
export interface LimitTable {
  newsletter: string;
  /** `relay` or a provider group. Unique with newsletter. */
  scope: string;
  /** The pace allows the next mail at this time, ms with fractions. */
  next_at: Generated<number>;
  /** Nothing starts before this time, ms. */
  held_until: Generated<number>;
  /** How often in a row it was held. */
  step: Generated<number>;
  /** Why it is held. */
  note: string | null;
}

/** Mails begun, by the hour, for limits per day. */
export interface BudgetTable {
  newsletter: string;
  scope: string;
  /** Hours since 1970 UTC. Unique with newsletter and scope. */
  hour: number;
  used: number;
}

/** One row per newsletter: what the scheduler needs to remember. */
export interface ScheduleTable {
  newsletter: string;
  /** Hash of cron and zone; another rule starts afresh. */
  rule: string;
  /** No slot before this time is ever due (S-07). */
  activated_at: number;
  /** Must equal the id in var/instance; a restored copy does not send (S-07). */
  instance: string;
  ticked_at: number;
}

export interface SlotTable {
  newsletter: string;
  /** `ai-weekly@2026-11-23T09:00[Asia/Shanghai]`. Unique with newsletter (S-02). */
  slot: string;
  at: number;
  state: 'due' | 'sending' | 'done' | 'missed' | 'skipped' | 'cancelled' | 'failed';
  issue: string | null;
  campaign_id: number | null;
  /** Why it was missed or skipped; how late it was. */
  note: string | null;
  updated_at: number;
}
