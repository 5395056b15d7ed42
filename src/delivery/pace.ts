/** When the deliveries of a campaign were settled: what a plot of it shows. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../store/schema.ts';

/** Settled deliveries of one stretch of time. */
export interface Pace {
  /** Its beginning, ms. */
  at: number;
  accepted: number;
  failed: number;
  unknown: number;
}

export interface CampaignPace {
  /** Length of a stretch, ms. */
  width: number;
  /** Those in which something was settled, in order. */
  stretches: Pace[];
}

/** About so many stretches show the shape of a campaign. */
const STRETCHES = 120;
const SHORTEST = 1_000;

/** @param id of the campaign */
export async function campaignPace(db: Kysely<Database>, id: number): Promise<CampaignPace> {
  const settled = db
    .selectFrom('deliveries')
    .where('campaign_id', '=', id)
    .where('settled_at', 'is not', null)
    .where('state', 'in', ['accepted', 'failed', 'unknown']);
  const { first, last } = await settled
    .select(({ fn }) => [fn.min('settled_at').as('first'), fn.max('settled_at').as('last')])
    .executeTakeFirstOrThrow();
  const width = niceWidth((Number(last) - Number(first)) / STRETCHES);
  const stretch = sql<number>`settled_at / ${sql.lit(width)}`;
  const rows = await settled
    .select(({ fn }) => [stretch.as('stretch'), 'state', fn.countAll<number>().as('count')])
    .groupBy([stretch, 'state'])
    .orderBy(stretch)
    .execute();
  const found = new Map<number, Pace>();
  for (const { stretch, state, count } of rows) {
    const at = Number(stretch) * width;
    const pace = found.get(at) ?? { at, accepted: 0, failed: 0, unknown: 0 };
    found.set(at, { ...pace, [state]: Number(count) });
  }
  return { width, stretches: [...found.values()] };
}

/** 1, 2, 5 or 10 of a unit that people count in, ms. */
function niceWidth(least: number): number {
  const widths = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400];
  const width = widths.find((seconds) => seconds * 1_000 >= least) ?? 86_400;
  return Math.max(SHORTEST, width * 1_000);
}
