/** A text and what a person says of it. */

export interface GoldSegment {
  kind: 'intro' | 'item' | 'outro';
  start: number;
  end: number;
  headline?: string | undefined;
  section?: string | undefined;
  /** Sections that an editor would accept as well. */
  alsoSections?: string[] | undefined;
  /** Higher is more important. */
  importance?: number | undefined;
}

/** A misheard place, and what a careful tool may do about it. */
export interface GoldError {
  start: number;
  surface: string;
  correct: string;
  /** `name`, `term`, `number`, `homophone`, `style`, `fact`, `grammar`, `punct`. */
  class: string;
  action: 'auto' | 'suggest';
}

export interface GoldDocument {
  name: string;
  /** BCP 47. */
  language: string;
  text: string;
  /** They tile the text. */
  segments: GoldSegment[];
  errors: GoldError[];
}

/** Offsets at which segments begin, without 0. */
export function boundariesOf(segments: readonly { start: number }[]): number[] {
  return segments.map(({ start }) => start).filter((start) => start > 0);
}
