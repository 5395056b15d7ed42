/** What another source says of a story: its numbers against those that were heard. */
import type { Flag } from '../issue/draft.ts';
import type { Story } from './story.ts';

/** A number with what it counts. */
const MEASURE =
  /(\d[\d,]*(?:\.\d+)?)\s?(万亿|千万|百万|亿|万|%|％|美元|亿美元|万美元|倍|thousand|million|billion|trillion|percent|[BMK](?![\p{L}\d]))/giu;

interface Measure {
  number: string;
  unit: string;
  /** In the sentence. */
  at: number;
  text: string;
}

/**
 * Numbers of a story that a better source gives otherwise. Only where both give exactly one of a kind:
 * of two percentages nobody knows which belongs to which.
 * @returns flags on the story's own source
 */
export function disagreements(story: Story, evidence: Story): Flag[] {
  const told = evidence.sentences.flatMap(({ text }) => measuresIn(text));
  return story.sentences.flatMap((sentence) =>
    measuresIn(sentence.text).flatMap(({ number, unit, text }) => {
      const own = story.sentences
        .flatMap((each) => measuresIn(each.text))
        .filter((m) => m.unit === unit);
      const others = told.filter((measure) => measure.unit === unit);
      const [other] = others;
      if (own.length !== 1 || others.length !== 1 || !other || other.number === number) return [];
      const why = `${evidence.source}: ${other.text}`;
      return [
        { start: sentence.start, end: sentence.end, kind: 'evidence' as const, why, words: text },
      ];
    }),
  );
}

function measuresIn(text: string): Measure[] {
  return [...text.matchAll(MEASURE)].map((match) => ({
    number: (match[1] ?? '').replaceAll(',', ''),
    unit: (match[2] ?? '').toLowerCase().replace('％', '%').replace('percent', '%'),
    at: match.index,
    text: match[0],
  }));
}
