/** The recurring send: what comes, and what is due. */
import { inputError } from '../errors.ts';
import { type Candidate, chooseIssue } from '../schedule/choose.ts';
import { type SlotRow, settleSlots, tick } from '../schedule/due.ts';
import { nextSlots, previousSlot, type Rule, type Slot } from '../schedule/slots.ts';
import { instanceOf } from './installation.ts';
import { issueIds, readIssue } from './issues.ts';
import type { Newsletter } from './newsletter.ts';
import { requireSendable } from './sendable.ts';

export interface ComingSlot extends Slot {
  zone: string;
  /** The issue that would be sent, or why there is none. */
  issue: string | null;
  missing: string | null;
}

/** The next slots, each with the issue that would be sent as things stand. */
export async function comingSlots(newsletter: Newsletter, count: number): Promise<ComingSlot[]> {
  const rule = ruleOf(newsletter);
  const all = await candidates(newsletter);
  return nextSlots(rule, newsletter.clock(), count).map((slot) => {
    const choice = chooseIssue(slot, previousSlot(rule, slot.at), all);
    const issue = 'issue' in choice ? choice.issue : null;
    return {
      ...slot,
      zone: rule.zone,
      issue,
      missing: 'missing' in choice ? choice.missing : null,
    };
  });
}

/** Plans what has come due. Sending it is the worker's part. @returns the slots that changed */
export async function planDue(newsletter: Newsletter): Promise<SlotRow[]> {
  const { db, settings, clock } = newsletter;
  const { schedule } = settings;
  if (!schedule) return [];
  await settleSlots(db, settings.slug, clock());
  return tick(db, {
    rule: ruleOf(newsletter),
    catchUp: schedule.catchUp,
    instance: await instanceOf(newsletter),
    now: clock(),
    candidates: () => candidates(newsletter),
    prepare: async (issue, slot) => {
      const { prepareCampaign } = await import('./send.ts');
      requireSendable(newsletter);
      const plan = await prepareCampaign(newsletter, { issue }, slot.id);
      return async (trx) => (await plan(trx)).campaignId;
    },
  });
}

/** Plans and sends what is due, once. @returns the slots that changed, as they stand afterwards */
export async function runDue(newsletter: Newsletter, signal: AbortSignal): Promise<SlotRow[]> {
  ruleOf(newsletter);
  const changed = await planDue(newsletter);
  const { work } = await import('./worker.ts');
  await work(newsletter, { signal, once: true });
  await settleSlots(newsletter.db, newsletter.settings.slug, newsletter.clock());
  if (changed.length === 0) return [];
  return newsletter.db
    .selectFrom('slots')
    .selectAll()
    .where('newsletter', '=', newsletter.settings.slug)
    .where(
      'slot',
      'in',
      changed.map(({ slot }) => slot),
    )
    .orderBy('at')
    .execute();
}

function ruleOf({ settings }: Newsletter): Rule {
  const { schedule, slug } = settings;
  if (schedule) return { newsletter: slug, cron: schedule.cron, zone: schedule.zone };
  throw inputError('schedule-missing', 'There is no schedule in the settings', {
    file: 'config/newsletter.yaml',
    hint: 'Add: schedule: { cron: "0 9 * * 1", zone: Asia/Shanghai }',
  });
}

/** Issues that some slot could still be for. Only those are rendered, however many were sent before. */
async function candidates(newsletter: Newsletter): Promise<Candidate[]> {
  const sent = await issuesWithCampaign(newsletter);
  const since = earliestDate(newsletter);
  const found: Candidate[] = [];
  for (const id of issueIds(newsletter)) {
    try {
      const { date } = readIssue(newsletter, id).issue;
      if (sent.has(id) || date <= since) continue;
      const { compose } = await import('./compose.ts');
      const { approved } = await compose(newsletter, id, newsletter.clock());
      found.push({ id, date, approved, hasCampaign: false });
    } catch (error) {
      newsletter.log.warn(
        { issue: id, message: (error as Error).message },
        'an issue cannot be read',
      );
    }
  }
  return found;
}

/** The local date of the last slot that can no longer be caught up: what is dated up to it is past. */
function earliestDate(newsletter: Newsletter): string {
  const catchUp = newsletter.settings.schedule?.catchUp ?? 0;
  return previousSlot(ruleOf(newsletter), newsletter.clock() - catchUp)?.localDate ?? '';
}

async function issuesWithCampaign({ db, settings }: Newsletter): Promise<Set<string>> {
  const rows = await db
    .selectFrom('campaigns')
    .select('issue')
    .where('newsletter', '=', settings.slug)
    .where('channel', '=', settings.delivery.channel)
    .execute();
  return new Set(rows.map(({ issue }) => issue));
}
