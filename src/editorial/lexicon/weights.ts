/** What each feature of a gap adds to its score, per unit. Two sets; segment.ts says how they are mixed. */
import type { Feature } from '../features.ts';

export type WeightSet = { constant: number } & Partial<Record<Feature, number>>;

/** Set by reading: every weight has a reason that can be told. */
export const HAND: WeightSet = {
  constant: -0.05,
  ov: -2.2,
  chain: -0.9,
  fwd: 1.2,
  sim: -1,
  newHead: 0.9,
  nameFirst: 0.6,
  newNames: 0.2,
  coined: 0.5,
  headRepeat: -0.7,
  rep: 0.7,
  date: 0.6,
  pron: -1.5,
  conn: -1.3,
  weak: -0.9,
  defn: -0.8,
  ana: -0.7,
  close: 0.4,
  lenR: 0.5,
  fresh: 0.5,
  said: 0.6,
  titled: 0.4,
};

/**
 * Logistic regression over the boundaries of real digests (zh) and of a news podcast (en), as
 * log-odds. Weights that came out different on every collection are left out.
 */
export const FITTED: Record<'zh' | 'en', WeightSet> = {
  zh: {
    constant: -0.41,
    ov: -0.88,
    sim: -19,
    chain: -3.08,
    fwd: 6.03,
    newNames: 0.34,
    nameFirst: 1.63,
    coined: 1.43,
    rep: 1.1,
    date: 1.76,
    pron: -1.26,
    conn: -1.56,
    weak: -1.72,
    defn: -2.27,
    ana: -1.01,
    close: 0.6,
    lenR: 0.67,
    lenL: 0.34,
    fresh: 1.23,
    said: 1.51,
    titled: 0.2,
  },
  en: {
    constant: -2.06,
    ov: -1.05,
    nextOv: -0.73,
    sim: -11.32,
    chain: -2.53,
    fwd: 2.46,
    newHead: 0.77,
    anyName: 0.48,
    headRepeat: -0.7,
    coined: 1.16,
    rep: 0.12,
    conn: -0.37,
    weak: -1.5,
    defn: -0.19,
    ana: 0.52,
    close: 0.89,
    lenR: 0.74,
    lenL: 0.21,
    said: 1.2,
    titled: 0.8,
  },
};
