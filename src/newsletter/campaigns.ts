/** Campaigns and the hands on them. */
import {
  type CampaignProgress,
  campaignIds,
  campaignProgress,
  cancelCampaign,
  pauseCampaign,
  resolveUnknown,
  resumeCampaign,
  type UnknownDelivery,
  unknownDeliveries,
  type Verdict,
} from '../delivery/progress.ts';
import type { CampaignReport } from '../delivery/report.ts';
import { inputError } from '../errors.ts';
import type { Newsletter } from './newsletter.ts';

const VERDICTS: Verdict[] = ['accepted', 'failed', 'resend'];

/** All of a newsletter, newest first. */
export async function campaigns({ db, settings }: Newsletter): Promise<CampaignProgress[]> {
  const ids = await campaignIds(db, settings.slug);
  return Promise.all(ids.map((id) => campaignProgress(db, id)));
}

/** @param id as typed */
export async function campaign(newsletter: Newsletter, id: string): Promise<CampaignProgress> {
  const ids = await campaignIds(newsletter.db, newsletter.settings.slug);
  if (/^\d+$/.test(id) && ids.includes(Number(id)))
    return campaignProgress(newsletter.db, Number(id));
  throw inputError('campaign-missing', `There is no campaign ${id}`, {
    hint: 'See: broadsheet campaigns list',
  });
}

/** One campaign in full: where it stands, by provider and reason, and what happened to it. */
export async function campaignInFull(
  newsletter: Newsletter,
  id: string,
): Promise<CampaignProgress & CampaignReport> {
  const { campaignReport } = await import('../delivery/report.ts');
  const progress = await campaign(newsletter, id);
  return { ...progress, ...(await campaignReport(newsletter.db, progress.id)) };
}

/** What nobody knows of a campaign: whether these arrived. */
export async function unknown(newsletter: Newsletter, id: string): Promise<UnknownDelivery[]> {
  const found = await campaign(newsletter, id);
  return unknownDeliveries(newsletter.db, found.id);
}

/** Settles the unknown deliveries by a person's word. @throws BroadsheetError `verdict-unknown` */
export async function resolve(
  newsletter: Newsletter,
  id: string,
  given: string,
): Promise<{ resolved: number; progress: CampaignProgress }> {
  const found = await campaign(newsletter, id);
  const verdict = VERDICTS.find((known) => known === given);
  if (!verdict) {
    throw inputError('verdict-unknown', `"${given}" settles nothing`, {
      hint: `Say one of: ${VERDICTS.join(', ')}.`,
    });
  }
  const resolved = await resolveUnknown(newsletter.db, found.id, verdict, newsletter.clock());
  return { resolved, progress: await campaignProgress(newsletter.db, found.id) };
}

/** Pauses, resumes or cancels. Acts before the next mail begins, also in a running sender. */
export async function control(
  newsletter: Newsletter,
  id: string,
  verb: 'pause' | 'resume' | 'cancel',
): Promise<CampaignProgress> {
  const { db, clock } = newsletter;
  const found = await campaign(newsletter, id);
  if (verb === 'pause') await pauseCampaign(db, found.id, 'by hand', clock());
  else if (verb === 'resume') await resumeCampaign(db, found.id, clock());
  else await cancelCampaign(db, found.id, clock());
  return campaignProgress(db, found.id);
}
