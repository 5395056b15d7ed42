/** A change that one of the methods proposes, before the proposals are weighed against each other. */
import type { Span } from '../../issue/source.ts';
import type { Mention } from '../glossary.ts';
import type { Token } from '../tokens.ts';

/** Offsets into the sentence. */
export interface Candidate extends Span {
  to: string;
  /** 0 to 1. */
  confidence: number;
  /** Sure enough to be done; else a suggestion. */
  sure: boolean;
  why: string;
}

/** What the methods look at. */
export interface SentenceWords {
  text: string;
  tokens: Token[];
  mentions: Mention[];
  /** Whether the document holds a string more than once. */
  repeated: (part: string) => boolean;
}

/** The valid and protected spellings that a span touches. */
export function mentionsIn({ start, end }: Span, { mentions }: SentenceWords): Mention[] {
  return mentions.filter(
    (mention) => mention.form.kind !== 'alias' && mention.start < end && start < mention.end,
  );
}

/** Whether a span touches one of them; it may enclose a shorter one: `Code llama 2` around `llama 2`. */
export function isProtected(span: Span, sentence: SentenceWords): boolean {
  return mentionsIn(span, sentence).some(({ start, end }) => {
    const encloses = span.start <= start && end <= span.end;
    return !encloses || end - start === span.end - span.start;
  });
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
