/** The manual send: check, ask, freeze, mail, account. */

import { unsubscribeToken } from '../audience/tokens.ts';
import { shortestDuration } from '../delivery/limits.ts';
import {
  amendCampaign,
  findCampaign,
  type Plan,
  type PlanPreview,
  planCampaign,
  previewPlan,
} from '../delivery/plan.ts';
import type { CampaignProgress } from '../delivery/progress.ts';
import { blockedError } from '../errors.ts';
import type { IssueId } from '../issue/issue.ts';
import { approve } from './approve.ts';
import { gate } from './check.ts';
import { keepTargets } from './clicks.ts';
import { type Composed, compose } from './compose.ts';
import { followCampaign } from './follow.ts';
import { requireHome } from './installation.ts';
import type { Newsletter } from './newsletter.ts';
import { requirePublicPictures } from './public-pictures.ts';
import { inSegment } from './segments.ts';
import { requireSendable } from './sendable.ts';
import { ratesOf } from './worker.ts';

export interface SendInput {
  issue: IssueId;
  /** Plan a further campaign for readers who have no delivery of this issue yet. */
  newReaders?: boolean | undefined;
  /** Name of the segment that gets it; absent: everybody. */
  segment?: string | undefined;
  /** Ids of findings that a person overrides. */
  allow?: string[] | undefined;
}

/** How the verb reaches the person in front of it. */
export interface SendTalk {
  /** Asks; resolves to whether to go on. */
  confirm(question: string): Promise<boolean>;
  onPlan(plan: Plan): void;
  onProgress(progress: CampaignProgress): void;
  /** Aborts when the person wants to stop; what is in flight is finished. */
  signal: AbortSignal;
}

export interface SendResult {
  campaign: number;
  /** `resumed` an unfinished one went on, `already` a finished one was only reported. */
  began: 'new' | 'resumed' | 'already';
  interrupted: boolean;
  progress: CampaignProgress;
}

export interface DryRun extends PlanPreview {
  /** At the rates of the settings it takes this long at least, ms; 0: no rate is set. */
  shortestMs: number;
  issue: IssueId;
  subject: string;
  hash: string;
  approved: boolean;
  /** Bytes of HTML. */
  htmlBytes: number;
}

/** An approved issue older than this is asked about again, ms. */
const STALE = 30 * 86_400_000;

/** What a send would do now. Writes nothing. */
export async function dryRun(newsletter: Newsletter, input: SendInput): Promise<DryRun> {
  const composed = await compose(newsletter, input.issue, newsletter.clock());
  await gate(newsletter, composed, input.allow);
  const preview = await previewPlan(newsletter.db, campaignOf(newsletter, input));
  return {
    ...preview,
    shortestMs: shortestDuration(ratesOf(newsletter.settings), preview.byProvider),
    issue: input.issue,
    subject: composed.email.subject,
    hash: composed.hash,
    approved: composed.approved,
    htmlBytes: Buffer.byteLength(composed.email.html),
  };
}

/**
 * Sends an issue to every reachable reader who has not been sent it, and comes back when each has a
 * recorded fate, when it is paused, or when the person interrupts. Running it again goes on where it
 * stopped, with what was frozen at the start.
 */
export async function send(
  newsletter: Newsletter,
  input: SendInput,
  talk: SendTalk,
): Promise<SendResult> {
  await requireHome(newsletter);
  const key = campaignOf(newsletter, input);
  const existing = await findCampaign(newsletter.db, key);
  if (existing) requireSameReaders(existing, input);
  if (existing?.state === 'finished' && !input.newReaders) {
    return {
      campaign: existing.id,
      began: 'already',
      interrupted: false,
      progress: existing,
    };
  }
  if (existing && existing.state !== 'finished') {
    requireSendable(newsletter);
    return follow(newsletter, existing.id, 'resumed', talk);
  }
  await readyToSend(newsletter, input, talk);
  const plan = await freeze(newsletter, input);
  talk.onPlan(plan);
  return follow(newsletter, plan.campaignId, 'new', talk);
}

/**
 * Checks the issue and plans its campaign: from here on neither content nor recipients change.
 * @throws BroadsheetError when a check stops it, or it is not approved as it stands
 */
export async function freeze(newsletter: Newsletter, input: SendInput): Promise<Plan> {
  const plan = await prepareCampaign(newsletter, input);
  return plan(newsletter.db);
}

/**
 * Checks and composes the issue, which takes a while, and gives what then plans its campaign quickly:
 * alone, or in the transaction that it is handed.
 * @param slot the schedule's slot that it is for
 * @throws BroadsheetError when a check stops it, or it is not approved as it stands
 */
