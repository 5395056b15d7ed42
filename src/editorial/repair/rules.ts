/** Repairs by rule: listed aliases, confusions that their neighbourhood settles, misheard numbers. */
import type { GlossaryIndex } from '../glossary.ts';
import { isOrdinaryWord } from '../lexicon/words.ts';
import { type Candidate, isProtected, type SentenceWords } from './candidate.ts';

/** Known wrong spellings. One that is an ordinary word is only suggested. */
export function aliasCandidates({ mentions }: SentenceWords): Candidate[] {
  return mentions
    .filter(({ form }) => form.kind === 'alias')
    .map(({ start, end, form }) => {
      const sure = !(/^\p{Script=Latin}+$/u.test(form.text) && isOrdinaryWord(form.text));
      const confidence = sure ? 0.95 : 0.6;
      return { start, end, to: form.entry.id, confidence, sure, why: 'listed alias' };
    });
}

/** Confusions of the glossary, where their neighbourhood agrees. */
export function contextCandidates(sentence: SentenceWords, glossary: GlossaryIndex): Candidate[] {
  return glossary.context.flatMap((rule) =>
    placesOf(rule.from, sentence.text)
      .map((start) => ({ start, end: start + rule.from.length }))
      .filter((span) => !isProtected(span, sentence))
      .filter(({ start, end }) =>
        rule.near.test(`${sentence.text.slice(0, start)} ${sentence.text.slice(end)}`),
      )
      .map((span) => ({
        ...span,
        to: rule.to,
        confidence: 0.9,
        sure: true,
        why: 'fits its context',
      })),
  );
}

/**
 * 亿 heard as 1: `1801参数` for 1800亿参数. Done only where a model of that size is named: a number is
 * a fact. `B` in a model's name is 10⁹, 亿 is 10⁸.
 * @param sizes sizes of the models named in the document, in 亿
 */
export function numberCandidates({ text }: SentenceWords, sizes: ReadonlySet<number>): Candidate[] {
  return [...text.matchAll(/(?<![\d.])\d+1(?=个?参数)/gu)].flatMap(({ 0: digits, index }) => {
    const value = [Number(digits) - 1, Number(digits.slice(0, -1))].find((size) => sizes.has(size));
    if (value === undefined) return [];
    const span = { start: index, end: index + digits.length };
    const why = 'the size of the model that is named';
    return [{ ...span, to: `${value}亿`, confidence: 0.9, sure: true, why }];
  });
}

/** Size in 亿 that a model's name states: Falcon 180B → 1800. */
export function statedSize(name: string): number | undefined {
  const found = /(?<![\d.])(\d+(?:\.\d+)?)B(?![a-z])/i.exec(name);
  return found ? Number(found[1]) * 10 : undefined;
}

function placesOf(part: string, text: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length))
    places.push(at);
  return places;
}
