/** A story as the newsroom works on it: its sentences, repaired, with the names in them. */
import type { Cue, Entry, Sentence, Span } from '../issue/source.ts';
import type { Lexicon } from './lexicon/lexicon.ts';
import type { Name } from './names.ts';

export interface StorySentence extends Sentence {
  /** Repaired. `start` and `end` are offsets into the source as it was. */
  text: string;
  names: Name[];
}

export interface Story extends Span {
  /** Name of its source. */
  source: string;
  lexicon: Lexicon;
  sentences: StorySentence[];
  /** How firm the boundary at its start is, 0 to 1. */
  confidence: number;
  /** Of timed speech. */
  cues?: readonly Cue[] | undefined;
  /** Of feeds and notes: the item as the source gives it. */
  entry?: Entry | undefined;
}

/** The repaired text of a story. */
export function textOf(story: Story): string {
  return story.sentences.map(({ text }) => text).join('');
}

/** Names of a story, each once, in the order in which they are heard. */
export function namesOf(story: Story): Name[] {
  const seen = new Map<string, Name>();
  for (const name of story.sentences.flatMap(({ names }) => names)) {
    if (!seen.has(name.key)) seen.set(name.key, name);
  }
  return [...seen.values()];
}

/** Columns that a text takes in print: a Han character two, a letter one. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += character.codePointAt(0)! >= 0x2e80 ? 2 : 1;
  return columns;
}
