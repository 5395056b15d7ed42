/**
 * Repairs what speech recognition misheard: names and terms that the glossary knows, by their sound.
 * What is sure is applied; what is likely is suggested; facts are never touched.
 */
import type { Repair } from '../../issue/draft.ts';
import type { Sentence } from '../../issue/source.ts';
import { findMentions, type GlossaryIndex, type Mention } from '../glossary.ts';
import { type Token, tokenize } from '../tokens.ts';
import { spansWithin } from '../within.ts';
import type { Candidate, SentenceWords } from './candidate.ts';
import { type HanIndex, hanCandidates, indexHan } from './han.ts';
import { indexLatin, type LatinContext, type LatinIndex, latinCandidates } from './latin.ts';
import { aliasCandidates, contextCandidates, numberCandidates, statedSize } from './rules.ts';

export interface RepairIndex {
  glossary: GlossaryIndex;
  han: HanIndex;
  latin: LatinIndex;
}

/** UTF-16 units of text per suggestion: more would not be read. */
const SUGGESTION_SPACING = 500;

/** Sentences that are remembered; repetition is near, and a long transcript must not fill the memory. */
const MOST_SEEN = 1_000;

/** Indexes the glossary by sound, once for any number of texts. */
export function indexRepairs(glossary: GlossaryIndex): RepairIndex {
  return { glossary, han: indexHan(glossary.forms), latin: indexLatin(glossary.forms) };
}

/** A sentence after repair. */
export interface RepairedSentence {
  text: string;
  /** Of the repaired text. */
  tokens: Token[];
  mentions: Mention[];
  /** In order, without overlap; offsets into the whole text. */
  repairs: Repair[];
}

/**
 * Finds repairs in a text.
 * @param sentences that tile the text
 * @param language BCP 47
 * @returns repairs in the order of the text, without overlap; offsets into the text
 */
export function findRepairs(
  text: string,
  sentences: readonly Sentence[],
  language: string,
  index: RepairIndex,
): Repair[] {
  const repair = repairer(text, language, index);
  return withFewSuggestions(
    sentences.flatMap((sentence) => repair(sentence).repairs),
    text.length,
  );
}

/** A function that repairs the sentences of one text, one by one. */
export function repairer(
  text: string,
  language: string,
  index: RepairIndex,
): (sentence: Sentence) => RepairedSentence {
  const { glossary } = index;
  const spelt = knownIn(text, glossary);
  const chinese = language.toLowerCase().startsWith('zh');
  const context: LatinContext = {
    language: chinese ? 'zh' : 'en',
    mentioned: spelt.ids,
    heard: new Map(),
  };
  const repeated = (part: string) => text.indexOf(part) !== text.lastIndexOf(part);
  // A line that comes again (a jingle, doubled subtitles) is read once.
  const seen = new Map<string, RepairedSentence & { start: number }>();
  return ({ start, end }) => {
    const known = seen.get(text.slice(start, end));
    if (known) return moved(known, start - known.start);
    const repaired = repairSentence(start, end);
    if (seen.size === MOST_SEEN) seen.clear();
    seen.set(text.slice(start, end), { ...repaired, start });
    return repaired;
  };

  function repairSentence(start: number, end: number): RepairedSentence {
    const words = { ...read(text.slice(start, end), glossary), repeated };
    const candidates = [
      ...aliasCandidates(words),
      ...contextCandidates(words, glossary),
      ...numberCandidates(words, spelt.sizes),
      ...latinCandidates(words, index.latin, context),
      ...(chinese ? hanCandidates(words, index.han) : []),
    ];
    const repairs = withoutOverlap(candidates).map((each) => toRepair(each, words, start));
    const changed = repairs.some(({ applied }) => applied);
    const after = changed ? read(applyRepairs(text, repairs, start, end), glossary) : words;
    return { text: after.text, tokens: after.tokens, mentions: after.mentions, repairs };
  }
}

/** The same findings, so many characters further on. */
function moved({ repairs, ...words }: RepairedSentence, by: number): RepairedSentence {
  return {
    ...words,
    repairs: repairs.map((each) => ({ ...each, start: each.start + by, end: each.end + by })),
  };
}

function read(text: string, glossary: GlossaryIndex) {
  return { text, tokens: tokenize(text), mentions: findMentions(text, glossary) };
}

/**
 * A stretch of a text with the applied repairs in it.
 * @param repairs without overlap, in order; offsets into the text
 */
export function applyRepairs(
  text: string,
  repairs: readonly Repair[],
  start = 0,
  end = text.length,
): string {
  let result = '';
  let from = start;
  for (const repair of spansWithin(repairs, { start, end })) {
    if (!repair.applied) continue;
    result += text.slice(from, repair.start) + repair.to;
    from = repair.end;
  }
  return result + text.slice(from, end);
}

/** Which entries the document spells right, and the sizes of the models it names. */
function knownIn(text: string, glossary: GlossaryIndex) {
  const ids = new Set<string>();
  const sizes = new Set<number>();
  for (const { form } of findMentions(text, glossary)) {
    if (form.kind !== 'form' || ids.has(form.entry.id)) continue;
    ids.add(form.entry.id);
    const size = statedSize(form.entry.id);
    if (size !== undefined) sizes.add(size);
  }
  return { ids, sizes };
}

/** The surer, then the more confident, then the longer candidate wins a place. */
function withoutOverlap(candidates: Candidate[]): Candidate[] {
  const ranked = candidates.sort(
    (a, b) =>
      Number(b.sure) - Number(a.sure) ||
      b.confidence - a.confidence ||
      b.end - b.start - (a.end - a.start) ||
      a.start - b.start,
  );
  const kept: Candidate[] = [];
  for (const candidate of ranked) {
    const free = kept.every(({ start, end }) => candidate.end <= start || end <= candidate.start);
    if (free) kept.push(candidate);
  }
  return kept.sort((a, b) => a.start - b.start);
}

function toRepair(candidate: Candidate, { text }: SentenceWords, offset: number): Repair {
  const { start, end, to, confidence, sure, why } = candidate;
  const from = text.slice(start, end);
  return { start: offset + start, end: offset + end, from, to, confidence, applied: sure, why };
}

/** The most confident suggestions, and not too many different ones for the length of the text. */
export function withFewSuggestions(repairs: Repair[], length: number): Repair[] {
  const keyOf = ({ from, to }: Repair) => `${from}\n${to}`;
  const suggested = repairs.filter(({ applied }) => !applied);
  const keys = new Set(suggested.sort((a, b) => b.confidence - a.confidence).map(keyOf));
  const limit = Math.max(1, Math.floor(length / SUGGESTION_SPACING));
  const kept = new Set([...keys].slice(0, limit));
  return repairs.filter((repair) => repair.applied || kept.has(keyOf(repair)));
}
