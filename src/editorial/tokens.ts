/** Text → tokens: Latin words, numbers, Chinese words. Whatever else there is separates them. */
import type { Span } from '../issue/source.ts';

export interface Token extends Span {
  text: string;
  kind: 'latin' | 'number' | 'han';
}

/**
 * A Latin word before a Chinese number (Falcon|1800亿), one with what belongs inside it (Phi-1.5,
 * o'clock), or a number.
 */
const LATIN =
  /\p{Script=Latin}+(?=\d+(?:\.\d+)?[万亿])|[\p{Script=Latin}\d]+(?:[.\-'’_][\p{Script=Latin}\d]+)*(?:\+\+|#)?/gu;
const HAN = /\p{Script=Han}/u;
const chinese = new Intl.Segmenter('zh', { granularity: 'word' });

/** Tokens in order, offsets into the text. Chinese words are those of the ICU dictionary. */
export function tokenize(text: string): Token[] {
  const latin = latinTokens(text);
  if (!HAN.test(text)) return latin;
  const han = hanTokens(text);
  return latin.length === 0 ? han : [...latin, ...han].sort((a, b) => a.start - b.start);
}

function latinTokens(text: string): Token[] {
  return [...text.matchAll(LATIN)].map(({ 0: word, index }) => ({
    text: word,
    start: index,
    end: index + word.length,
    kind: /\p{Script=Latin}/u.test(word) ? 'latin' : 'number',
  }));
}

function hanTokens(text: string): Token[] {
  const tokens: Token[] = [];
  for (const { segment, index, isWordLike } of chinese.segment(text)) {
    if (!isWordLike || !isHan(segment.charCodeAt(0))) continue;
    tokens.push({ text: segment, start: index, end: index + segment.length, kind: 'han' });
  }
  return tokens;
}

/** Ideographs of the first plane, and the first half of those beyond it. */
function isHan(code: number): boolean {
  return (
    (code >= 0x3400 && code <= 0x9fff) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xd840 && code <= 0xd8ff)
  );
}
