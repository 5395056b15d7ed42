/** Text → sentences. They tile the text; the white space after a sentence belongs to it. */
import type { Sentence } from '../issue/source.ts';
import { type Lexicon, lexiconFor } from './lexicon/lexicon.ts';

/** An end mark with the quotes and brackets that close behind it. */
const END = /(?:[。！？!?…]+|\.)["'”’」』）)\]】》]*/gu;
const BLANK_LINE = /\n[^\S\n]*\n\s*/gu;
const LINE = /\n\s*/gu;
/** A full stop after one of these ends nothing. */
const ABBREVIATION =
  /(?:^|[^\p{L}])(?:mr|mrs|ms|dr|prof|sr|jr|st|vs|etc|inc|ltd|co|corp|dept|est|fig|no|vol|approx|e\.g|i\.e|a\.m|p\.m|u\.s|u\.k|u\.n|ph\.d|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|\p{L})$/iu;
/** Characters per end mark above which the text counts as unpunctuated. */
const SPARSE = { zh: 120, en: 500 };
/** Characters that tell whether a text has capitals, and their least share in one that has. */
const CASE_SAMPLE = 20_000;
const CAPITALS = 0.005;
/** Spaces at which a speaker paused: beside Han; in a text that is typeset, between Han only. */
const ANY_SPACE = /(?<=[\p{Script=Han}\p{P}\d])\s+|\s+(?=\p{Script=Han})/gu;
const PAUSE = /(?<=\p{P})\s+|(?<=\p{Script=Han})\s+(?=\p{Script=Han})/gu;
/** Usual sentences that one unit without any mark may be as long as. */
const FAR_TOO_LONG = 4;
/** In unpunctuated Chinese a unit longer than this is cut at the commas as well. */
const LONG_UNIT = 80;

/**
 * Splits a text into sentences; unpunctuated speech into what its spaces, lines and cues separate.
 * @param language BCP 47
 * @returns sentences that tile the text, offsets in UTF-16 code units; none for an empty text
 */
export function splitSentences(text: string, language: string): Sentence[] {
  if (text === '') return [];
  const lexicon = lexiconFor(language);
  const paragraphs = paragraphBreaks(text);
  const ends = sentenceEnds(text);
  const sparse = (ends.length + 1) * SPARSE[lexicon.language] < text.length;
  if (!sparse)
    return tile(text, new Set([...ends, ...paragraphs, ...lineBreaks(text)]), paragraphs);
  // Where no marks end sentences, a line is the best unit there is, wrapped or not: a cue of subtitles.
  const breaks = [...ends, ...paragraphs, ...breaksAt(LINE, text), ...chunkBreaks(text, lexicon)];
  return tile(text, new Set([...breaks, ...wordBreaks(text, breaks, lexicon)]), paragraphs);
}

/** The text between consecutive breaks; whatever is only white space joins its neighbour. */
function tile(text: string, breaks: Set<number>, paragraphs: Set<number>): Sentence[] {
  const sentences: Sentence[] = [];
  let start = 0;
  let paragraph = false;
  for (const end of [...breaks, text.length].sort((a, b) => a - b)) {
    if (end <= start || text.slice(start, end).trim() === '') continue;
    sentences.push({ start, end, paragraph });
    start = end;
    paragraph = paragraphs.has(end);
  }
  const last = sentences.at(-1);
  if (!last) return [{ start: 0, end: text.length, paragraph: false }];
  last.end = text.length;
  return sentences;
}

/** Offsets behind end marks and the white space that follows them. */
function sentenceEnds(text: string): number[] {
  const cased = isCased(text);
  const ends: number[] = [];
  for (const match of text.matchAll(END)) {
    const end = match.index + match[0].length;
    const ended = match[0].startsWith('.')
      ? endsAtStop(text, match.index, end, cased)
      : endsAtMark(text, match.index, end);
    if (ended) ends.push(skipSpace(text, end));
  }
  return ends;
}

/** `!` and `?` inside `?q=` or `Yahoo!7` end nothing. */
function endsAtMark(text: string, mark: number, end: number): boolean {
  if (!/[!?]/.test(text[mark]!)) return true;
  const next = text[end] ?? ' ';
  return !/[\w=&/]/.test(next) || isHan(text[mark - 1] ?? '') || end - mark > 1;
}

/** Some recognisers write no capitals at all; then a small letter behind a full stop means nothing. */
function isCased(text: string): boolean {
  const sample = text.slice(0, CASE_SAMPLE);
  const capitals = sample.match(/\p{Lu}/gu)?.length ?? 0;
  const small = sample.match(/\p{Ll}/gu)?.length ?? 0;
  return capitals >= small * CAPITALS;
}

function endsAtStop(text: string, stop: number, end: number, cased: boolean): boolean {
  const before = text.slice(Math.max(0, stop - 8), stop);
  const after = text.slice(end, end + 8);
  if (isHan(before.at(-1) ?? '')) return !/^[\d.]/.test(after);
  // `1.` at the head of a line numbers it.
  if (/^\p{Script=Han}/u.test(after)) return !/(?:^|[^\w.-])\d+$/.test(before);
  if (!/^(?:\s|$)/.test(after) || (cased && /^\s*\p{Ll}/u.test(after))) return false;
  return !ABBREVIATION.test(before);
}

function skipSpace(text: string, from: number): number {
  let offset = from;
  while (offset < text.length && /\s/.test(text[offset]!)) offset++;
  return offset;
}

function isHan(character: string): boolean {
  return /\p{Script=Han}/u.test(character);
}

/** Offsets where a new paragraph begins: after blank lines, or after lines that end sentences. */
function paragraphBreaks(text: string): Set<number> {
  const breaks = new Set(breaksAt(BLANK_LINE, text));
  if (breaks.size > 0 || isWrapped(text)) return breaks;
  return new Set(breaksAt(LINE, text));
}

/** Offsets behind each match. */
function breaksAt(pattern: RegExp, text: string): number[] {
  return [...text.matchAll(pattern)].map((match) => match.index + match[0].length);
}

/** A line break ends a unit unless the lines were wrapped to a width. */
function lineBreaks(text: string): number[] {
  return isWrapped(text) ? [] : breaksAt(LINE, text);
}

/** Wrapped lines mostly stop in the middle of a sentence. */
function isWrapped(text: string): boolean {
  let lines = 0;
  let open = 0;
  for (const match of text.matchAll(/([^\s])[^\S\n]*\n(?!\s*\n)(?=.*\S)/gu)) {
    lines++;
    if (!/[。！？!?….:：;；"'”’」』）)\]】》]/u.test(match[1]!)) open++;
  }
  return open > lines / 2 && longestLine(text) <= 120;
}

function longestLine(text: string): number {
  return text.split('\n').reduce((longest, line) => Math.max(longest, line.length), 0);
}

/** Unpunctuated speech: breaks at spaces (zh), at cues, and in long units at commas (zh). */
function chunkBreaks(text: string, lexicon: Lexicon): number[] {
  const cues = new RegExp(lexicon.cueHead.source.replace('^', ''), 'giu');
  const breaks = [...text.matchAll(cues)].map((match) => match.index);
  if (lexicon.language !== 'zh') return breaks;
  const spaces = isTypeset(text) ? PAUSE : ANY_SPACE;
  for (const match of text.matchAll(spaces)) breaks.push(match.index + match[0].length);
  breaks.sort((a, b) => a - b);
  return [...breaks, ...commaBreaks(text, breaks)];
}

/** Where print puts a space between Han and Latin, that space is no pause. */
function isTypeset(text: string): boolean {
  const apart = text.match(/\p{Script=Han}\s[\p{Script=Latin}\d]/gu)?.length ?? 0;
  const joined = text.match(/\p{Script=Han}[\p{Script=Latin}\d]/gu)?.length ?? 0;
  return apart > joined;
}

function commaBreaks(text: string, breaks: number[]): number[] {
  const commas: number[] = [];
  let from = 0;
  for (const to of [...breaks, text.length]) {
    if (to - from > LONG_UNIT) {
      for (const match of text.slice(from, to).matchAll(/[，,；;]\s*/gu)) {
        commas.push(from + match.index + match[0].length);
      }
    }
    from = to;
  }
  return commas;
}

/** Not even a comma: what is far longer than a sentence is cut between words, so that it can be cut at all. */
function wordBreaks(text: string, breaks: number[], { typical }: Lexicon): number[] {
  const { sentence } = typical;
  const piece = new RegExp(`[^]{${sentence}}[\\p{Script=Latin}\\d]*\\s?`, 'gu');
  const words: number[] = [];
  let from = 0;
  for (const to of [...new Set([...breaks, text.length])].sort((a, b) => a - b)) {
    const unit = text.slice(from, to);
    if (unit.length > FAR_TOO_LONG * sentence)
      for (const end of breaksAt(piece, unit)) words.push(from + end);
    from = to;
  }
  return words;
}
