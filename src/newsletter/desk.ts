/** What an editor's desk shows besides the issue: the list, the coming slots, a campaign in the making. */
import { type GrowthDay, listGrowth } from '../audience/growth.ts';
import { countSubscribers } from '../audience/subscribers.ts';
import { type CampaignPace, campaignPace } from '../delivery/pace.ts';
import { campaignInFull } from './campaigns.ts';
import type { Newsletter } from './newsletter.ts';
import { type ComingSlot, comingSlots } from './schedule.ts';

export interface ListToday {
  readers: Awaited<ReturnType<typeof countSubscribers>>;
  growth: GrowthDay[];
}

/** The list as it is, and how it became so. */
export async function listToday({ db, settings }: Newsletter): Promise<ListToday> {
  return {
    readers: await countSubscribers(db, settings.slug),
    growth: await listGrowth(db, settings.slug),
  };
}

/** The coming slots; null where the settings have no schedule. */
export async function slotsAhead(
  newsletter: Newsletter,
  count: number,
): Promise<ComingSlot[] | null> {
  return newsletter.settings.schedule ? comingSlots(newsletter, count) : null;
}

/** One campaign in full, with when its mails went. @param id as typed */
export async function campaignAtWork(newsletter: Newsletter, id: string) {
  const campaign = await campaignInFull(newsletter, id);
  const pace: CampaignPace = await campaignPace(newsletter.db, campaign.id);
  return { ...campaign, pace };
}
