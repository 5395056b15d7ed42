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
  bounces: BounceTable;
  targets: TargetTable;
  clicks: ClickTable;
  limits: LimitTable;
  budgets: BudgetTable;
  schedules: ScheduleTable;
  slots: SlotTable;
  chunks: ChunkTable;
  workers: WorkerTable;
  installations: InstallationTable;
  commits: CommitTable;
  alerts: AlertTable;
  signups: SignupTable;
  notices: NoticeTable;
  confirmations: ConfirmationTable;
  buckets: BucketTable;
  answers: AnswerTable;
  rehearsals: RehearsalTable;
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

/** Append-only: what reports said of mails that the relay had taken. They change no state but an `unknown`. */
export interface BounceTable {
  id: Generated<number>;
  newsletter: string;
  /** Names the report, so that it counts once: SHA-256, hex. Unique with `part`. */
  report: string;
  /** Counts the recipients of one report, from 0. */
  part: number;
  /** Where the report was: a path, an IMAP folder, `ses`. */
  origin: string;
  subject: string | null;
  /** Null where nobody knows whose it is. */
  delivery_id: number | null;
  campaign_id: number | null;
  subscriber_id: number | null;
  /** How the delivery was found (D-53): `verp`, `message-id`, `unsubscribe-token`, `recipient`. */
  known_by: string | null;
  /** A word of `bounces/classify.ts`. */
  kind: string;
  /** A word of `delivery/replies.ts`, or why there is none. */
  reason: string;
  status: string | null;
  reply: string | null;
  /** What followed for the reader. */
  effect: 'suppressed' | 'soft' | 'unsubscribed' | 'complaint' | null;
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

/** Where the links of an issue lead that are counted. Append-only. */
export interface TargetTable {
  newsletter: string;
  issue: string;
  /** Stands in the link: `/r/ISSUE/N`. Unique with newsletter and issue. */
  n: number;
  url: string;
}

/** How often a link was followed. Nothing in it is about a reader. */
export interface ClickTable {
  newsletter: string;
  issue: string;
  n: number;
  /** `YYYY-MM-DD` where the newsletter is at home. Unique with newsletter, issue and n. */
  day: string;
  count: number;
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

/** On PostgreSQL: deliveries of a campaign that one worker at a time works on. */
export interface ChunkTable {
  id: Generated<number>;
  newsletter: string;
  campaign_id: number;
  /** Ids of its first and last delivery; between them may lie deliveries of other campaigns. */
  first_id: number;
  last_id: number;
  /** Id of the worker who has it or had it last; nobody else marks deliveries of it. */
  epoch: Generated<number>;
  /** 1 while it may have something to do. */
  open: Generated<number>;
  /** 1 while there is a job for it. */
  handed: Generated<number>;
  /** When something of it is due, ms. */
  next_at: Generated<number>;
}

/** On PostgreSQL: the processes that send, also those of the past. The id is the epoch of their marks. */
export interface WorkerTable {
  id: Generated<number>;
  newsletter: string;
  /** Host and process. */
  node: string;
  started_at: number;
  /** Last sign of life, ms; how long ago, on the database's clock, tells whether it lives. */
  seen_at: number;
}

/** One row per newsletter: which installation sends. A copy of the database is another one (S-07). */
export interface InstallationTable {
  newsletter: string;
  instance: string;
  /** ms. */
  since: number;
}

/** What a visitor asked for and nobody has looked at yet; gone once it has been. */
export interface SignupTable {
  id: Generated<number>;
  newsletter: string;
  /** To be put on the list, to be mailed the link for leaving it, or to get the list at this other address. */
  kind: 'subscribe' | 'link' | 'move';
  address: string;
  /** Whose address is to change. */
  subscriber_id: number | null;
  /** BCP 47, of the mail that answers. */
  language: string;
  /** `form`, `api:KEY`, … */
  source: string;
  /** JSON: the words that were agreed to, and their version (D-72). */
  wording: string | null;
  at: number;
}

/** A mail to one person that waits to be sent; gone once it has been, or given up. No part of a campaign. */
export interface NoticeTable {
  id: Generated<number>;
  newsletter: string;
  kind: 'confirm' | 'already' | 'link' | 'confirm-move' | 'moved';
  subscriber_id: number;
  address: string;
  /** BCP 47. */
  language: string;
  /** JSON, as the kind needs it. */
  detail: string | null;
  attempts: Generated<number>;
  not_before: Generated<number>;
  created_at: number;
}

/** One row for each link to confirm that was mailed. */
export interface ConfirmationTable {
  id: Generated<number>;
  newsletter: string;
  kind: 'subscribe' | 'move';
  subscriber_id: number;
  /** SHA-256 of the token, hex; the token itself stands in the mail alone (W-03). Unique. */
  token_hash: string;
  /** Where it was mailed. */
  address: string;
  /** JSON: what goes into the consent log when it is used. */
  detail: string | null;
  mailed_at: number;
  /** Also set by a newer request, which takes its place. */
  expires_at: number;
  used_at: number | null;
}

/** Token buckets (W-09); one that is full again is as good as none. */
export interface BucketTable {
  newsletter: string;
  /** Kind and hash of what is limited: never an address or a network itself. Unique with newsletter. */
  scope: string;
  tokens: number;
  updated_at: number;
  full_at: number;
}

/** Answers of the API, for a day: the same Idempotency-Key gets the same one. */
export interface AnswerTable {
  newsletter: string;
  /** Name of the API key. */
  client: string;
  idempotency_key: string;
  request_hash: string;
  /** Null while the request is being worked on. */
  status: number | null;
  body: string | null;
  created_at: number;
}

/** What the editor was told, or is to be told. */
export interface AlertTable {
  id: Generated<number>;
  newsletter: string;
  /** What it is about; unique with newsletter, so that it is told once. */
  key: string;
  subject: string;
  text: string;
  made_at: number;
  /** ms; null: not yet. */
  told_at: number | null;
}

/** Append-only: sends that were rehearsed. */
export interface RehearsalTable {
  id: Generated<number>;
  newsletter: string;
  channel: Channel;
  issue: string;
  /** SHA-256 over the ids of the readers, in order. */
  audience_hash: string;
  /** JSON, as `delivery/rehearsal.ts` makes it. Addresses in it are masked. */
  result: string;
  created_at: number;
}

/** On PostgreSQL: one row for each worker. */
export interface CommitTable {
  /** Id of the worker. */
  worker: number;
  /** Of the transaction that it committed last. */
  token: string;
}
