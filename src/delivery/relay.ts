/** Sees when it is the relay that fails, and not one mail. */
import { logEvent } from './events.ts';
import type { SenderOptions } from './lanes.ts';
import { hold, lift, readLimits } from './limits.ts';
import type { Outcome } from './outcome.ts';
import { patiently } from './patiently.ts';
import { haltCampaign } from './progress.ts';
import type { Transport } from './transport.ts';
import type { Turn } from './turn.ts';

/** A relay that failed is asked again after so long, ms; when it fails after the last, a person has to look (standards 1.9 row 2). */
const HOLDS = [1, 5, 15, 60].map((minutes) => minutes * 60_000);
/** So many faults in a row, beyond one for each lane, are the relay's. */
const MOST_FAULTS = 10;

/** Holds all mail back when the relay fails again and again, longer each time, and at last pauses the campaign. */
export function watchRelay(
  { db, log, newsletter }: Pick<SenderOptions, 'db' | 'log' | 'newsletter'>,
  turn: () => Turn,
  { lanes }: Transport,
) {
  let inRow = 0;
  let seen = 0;
  let last = '';

  async function holdBack(): Promise<void> {
    const { campaign, now } = turn();
    const limits = await readLimits(db, newsletter, {}, now);
    const { step = 0, held_until: heldUntil = 0 } = limits.rows.get('relay') ?? {};
    if (heldUntil > now) return;
    const wait = HOLDS[step];
    if (wait === undefined) {
      await lift(db, newsletter, 'relay');
      return haltCampaign(db, campaign.id, `The relay fails: ${last}`, now);
    }
    await hold(db, newsletter, 'relay', { until: now + wait, step: step + 1, note: last });
    const detail = `the relay for ${wait / 60_000} min: ${last}`;
    await logEvent(db, campaign.id, { kind: step === 0 ? 'slowed' : 'held', detail, at: now });
  }

  return {
    /** Takes an outcome in. */
    async saw({ relayFault, reply }: Outcome): Promise<void> {
      seen += 1;
      inRow = relayFault ? inRow + 1 : 0;
      if (!relayFault) return;
      last = reply.replaceAll('\0', '\ufffd');
      log.warn({ campaign: turn().campaign.id, reply, inRow }, 'the relay is at fault');
      if (inRow % (MOST_FAULTS + lanes) === 0) await patiently(holdBack);
    },
    /** Nothing more is due. A short list may have met nothing but faults. */
    async end(): Promise<void> {
      if (inRow > 0 && inRow === seen) await patiently(holdBack);
    },
  };
}
