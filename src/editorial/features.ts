/** What the place between two sentences says about whether a new story begins there. */
import type { Lexicon } from './lexicon/lexicon.ts';
import type { Name } from './names.ts';
import type { Vocabulary } from './terms.ts';

/** A sentence as segmentation sees it. */
export interface SentenceView {
  text: string;
  names: Name[];
  /** A blank line stands before it. */
  paragraph: boolean;
  /** Silence before it, ms; absent where nothing is timed. */
  pause?: number;
}

export const FEATURES = [
  'ov',
  'nextOv',
  'sim',
  'chain',
  'fwd',
  'newHead',
  'anyName',
  'headRepeat',
  'rep',
  'date',
  'pron',
  'conn',
  'weak',
  'defn',
  'ana',
  'question',
  'close',
  'lenR',
  'lenL',
  'fresh',
  'said',
  'nameFirst',
  'newNames',
  'coined',
  'titled',
] as const;
export type Feature = (typeof FEATURES)[number];
/** Values of the features of the gap before a sentence. */
export type Gap = Record<Feature, number>;

/** Sentences back and ahead that count as near. */
const BACK = 4;
const NAMES_BACK = 5;
const AHEAD = 3;
const CHAIN_REACH = 6;
const CHAIN_LIMIT = 0.8;
const LIKENESS_LIMIT = 0.1;
/** Characters that may stand before a subject that is a name. */
const APPOSITION = 8;
/** Beyond this share more overlap says nothing more. */
const OVERLAP_LIMIT = 0.5;
/** Longest line that may be a title, as a share of a typical sentence. */
const TITLE = 0.6;
/** Quotes and brackets before the first word. */
const OPENING_MARKS = /^[\s"'“‘「『《（(【[]+/u;

/**
 * Features of the gap before a sentence, looking a few sentences back and ahead. Given one by one: those of
 * a long transcript together would be most of the memory that drafting takes.
 * @param vocabulary of the same sentences
 * @param scale how many of the units make a usual sentence: 1, or more where no marks end sentences
 */
export function gapReader(
  sentences: SentenceView[],
  vocabulary: Vocabulary,
  lexicon: Lexicon,
  scale = 1,
): (index: number) => Gap {
  const cohesion = cohesionOf(vocabulary, scale);
  const names = nameHistory(sentences);
  return (i) => readGap(sentences[i]!, i);

  function readGap(sentence: SentenceView, i: number): Gap {
    return {
      ...cohesion[i]!,
      nextOv: cohesion[i + 1]?.ov ?? 0,
      ...namesAtHead(sentence, i, names, lexicon, scale),
      ...openingOf(sentence.text, lexicon),
      close: Number(lexicon.closing.test(sentences[i - 1]?.text.slice(-30) ?? '')),
      lenR: relativeLength(sentence, lexicon, scale),
      lenL: relativeLength(sentences[i - 1] ?? sentence, lexicon, scale),
      titled: Number(isTitle(sentence, sentences[i + 1], lexicon)),
    };
  }
}

/** How the sentence opens: with what ties it to the one before it, or with what reports news. */
function openingOf(text: string, lexicon: Lexicon) {
  const head = text.replace(OPENING_MARKS, '');
  const { verb, anaphor } = lexicon.windows;
  return {
    rep: Number(reports(head.slice(0, verb), lexicon)),
    date: Number(lexicon.dateHead.test(head)),
    pron: Number(lexicon.pronounHead.test(head)),
    conn: Number(lexicon.connectiveHead.test(head)),
    weak: Number(lexicon.additionHead.test(head)),
    defn: Number(lexicon.definiteHead.test(head)),
    ana: Number(lexicon.anaphor.test(head.slice(0, anaphor))),
    fresh: Number(lexicon.freshHead.test(head)),
    said: Number(lexicon.attributionHead.test(head)),
    question: Number(/[?？]\s*$/.test(text)),
  };
}

/** A short line before a longer one, tied to nothing, reads like a headline: `The art of finishing.` */
function isTitle(
  { text }: SentenceView,
  next: SentenceView | undefined,
  lexicon: Lexicon,
): boolean {
  const line = text.trim();
  const short = line.length <= TITLE * lexicon.typical.sentence;
  if (!short || !next || next.text.trim().length <= line.length) return false;
  const { pronounHead, connectiveHead, additionHead, definiteHead, address } = lexicon;
  const ties = [pronounHead, connectiveHead, additionHead, definiteHead];
  return !ties.some((head) => head.test(line)) && !address.test(line);
}

function reports(head: string, lexicon: Lexicon): boolean {
  return lexicon.strongVerb.test(head);
}

function relativeLength({ text }: SentenceView, lexicon: Lexicon, scale: number): number {
  const usual = lexicon.typical.sentence / scale;
  return Math.max(-1, Math.min(1, Math.log((text.length + 1) / usual)));
}

/** For each sentence: how long ago each of its names was last heard, in sentences. */
function nameHistory(sentences: SentenceView[]): Map<string, number>[] {
  const last = new Map<string, number>();
  return sentences.map(({ names }, i) => {
    const ago = new Map<string, number>();
    for (const { key } of names) ago.set(key, i - (last.get(key) ?? Number.NEGATIVE_INFINITY));
    for (const { key } of names) last.set(key, i);
    return ago;
  });
}

function namesAtHead(
  { text, names }: SentenceView,
  i: number,
  history: Map<string, number>[],
  lexicon: Lexicon,
  scale: number,
) {
  const atHead = names.filter((name) => name.start < lexicon.windows.name);
  const isNew = (name: Name) => (history[i]!.get(name.key) ?? 0) > NAMES_BACK * scale;
  const first = atHead[0];
  const subject = first !== undefined && isNew(first) && opensWith(text, first, lexicon);
  const points = lexicon.anaphor.test(text.slice(0, lexicon.windows.anaphor));
  return {
    newHead: Number(atHead.some(isNew) && !points),
    anyName: Number(atHead.length > 0),
    headRepeat: Number(first !== undefined && !isNew(first)),
    newNames: Math.min(2, names.filter(isNew).length),
    coined: Number(subject && lexicon.coining.test(text.slice(0, 2 * lexicon.windows.name))),
    nameFirst: Number(subject),
  };
}

/** A name at the head, with an article or a few words of apposition before it, is the subject. */
function opensWith(text: string, name: Name, lexicon: Lexicon): boolean {
  // AI Workflows is rather a part of what was told before.
  if (lexicon.generic.has(name.text.split(' ')[0]!.toLowerCase())) return false;
  const before = text.slice(0, name.start).replace(OPENING_MARKS, '').trim();
  if (before === '') return true;
  if (lexicon.language === 'en') return /^(?:the|an?)$/i.test(before);
  const tied = lexicon.connectiveHead.test(before) || lexicon.pronounHead.test(before);
  return !tied && before.length <= APPOSITION && /^\p{Script=Han}+$/u.test(before);
}

/** Shared vocabulary across each gap. */
function cohesionOf(vocabulary: Vocabulary, scale: number) {
  const { sentences, weights } = vocabulary;
  const distinct = sentences.map((terms) => [...new Set(terms)]);
  const neighbours = occurrences(distinct);
  const chains = chainsOf(distinct, neighbours.previous, weights, scale);
  return distinct.map((terms, i) => {
    let total = 0;
    let seen = 0;
    let starting = 0;
    for (const [k, term] of terms.entries()) {
      const weight = weights[term]!;
      const back = i - neighbours.previous[i]![k]!;
      const ahead = neighbours.next[i]![k]! - i;
      total += weight;
      if (back <= BACK * scale) seen += weight;
      else if (ahead <= AHEAD * scale) starting += weight;
    }
    return {
      ov: total === 0 ? 0 : Math.min(OVERLAP_LIMIT, seen / total),
      fwd: total === 0 ? 0 : starting / total,
      chain: chains[i]!,
      sim: Math.min(
        LIKENESS_LIMIT,
        cosine(
          vectorOf(sentences, i - 3 * scale, i, weights),
          vectorOf(sentences, i, i + 2 * scale, weights),
        ),
      ),
    };
  });
}

/** For each term of each sentence, the sentence that holds it before and after; else ∓Infinity. */
function occurrences(distinct: number[][]) {
  const last = new Map<number, { sentence: number; slot: number }>();
  const previous = distinct.map((terms) => terms.map(() => Number.NEGATIVE_INFINITY));
  const next = distinct.map((terms) => terms.map(() => Number.POSITIVE_INFINITY));
  for (const [i, terms] of distinct.entries()) {
    for (const [slot, term] of terms.entries()) {
      const before = last.get(term);
      if (before) {
        previous[i]![slot] = before.sentence;
        next[before.sentence]![before.slot] = i;
      }
      last.set(term, { sentence: i, slot });
    }
  }
  return { previous, next };
}

/** Terms that occur on both sides of each gap: the nearer and the rarer, the stronger the chain. */
function chainsOf(
  distinct: number[][],
  previous: number[][],
  weights: Float64Array,
  reach: number,
): number[] {
  const steps = new Float64Array(distinct.length + 1);
  for (const [i, terms] of distinct.entries()) {
    for (const [slot, term] of terms.entries()) {
      const from = previous[i]![slot]!;
      const distance = i - from;
      if (distance > CHAIN_REACH * reach) continue;
      const strength = weights[term]! / Math.max(1, distance / reach);
      steps[from + 1]! += strength;
      steps[i + 1]! -= strength;
    }
  }
  const most = Math.log(distinct.length + 1);
  let sum = 0;
  return distinct.map((_, i) => {
    sum += steps[i]!;
    return Math.min(CHAIN_LIMIT, Math.max(0, sum) / most);
  });
}

function vectorOf(sentences: number[][], from: number, to: number, weights: Float64Array) {
  const vector = new Map<number, number>();
  for (let i = Math.max(0, from); i < Math.min(to, sentences.length); i++) {
    for (const term of sentences[i]!) vector.set(term, (vector.get(term) ?? 0) + weights[term]!);
  }
  return vector;
}

function cosine(a: Map<number, number>, b: Map<number, number>): number {
  let dot = 0;
  for (const [term, value] of a) dot += value * (b.get(term) ?? 0);
  const scale = Math.sqrt(sumOfSquares(a) * sumOfSquares(b));
  return scale === 0 ? 0 : dot / scale;
}

function sumOfSquares(vector: Map<number, number>): number {
  let sum = 0;
  for (const value of vector.values()) sum += value * value;
  return sum;
}
