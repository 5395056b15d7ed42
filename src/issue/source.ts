/**
 * What a source gives, before anybody edited it: decoded text and where in it things stand.
 * Offsets everywhere are UTF-16 code units into `text`.
 */

export interface SourceText {
  /** File name, as copied into the folder. */
  name: string;
  /** BCP 47, declared or detected: `zh-CN`, `en`. */
  language: string;
  /** Decoded; a BOM is removed, nothing else is changed. */
  text: string;
}

export interface Span {
  /** Inclusive. */
  start: number;
  /** Exclusive. */
  end: number;
}

/** One sentence (or, in unpunctuated text, one sentence-like unit). Sentences tile the text. */
export interface Sentence extends Span {
  /** A blank line stands before it. */
  paragraph: boolean;
}
