/** Cron rules to slots. croner does the arithmetic of calendars and clock changes. */
import { Cron } from 'croner';
import { inputError } from '../errors.ts';

export interface Rule {
  newsletter: string;
  /** Five fields. */
  cron: string;
  /** IANA. */
  zone: string;
}

/** One time at which an issue is due. */
export interface Slot {
  /** `ai-weekly@2026-11-23T09:00[Asia/Shanghai]`: wall time, stable under changes of time zone data (S-02). */
  id: string;
  /** ms. */
  at: number;
  /** `2026-11-23` */
  localDate: string;
  /** `2026-11-23T09:00` */
  local: string;
}

/** Slots that one question may give; a rule that fires every minute stays bounded. */
const MOST = 10_000;

/** The coming slots after a time (ms), first first. A time in a DST gap runs right after it (S-04). */
export function nextSlots(rule: Rule, after: number, count: number): Slot[] {
  return open(rule)
    .nextRuns(count, new Date(after))
    .map((time) => slotAt(rule, time));
}

/** The last slot before a time (ms), or null. */
export function previousSlot(rule: Rule, before: number): Slot | null {
  const [time] = open(rule).previousRuns(1, new Date(before));
  return time ? slotAt(rule, time) : null;
}

/** Slots later than `from` and not later than `to`, ms. */
export function slotsBetween(rule: Rule, from: number, to: number): Slot[] {
  const cron = open(rule);
  const slots: Slot[] = [];
  let time = cron.nextRun(new Date(from));
  while (time && time.getTime() <= to && slots.length < MOST) {
    slots.push(slotAt(rule, time));
    time = cron.nextRun(time);
  }
  return slots;
}

/** @throws BroadsheetError for a rule that cannot be read or never fires */
export function validateRule(rule: Rule): void {
  const [next] = open(rule).nextRuns(1, new Date(Date.UTC(2026, 0, 1)));
  if (!next) {
    throw inputError(
      'schedule-never',
      `The schedule "${rule.cron}" never comes: no such day exists`,
      {
        file: 'config/newsletter.yaml',
      },
    );
  }
}

function open({ cron, zone }: Rule): Cron {
  try {
    if (cron.trim().split(/\s+/).length !== 5) throw new Error('five fields are needed');
    // croner looks at the zone only when it first computes; Intl says at once whether there is one.
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return new Cron(cron, { timezone: zone, paused: true });
  } catch (error) {
    throw inputError(
      'schedule-invalid',
      `The schedule "${cron}" in ${zone} cannot be read: ${(error as Error).message}`,
      {
        file: 'config/newsletter.yaml',
        hint: 'Five cron fields and an IANA zone: "0 9 * * 1" in Asia/Shanghai is Mondays at nine.',
      },
    );
  }
}

function slotAt({ newsletter, zone }: Rule, time: Date): Slot {
  const local = localTime(time, zone);
  return {
    id: `${newsletter}@${local}[${zone}]`,
    at: time.getTime(),
    localDate: local.slice(0, 10),
    local,
  };
}

/** `YYYY-MM-DDTHH:MM` on the clocks of a zone. */
function localTime(time: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(time);
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}
