/**
 * What the schedule does at a tick. The timer only gives the hint; stored slots decide, so clock jumps,
 * sleep, restarts and a second scheduler need no case of their own (S-03).
 */
import { createHash } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import { blockedError } from '../errors.ts';
import type { Database, SlotTable } from '../store/schema.ts';
import { type Candidate, chooseIssue } from './choose.ts';
import { previousSlot, type Rule, type Slot, slotsBetween } from './slots.ts';

export interface TickInput {
  rule: Rule;
  /** How late a slot may still be sent, ms (S-05). */
  catchUp: number;
  /** Identity of this installation, kept outside the database (S-07). */
  instance: string;
  /** ms. */
  now: number;
  candidates: () => Promise<Candidate[]>;
  /** Composes the issue, before the database is locked. */
  prepare: (issue: string, slot: Slot) => Promise<PlanSlot>;
}

/** Plans a prepared campaign in the transaction that it is handed. @returns its id */
export type PlanSlot = (trx: Kysely<Database>) => Promise<number>;

export type SlotRow = Selectable<SlotTable>;

/** So far back a scheduler that slept looks for slots, ms; older ones cannot be within any window. */
const LOOK_BACK = 8 * 86_400_000;

/**
 * Handles every slot that came due since the last tick. @returns the slots that changed
 * @throws BroadsheetError `schedule-foreign` when the database was copied from another installation
 */
export async function tick(db: Kysely<Database>, input: TickInput): Promise<SlotRow[]> {
  const since = await handledUntil(db, input);
  if (since === null) return [];
  const slots = slotsBetween(input.rule, Math.max(since, input.now - LOOK_BACK), input.now);
  const candidates = slots.length > 0 ? await input.candidates() : [];
  const changed: SlotRow[] = [];
  for (const slot of slots) {
    if (await isHandled(db, input, slot)) continue;
    const fate = await fateOf(input, slot, slot === slots.at(-1), candidates);
    const row = await db.transaction().execute((trx) => handle(trx, input, slot, fate));
    if (row) changed.push(row);
  }
  await noteTick(db, input);
  return changed;
}

/** Sets the slots of campaigns that have ended to what became of them. */
export async function settleSlots(
  db: Kysely<Database>,
  newsletter: string,
  now: number,
): Promise<void> {
  for (const [campaign, slot] of [
    ['finished', 'done'],
    ['cancelled', 'cancelled'],
  ] as const) {
    await db
      .updateTable('slots')
      .set({ state: slot, updated_at: now })
      .where('newsletter', '=', newsletter)
      .where('state', '=', 'sending')
      .where('campaign_id', 'in', (query) =>
        query.selectFrom('campaigns').select('id').where('state', '=', campaign),
      )
      .execute();
  }
}

/** Lets another installation take the schedule over; slots before now are not made up for. */
export async function adoptSchedule(
  db: Kysely<Database>,
  newsletter: string,
  instance: string,
  now: number,
): Promise<void> {
  await db
    .updateTable('schedules')
    .set({ instance, activated_at: now, ticked_at: now })
    .where('newsletter', '=', newsletter)
    .execute();
}

/** Slots are due after this time, ms; null when the schedule has begun only now (S-07). */
async function handledUntil(
  db: Kysely<Database>,
  { rule, instance, now }: TickInput,
): Promise<number | null> {
  const known = await db
    .selectFrom('schedules')
    .selectAll()
    .where('newsletter', '=', rule.newsletter)
    .executeTakeFirst();
  if (known && known.instance !== instance) throw foreign();
  const hash = createHash('sha256')
    .update(JSON.stringify([rule.cron, rule.zone]))
    .digest('hex');
  if (known?.rule === hash) return Math.max(known.activated_at, Math.min(known.ticked_at, now - 1));
  const row = {
    newsletter: rule.newsletter,
    rule: hash,
    activated_at: now,
    instance,
    ticked_at: now,
  };
  await db
    .insertInto('schedules')
    .values(row)
    .onConflict((conflict) => conflict.column('newsletter').doUpdateSet(row))
    .execute();
  return null;
}

/** The clock may have jumped back: what was handled stays handled. */
async function noteTick(db: Kysely<Database>, { rule, now }: TickInput): Promise<void> {
  await db
    .updateTable('schedules')
    .set({ ticked_at: now })
    .where('newsletter', '=', rule.newsletter)
    .where('ticked_at', '<', now)
    .execute();
}

/** What shall become of a slot. */
interface Fate {
  state: 'sending' | 'missed' | 'skipped';
  note: string | null;
  issue: string | null;
  plan: PlanSlot | null;
}

async function fateOf(
  { rule, now, catchUp, prepare }: TickInput,
  slot: Slot,
  isLatest: boolean,
  candidates: Candidate[],
): Promise<Fate> {
  const none = { issue: null, plan: null };
  const late = now - slot.at;
  if (late > catchUp) {
    const note = `${duration(late)} late, more than ${duration(catchUp)}`;
    return { ...none, state: 'missed', note };
  }
  if (!isLatest) return { ...none, state: 'missed', note: 'a later slot is due as well' };
  const choice = chooseIssue(slot, previousSlot(rule, slot.at), candidates);
  if ('missing' in choice) return { ...none, state: 'skipped', note: choice.missing };
  return {
    state: 'sending',
    issue: choice.issue,
    note: late > 120_000 ? `late by ${duration(late)}` : null,
    plan: await prepare(choice.issue, slot),
  };
}

async function isHandled(db: Kysely<Database>, { rule }: TickInput, slot: Slot): Promise<boolean> {
  const row = await db
    .selectFrom('slots')
    .select('slot')
    .where('newsletter', '=', rule.newsletter)
    .where('slot', '=', slot.id)
    .executeTakeFirst();
  return row !== undefined;
}

/** One slot, once: who inserts its row plans its campaign, in the same transaction. */
async function handle(
  trx: Kysely<Database>,
  { rule, now }: TickInput,
  slot: Slot,
  { state, note, issue, plan }: Fate,
): Promise<SlotRow | null> {
  const inserted = await trx
    .insertInto('slots')
    .values({
      newsletter: rule.newsletter,
      slot: slot.id,
      at: slot.at,
      state,
      issue,
      campaign_id: null,
      note,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.columns(['newsletter', 'slot']).doNothing())
    .returningAll()
    .executeTakeFirst();
  if (!inserted || !plan) return inserted ?? null;
  return trx
    .updateTable('slots')
    .set({ campaign_id: await plan(trx) })
    .where('newsletter', '=', rule.newsletter)
    .where('slot', '=', slot.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function foreign() {
  return blockedError(
    'schedule-foreign',
    'This database comes from another installation; its schedule is paused',
    {
      hint: 'If this one shall send from now on, stop the other and run: broadsheet schedule adopt',
    },
  );
}
