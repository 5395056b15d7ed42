/**
 * What the editor is told without asking: a slot that has no issue, a slot that was missed, and the beginning, pause and
 * end of a campaign. Each once, by mail to `editor` and to ALERT_WEBHOOK, whichever there is.
 */
import type { Kysely, Selectable } from 'kysely';
import type { EventKind } from '../delivery/events.ts';
import { campaignProgress } from '../delivery/progress.ts';
import { addrSpec } from '../message/address.ts';
import { languageOf, type Word, word } from '../render/words.ts';
import type { AlertTable, Database } from '../store/schema.ts';
import type { Newsletter } from './newsletter.ts';
import { noticeMail, noticeSender } from './notice-mail.ts';
import { comingSlots } from './schedule.ts';
import { transportFor } from './worker.ts';

/** What is to be told. */
interface Alert {
  /** The same thing is told once. */
  key: string;
  subject: Word;
  text: Word;
  gaps: Record<string, string | number>;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SECOND = 1_000;

/** So long before a slot without an issue the editor is told, ms; the last one first. */
const AHEAD = [2 * HOUR, DAY];
/** What happened longer ago is no news, ms. */
const FRESH = DAY;
/** Patience with a webhook, ms. */
const PATIENCE = 10 * SECOND;

/** The events that an editor wants to hear of. */
const EVENTS: Partial<Record<EventKind, Word>> = {
  planned: 'alertStarted',
  held: 'alertHeld',
  paused: 'alertPaused',
  cancelled: 'alertCancelled',
  finished: 'alertFinished',
};

/**
 * Tells what is new. What could not be told is tried again the next time, for a day.
 * @param trouble what kept the schedule from being kept, if anything did; told once a day
 * @returns how many were told
 */
export async function tellEditor(newsletter: Newsletter, trouble?: Error): Promise<number> {
  const { db, settings, secrets, clock } = newsletter;
  if (!settings.editor && !secrets.alertWebhook) return 0;
  const alerts = [
    ...(trouble ? [alertOf(trouble, clock())] : []),
    ...(await alertsOfSlots(newsletter)),
    ...(await alertsOfPast(newsletter)),
    ...(await alertsOfCampaigns(newsletter)),
  ];
  for (const alert of alerts) await note(db, inWords(newsletter, alert), clock());
  const untold = await db
    .selectFrom('alerts')
    .selectAll()
    .where('newsletter', '=', settings.slug)
    .where('told_at', 'is', null)
    .where('made_at', '>', clock() - FRESH)
    .orderBy('id')
    .execute();
  let told = 0;
  for (const alert of untold) if (await tell(newsletter, alert)) told += 1;
  return told;
}

function alertOf({ message }: Error, now: number): Alert {
  const key = `trouble ${new Date(now).toISOString().slice(0, 10)} ${message}`;
  return { key, subject: 'alertTrouble', text: 'alertTroubleText', gaps: { why: message } };
}

/** The next slot, where nothing would be sent in it. */
async function alertsOfSlots(newsletter: Newsletter): Promise<Alert[]> {
  if (!newsletter.settings.schedule) return [];
  const [slot] = await comingSlots(newsletter, 1);
  if (!slot?.missing) return [];
  const left = slot.at - newsletter.clock();
  const ahead = AHEAD.find((time) => left <= time);
  if (ahead === undefined) return [];
  const gaps = {
    when: slot.local.replace('T', ' '),
    zone: slot.zone,
    left: Math.max(1, Math.round(left / HOUR)),
    why: slot.missing,
  };
  const key = `no-issue ${slot.id} ${ahead / HOUR}h`;
  return [{ key, subject: 'alertNoIssue', text: 'alertNoIssueText', gaps }];
}

/** Slots in which nothing was sent. */
async function alertsOfPast({ db, settings, clock }: Newsletter): Promise<Alert[]> {
  const slots = await db
    .selectFrom('slots')
    .select(['slot', 'state', 'note'])
    .where('newsletter', '=', settings.slug)
    .where('state', 'in', ['missed', 'skipped', 'failed'])
    .where('updated_at', '>', clock() - FRESH)
    .execute();
  return slots.map(({ slot, state, note }) => ({
    key: `slot ${slot} ${state}`,
    subject: 'alertNotSent',
    text: 'alertNotSentText',
    gaps: { slot, why: note ?? state },
  }));
}

async function alertsOfCampaigns({ db, settings, clock }: Newsletter): Promise<Alert[]> {
  const events = await db
    .selectFrom('events')
    .innerJoin('campaigns', 'campaigns.id', 'events.campaign_id')
    .select(['events.id', 'events.kind', 'events.detail', 'campaigns.id as campaign', 'issue'])
    .where('campaigns.newsletter', '=', settings.slug)
    .where('events.kind', 'in', Object.keys(EVENTS))
    .where('events.at', '>', clock() - FRESH)
    .orderBy('events.id')
    .execute();
  const known = await knownKeys(db, settings.slug);
  const alerts: Alert[] = [];
  for (const { id, kind, detail, campaign, issue } of events) {
    const key = `event ${id}`;
    // A campaign is counted only where there is something to tell of it.
    if (known.has(key)) continue;
    const { planned, counts } = await campaignProgress(db, campaign);
    const gaps = { campaign, issue, planned, detail: detail ?? '', ...counts };
    const subject = EVENTS[kind as EventKind] as Word;
    alerts.push({ key, subject, text: 'alertCampaignText', gaps });
  }
  return alerts;
}

async function knownKeys(db: Kysely<Database>, newsletter: string): Promise<Set<string>> {
  const rows = await db
    .selectFrom('alerts')
    .select('key')
    .where('newsletter', '=', newsletter)
    .execute();
  return new Set(rows.map(({ key }) => key));
}

function inWords({ settings }: Newsletter, { key, subject, text, gaps }: Alert) {
  const language = languageOf(settings.language);
  const all = { name: settings.name, ...gaps };
  return {
    newsletter: settings.slug,
    key,
    subject: word(language, subject, all),
    text: `${word(language, text, all)}\n`,
  };
}

async function note(
  db: Kysely<Database>,
  alert: ReturnType<typeof inWords>,
  now: number,
): Promise<void> {
  await db
    .insertInto('alerts')
    .values({ ...alert, made_at: now, told_at: null })
    .onConflict((conflict) => conflict.columns(['newsletter', 'key']).doNothing())
    .execute();
}

/** @returns whether everybody who is to know was told now */
async function tell(newsletter: Newsletter, alert: Selectable<AlertTable>): Promise<boolean> {
  const { db, log, clock } = newsletter;
  try {
    await Promise.all([mail(newsletter, alert), post(newsletter, alert)]);
  } catch (error) {
    log.warn({ alert: alert.key, message: (error as Error).message }, 'the editor was not told');
    return false;
  }
  const { numUpdatedRows } = await db
    .updateTable('alerts')
    .set({ told_at: clock() })
    .where('id', '=', alert.id)
    .where('told_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

async function mail(newsletter: Newsletter, alert: Selectable<AlertTable>): Promise<void> {
  const { editor, delivery } = newsletter.settings;
  if (!editor) return;
  const id = `alert-${alert.id}`;
  const message = await noticeMail(newsletter, alert, { id, address: editor });
  const transport = transportFor(newsletter, delivery.channel, 'alerts');
  try {
    const from = noticeSender(newsletter);
    const outcome = await transport.deliver({ id, from, to: addrSpec(editor), message });
    // What may have arrived is not sent again.
    if (outcome.state === 'deferred' || outcome.state === 'failed') throw new Error(outcome.reply);
  } finally {
    await transport.close();
  }
}

/** Most chat programs take a `text`. The address is a secret and stays out of errors. */
async function post(
  { secrets, settings }: Newsletter,
  { key, subject, text, made_at }: Selectable<AlertTable>,
): Promise<void> {
  if (!secrets.alertWebhook) return;
  const answer = await fetch(secrets.alertWebhook, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      newsletter: settings.slug,
      key,
      subject,
      text: `${subject}\n\n${text}`,
      at: new Date(made_at).toISOString(),
    }),
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE),
  }).catch((error: Error) => {
    throw new Error(`ALERT_WEBHOOK cannot be reached: ${error.name}`);
  });
  if (!answer.ok) throw new Error(`ALERT_WEBHOOK answers ${answer.status}`);
}
