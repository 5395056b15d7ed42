/** The machine's view of an issue, printed by `draft --json` and kept in draft.json. A contract: fields are added, never changed. */
import type { Link } from './issue.ts';
import type { Span } from './source.ts';

export interface Draft {
  sources: DraftSource[];
  /** In rank order. */
  items: DraftItem[];
}

export interface DraftSource {
  name: string;
  language: string;
  /** They tile the text: first start 0, last end its length. */
  segments: DraftSegment[];
  repairs: Repair[];
  flags: Flag[];
}

export interface DraftSegment extends Span {
  kind: 'intro' | 'item' | 'outro';
  /** Share of perturbed runs that keep the boundary at its start, 0 to 1. */
  confidence: number;
  /** What each feature adds to the score of that boundary. */
  signals?: Record<string, number>;
  /** Of timed speech. */
  startMs?: number;
  endMs?: number;
}

export interface Repair extends Span {
  from: string;
  to: string;
  /** 0 to 1. */
  confidence: number;
  /** True: done in the draft. False: suggested to the editor. */
  applied: boolean;
  why: string;
}

/** Something that only a person may change. */
export interface Flag extends Span {
  kind: 'direction' | 'number' | 'sum' | 'evidence';
  why: string;
  /** The words that are meant, where they are fewer than the span. */
  words?: string;
}

export interface DraftItem {
  id: string;
  headline: string;
  summary: string;
  /** Id of a section in sections.yaml. */
  section: string;
  score: number;
  /** Contribution of each signal to the score. */
  signals: Record<string, number>;
  /** Canonical names. */
  entities: string[];
  /** Why a person should look: `headline-without-name`, `section-uncertain`, … Empty: sure. */
  needsReview: string[];
  source: Place;
  /** Further places that tell the same story. */
  also: Place[];
  /** Where the story can be read, as its sources say. */
  links?: Link[];
  /** Ids of items of other sources that may tell the same; not surely enough to be made one. */
  related?: string[];
  /** An item of an earlier issue that it goes on with. */
  earlier?: { issue: string; headline: string };
}

/** A stretch of a source; of timed speech with its times. */
export interface Place extends Span {
  name: string;
  startMs?: number;
  endMs?: number;
}
