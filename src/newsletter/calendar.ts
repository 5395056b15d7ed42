/** What an issue's id says about its date and title. */
import type { Settings } from '../config/settings.ts';
import type { IssueId } from '../issue/issue.ts';
import { nextSlots, type Slot, slotsBetween } from '../schedule/slots.ts';

type Schedule = Settings['schedule'];

const DAY = 86_400_000;

/**
 * The slot that an issue is for, `YYYY-MM-DD`: `2023-09-17` says it, `2023-09-w3` is the third slot
 * of that month; any other id means the next slot, or today where there is no schedule.
 */
export function dateOfIssue(id: IssueId, schedule: Schedule, now: number): string {
  const dated = /^(\d{4}-\d{2}-\d{2})(-|$)/.exec(id)?.[1];
  if (dated) return dated;
  const week = /^(\d{4})-(\d{2})-w([1-5])$/.exec(id);
  if (week) return dateOfWeek(Number(week[1]), Number(week[2]), Number(week[3]), schedule);
  if (!schedule) return new Date(now).toISOString().slice(0, 10);
  const [next] = nextSlots(ruleOf(schedule), now, 1);
  return (next as Slot).localDate;
}

/** `AI大模型周报 2023年9月第3期`, or the name and the id. */
export function titleOfIssue(id: IssueId, settings: Settings): string {
  const week = /^(\d{4})-(\d{2})-w([1-5])$/.exec(id);
  if (!week) return `${settings.name} ${id}`;
  const [year, month, number] = week.slice(1).map(Number);
  if (settings.language.startsWith('zh')) {
    return `${settings.name} ${year}年${month}月第${number}期`;
  }
  const name = new Intl.DateTimeFormat(settings.language, { month: 'long', timeZone: 'UTC' });
  return `${settings.name}, ${name.format(Date.UTC(2000, (month ?? 1) - 1))} ${year}, No. ${number}`;
}

function dateOfWeek(year: number, month: number, number: number, schedule: Schedule): string {
  // The 13th month: no date of the calendar, and whoever uses it says so.
  if (month < 1 || month > 12) return `${year}-${String(month).padStart(2, '0')}-01`;
  const first = Date.UTC(year, month - 1, 1);
  const nth = new Date(first + (number - 1) * 7 * DAY).toISOString().slice(0, 10);
  if (!schedule) return nth;
  const prefix = new Date(first).toISOString().slice(0, 7);
  // A month's slots in its own zone, which may be up to a day away from UTC on both sides.
  const slots = slotsBetween(ruleOf(schedule), first - DAY, first + 33 * DAY);
  const days = [...new Set(slots.map((slot) => slot.localDate))];
  return days.filter((day) => day.startsWith(prefix))[number - 1] ?? nth;
}

function ruleOf(schedule: NonNullable<Schedule>) {
  return { newsletter: '', cron: schedule.cron, zone: schedule.zone };
}
