/** Sentences → clauses, and what may be trimmed from their ends. */
import type { Span } from '../issue/source.ts';
import type { Lexicon } from './lexicon/lexicon.ts';

/** Offsets into the sentence; trimmed of white space and marks. */
export interface Clause extends Span {
  text: string;
}

const BREAK = {
  zh: /[，；;：。！？!?…]+|[,:](?!\d)|(?<!\d)[,:]/gu,
  en: /(?:[,;:]\s|\s[–—-]+\s|—|[.!?…]+(?:["'”’)\]]|\s|$))/gu,
};

/** The clauses of a sentence, in order. */
export function clausesOf(text: string, { language }: Lexicon): Clause[] {
  const clauses: Clause[] = [];
  let from = 0;
  const close = (to: number) => {
    const clause = trim(text, from, to);
    if (clause.text !== '') clauses.push(clause);
  };
  for (const match of text.matchAll(BREAK[language])) {
    close(match.index);
    from = match.index + match[0].length;
  }
  close(text.length);
  return clauses;
}

/** A span of the text without white space and stray marks at its ends. */
export function trim(text: string, start: number, end: number): Clause {
  const slice = text.slice(start, end);
  const head = /^[\s，,；;：:、。！？!?…”’)）\]】》」』–—-]+/u.exec(slice)?.[0].length ?? 0;
  const tail =
    /[\s，,；;：:、。.！？!?…“‘(（[【《「『–—-]+$/u.exec(slice.slice(head))?.[0].length ?? 0;
  const from = start + head;
  const to = end - tail;
  return { text: text.slice(from, Math.max(from, to)), start: from, end: Math.max(from, to) };
}