export async function prepareCampaign(
  newsletter: Newsletter,
  input: SendInput,
  slot?: string,
): Promise<(db: Newsletter['db']) => Promise<Plan>> {
  const { settings, keys } = newsletter;
  const campaign = {
    ...campaignOf(newsletter, input),
    ...(slot ? { slot } : {}),
    ...(await contentOf(newsletter, input)),
    tokenFor: (publicId: string) => unsubscribeToken(keys, settings.slug, publicId),
    firstWave: settings.delivery.firstWave,
  };
  return (db) => planCampaign(db, campaign);
}

/**
 * Freezes what the issue says now as a second edition of its paused campaign, for the readers who have not been
 * attempted. @returns how many
 * @throws BroadsheetError when it is not paused, a check stops it, or it is not approved as it stands
 */
export async function amend(
  newsletter: Newsletter,
  campaign: CampaignProgress,
  allow: string[] = [],
): Promise<number> {
  const content = await contentOf(newsletter, { issue: campaign.issue, allow });
  return amendCampaign(newsletter.db, campaign.id, content);
}

/** What would go out, composed and let through by the gate. */
async function contentOf(newsletter: Newsletter, { issue, allow }: SendInput) {
  const { settings, clock } = newsletter;
  const now = clock();
  const composed = await compose(newsletter, issue, now);
  const { overridden } = await gate(newsletter, composed, allow);
  if (!composed.approved) throw notApproved(composed);
  if (settings.delivery.channel === 'smtp') await requirePublicPictures(newsletter, composed);
  await keepTargets(newsletter, issue, composed.targets);
  const { email, program } = composed;
  const sender = settings.bounces.address ?? settings.sender.address;
  return { newsletter: settings.slug, email, program, sender, now, overridden };
}

/**
 * Going on with a campaign, or having sent it, is no answer to who names another segment. Who names none goes on with
 * whatever there is.
 * @throws BroadsheetError `campaign-of-others`
 */
function requireSameReaders(
  campaign: CampaignProgress,
  { issue, segment, newReaders }: SendInput,
): void {
  const isOpen = campaign.state !== 'finished';
  if (segment === undefined || segment === campaign.segment || (newReaders && !isOpen)) return;
  const whom = campaign.segment === null ? 'everybody' : `the segment "${campaign.segment}"`;
  const of = campaign.segment === null ? '' : ` --segment ${campaign.segment}`;
  throw blockedError(
    'campaign-of-others',
    `Campaign ${campaign.id} sends ${issue} to ${whom}, not to the segment "${segment}"${isOpen ? ', and is not finished' : ''}`,
    {
      hint: isOpen
        ? `Finish it (broadsheet send ${issue}${of}) or end it (broadsheet campaigns cancel ${campaign.id}); then: broadsheet send ${issue} --segment ${segment} --new-readers`
        : `For those of the segment who have not had it: broadsheet send ${issue} --segment ${segment} --new-readers`,
    },
  );
}

async function readyToSend(
  newsletter: Newsletter,
  input: SendInput,
  talk: SendTalk,
): Promise<void> {
  requireSendable(newsletter);
  const now = newsletter.clock();
  const composed = await compose(newsletter, input.issue, now);
  await gate(newsletter, composed, input.allow);
  const preview = await previewPlan(newsletter.db, campaignOf(newsletter, input));
  if (now - Date.parse(composed.issue.date) > STALE) {
    await need(
      talk,
      `This issue is dated ${composed.issue.date}, more than 30 days ago. Send it all the same?`,
    );
  }
  const part = input.segment ? ` of the segment "${input.segment}"` : '';
  const approval = composed.approved ? '' : ' This also approves it as it stands.';
  await need(
    talk,
    `Send "${composed.email.subject}" to ${preview.recipients} readers${part} by ${newsletter.settings.delivery.channel}?${approval}`,
  );
  if (!composed.approved) await approve(newsletter, input.issue, undefined, input.allow);
}

async function need(talk: SendTalk, question: string): Promise<void> {
  if (await talk.confirm(question)) return;
  throw blockedError('not-confirmed', 'Nothing was sent', {
    hint: 'Answer yes at the prompt, or say --yes.',
  });
}

async function follow(
  newsletter: Newsletter,
  campaign: number,
  began: 'new' | 'resumed',
  talk: SendTalk,
): Promise<SendResult> {
  const progress = await followCampaign(newsletter, campaign, talk);
  return { campaign, began, interrupted: talk.signal.aborted, progress };
}

/** The campaign that a send would be. */
export function campaignOf(newsletter: Newsletter, input: SendInput) {
  const { settings } = newsletter;
  const { segment = null } = input;
  return {
    newsletter: settings.slug,
    channel: settings.delivery.channel,
    issue: input.issue,
    audience: { segment, newReaders: input.newReaders === true },
    within: segment === null ? undefined : inSegment(newsletter, segment),
  };
}

function notApproved(composed: Composed) {
  const changed = composed.issue.approved !== undefined;
  return blockedError(
    'not-approved',
    changed ? 'The issue changed after it was approved' : 'The issue is not approved',
    { file: composed.file, hint: `Look at it, then: broadsheet approve ${composed.issue.id}` },
  );
}
