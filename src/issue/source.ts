/**
 * What a source gives, before anybody edited it: decoded text and where in it things stand.
 * Offsets everywhere are UTF-16 code units into `text`.
 */

import type { Link } from './issue.ts';

export interface SourceText {
  /** File name, as copied into the folder. */
  name: string;
  /** BCP 47, declared or detected: `zh-CN`, `en`. */
  language: string;
  /** Decoded; a BOM is removed, nothing else is changed. Of subtitles: the words of the cues, a line each. */
  text: string;
  /** Of timed speech: when each stretch of the text is spoken, in order. */
  cues?: Cue[];
  /** What an editor says of its boundaries: at these offsets one is, or none is. */
  overrides?: { split: number[]; join: number[] };
  /** Of feeds and notes: the items are given, and cover the text. */
  entries?: Entry[];
}

export interface Span {
  /** Inclusive. */
  start: number;
  /** Exclusive. */
  end: number;
}

/** A line of subtitles. */
export interface Cue extends Span {
  startMs: number;
  endMs: number;
}

/** An item as a feed or a note gives it. */
export interface Entry extends Span {
  /** As it stands in the source; also the first words of the stretch. */
  title: string;
  links: Link[];
}

/** One sentence (or, in unpunctuated text, one sentence-like unit). Sentences tile the text. */
export interface Sentence extends Span {
  /** A blank line stands before it. */
  paragraph: boolean;
  /** Silence before it, ms; absent where nothing is timed. */
  pause?: number;
}
