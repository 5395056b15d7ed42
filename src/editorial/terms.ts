/** Tokens → the terms that carry a topic, numbered and weighted over one document. */
import { FREQUENCIES } from './lexicon/frequencies.ts';
import type { Lexicon } from './lexicon/lexicon.ts';
import type { Token } from './tokens.ts';

/** The terms of a document, by number. */
export interface Vocabulary {
  /** Term numbers of each sentence, in order, repeated as often as they occur. */
  sentences: number[][];
  /** Rarer terms weigh more; from 0 to about ln(N+1) for N sentences. */
  weights: Float64Array;
  /** Sentences that hold the term. */
  frequencies: Uint32Array;
}

/** Share of a term's weight that comes from its frequency in other news. */
const BACKGROUND = 0.6;
/** Stories that hold a term which is not in the list. */
const UNLISTED = 2;

/** Characters that make sentences, not words; they break a run of single characters. */
const FUNCTION_CHARACTERS = new Set(
  '的了在是和与及或而并且但把被将让使由从到向对为以于之其这那此该有无不没未也都就才又还再很更最太只个种次年月日时后前中上下里内外等们我你他她它您吗呢吧啊呀么所如若因可能会要想说看做来去给用着过得地',
);

/** Numbers and weighs the terms of all sentences, which may come one by one: only their numbers are kept. */
export function buildVocabulary(sentences: Iterable<string[]>, lexicon: Lexicon): Vocabulary {
  const numbers = new Map<string, number>();
  const numbered: number[][] = [];
  for (const terms of sentences) {
    for (const term of terms) if (!numbers.has(term)) numbers.set(term, numbers.size);
    numbered.push(terms.map((term) => numbers.get(term)!));
  }
  const frequencies = new Uint32Array(numbers.size);
  for (const terms of numbered) for (const term of new Set(terms)) frequencies[term]!++;
  const weights = new Float64Array(numbers.size);
  for (const [term, number] of numbers) {
    const within = rarity(frequencies[number]!, numbered.length);
    const elsewhere = backgroundRarity(term, lexicon);
    weights[number] =
      Math.log(numbered.length + 1) * ((1 - BACKGROUND) * within + BACKGROUND * elsewhere);
  }
  return { sentences: numbered, weights, frequencies };
}

/** 1 for what occurs nowhere else, 0 for what occurs everywhere. */
function rarity(frequency: number, total: number): number {
  return Math.max(0, Math.log((total + 1) / (frequency + 0.5))) / Math.log(total + 1);
}

function backgroundRarity(term: string, { language }: Lexicon): number {
  const { stories, counts } = FREQUENCIES[language];
  return rarity(counts.get(term) ?? UNLISTED, stories);
}

/** The terms of one sentence. */
export function termsOf(tokens: Token[], lexicon: Lexicon): string[] {
  return lexicon.language === 'zh' ? chineseTerms(tokens, lexicon) : englishTerms(tokens, lexicon);
}

/**
 * Names that no dictionary knows fall into single characters; their pairs and triples find them. A long
 * word also counts as its beginning: 用水量 meets 用水.
 */
function chineseTerms(tokens: Token[], { stopWords }: Lexicon): string[] {
  const terms: string[] = [];
  let run = '';
  let end = -1;
  const flush = () => {
    for (const size of [2, 3]) {
      for (let i = 0; i + size <= run.length; i++) terms.push(run.slice(i, i + size));
    }
    run = '';
  };
  for (const token of tokens) {
    const single = token.kind === 'han' && token.text.length === 1;
    const joins = single && !FUNCTION_CHARACTERS.has(token.text);
    if (!joins || token.start !== end || run.length >= 8) flush();
    if (joins) run += token.text;
    else if (!single && carriesTopic(token, stopWords)) terms.push(...wordTerms(token));
    end = token.end;
  }
  flush();
  return terms;
}

function wordTerms({ kind, text }: Token): string[] {
  return kind === 'han' && text.length > 2 ? [text, text.slice(0, 2)] : [text.toLowerCase()];
}

/** Small numbers occur everywhere. */
function carriesTopic({ kind, text }: Token, stopWords: ReadonlySet<string>): boolean {
  return !(kind === 'number' && text.length < 3) && !stopWords.has(text);
}

function englishTerms(tokens: Token[], { stopWords }: Lexicon): string[] {
  return tokens
    .filter(({ kind, text }) => !(kind === 'number' && text.length < 3))
    .map(({ text }) => text.toLowerCase().replaceAll('’', "'"))
    .filter((word) => word.length > 1 && !stopWords.has(word))
    .map(stem);
}

/** Light suffix stripping: plural, possessive, -ing, -ed, -ly. Enough to let forms of a word meet. */
function stem(word: string): string {
  const bare = word.replace(/'s?$/, '');
  if (bare.length <= 4 || !/^[a-z]+$/.test(bare)) return bare;
  const base = bare
    .replace(/ies$/, 'y')
    .replace(/(?<=ss|sh|ch|x|z)es$/, '')
    .replace(/(?<![su])s$/, '')
    .replace(/(?<=[a-z]{3})(?:ing|ed|ly|er)$/, '')
    .replace(/(?<=[a-z]{3})e$/, '');
  return base.replace(/([bdfgmnprt])\1$/, '$1');
}

export function isFunctionCharacter(character: string): boolean {
  return FUNCTION_CHARACTERS.has(character);
}
