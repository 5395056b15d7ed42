/**
 * Facts that contradict their own context: found, never changed. A direction against the drift of its
 * sentence (throughput halved in a list of gains), a growth rate or a conversion that does not add up,
 * a size that differs from the one in the model's name.
 */
import type { Flag } from '../issue/draft.ts';
import type { Sentence } from '../issue/source.ts';
import { clausesOf } from './clauses.ts';
import { FACT_WORDS, type FactWords } from './lexicon/facts.ts';
import { type Lexicon, lexiconFor } from './lexicon/lexicon.ts';
import { statedSize } from './repair/rules.ts';

/** A measure that changes. */
interface Change {
  start: number;
  end: number;
  word: string;
  better: boolean;
}

/** Part by which a stated value may differ from the computed one: people round. */
const TOLERANCE = 0.1;
const SCALES: Record<string, number> = {
  千: 1e3,
  万: 1e4,
  百万: 1e6,
  千万: 1e7,
  亿: 1e8,
  万亿: 1e12,
  thousand: 1e3,
  million: 1e6,
  billion: 1e9,
  trillion: 1e12,
};
const NUMBER = String.raw`(\d[\d,]*(?:\.\d+)?)\s?(万亿|千万|百万|亿|万|千|thousand|million|billion|trillion)?`;
/** From one value to another, and by how many percent. */
const GROWTH = new RegExp(
  String.raw`(?:从|由|from )[^\d，,。；;]{0,6}${NUMBER}[^\d，,。；;]{0,8}(?:至|到|为|to )[^\d，,。；;]{0,4}${NUMBER}[^\d。；;]{0,16}(?:增长|增幅|增加|上涨|涨幅|提升|提高|up|increase of|rise of|growth of)[^\d，,。；;]{0,6}(\d+(?:\.\d+)?)\s?[%％]`,
  'giu',
);
/** A unit, the one it is converted to, and how many of these it is. */
const UNITS: [string, string, number][] = [
  ['加仑|gallons?', '升|公升|lit(?:er|re)s?', 3.785],
  ['英里|miles?', '公里|千米|kilomet(?:er|re)s?|km', 1.609],
  ['磅|pounds?|lbs?', '公斤|千克|kilograms?|kg', 0.4536],
  ['英尺|feet|foot', '米|met(?:er|re)s?', 0.3048],
  ['英寸|inch(?:es)?', '厘米|centimet(?:er|re)s?|cm', 2.54],
];
const CONVERSIONS = UNITS.map(([from, to, factor]) => ({
  pattern: new RegExp(
    String.raw`${NUMBER}\s?(?:${from})[^\d，,。；;]{0,8}${NUMBER}\s?(?:${to})`,
    'giu',
  ),
  factor,
}));
const PARAMETERS = new RegExp(String.raw`${NUMBER}\s?(?:个|的)?(?:参数|parameters?)`, 'giu');

type FactPatterns = Record<keyof FactWords, RegExp>;

const PATTERNS = { zh: compile(FACT_WORDS.zh), en: compile(FACT_WORDS.en) };

/** Flags of a text, in order; offsets into it. */
export function findFlags(text: string, sentences: readonly Sentence[], language: string): Flag[] {
  const lexicon = lexiconFor(language);
  return sentences.flatMap(({ start, end }) => {
    const sentence = text.slice(start, end);
    const sums = /\d/.test(sentence) ? [growthFlags, conversionFlags, sizeFlags] : [];
    const flags = [...directionFlags(sentence, lexicon), ...sums.flatMap((find) => find(sentence))];
    return flags
      .sort((a, b) => a.start - b.start)
      .map((flag) => ({ ...flag, start: flag.start + start, end: flag.end + start }));
  });
}

/** English words match whole. */
function compile(words: FactWords): FactPatterns {
  const pattern = (list: string) =>
    new RegExp(/^[\x20-\x7e]/.test(list) ? `\\b(?:${list})\\b` : `(?:${list})`, 'iu');
  const { gains, costs, up, down, contrast } = words;
  return {
    gains: pattern(gains),
    costs: pattern(costs),
    up: pattern(up),
    down: pattern(down),
    contrast: pattern(contrast),
  };
}

/** One measure gets worse in a sentence of things that get better, without a word of contrast. */
function directionFlags(sentence: string, lexicon: Lexicon): Flag[] {
  const words = PATTERNS[lexicon.language];
  if (!words.down.test(sentence) || words.contrast.test(sentence)) return [];
  const changes = clausesOf(sentence, lexicon).flatMap(({ text, start }) =>
    changeIn(text, start, words),
  );
  const worse = changes.filter(({ better }) => !better);
  if (worse.length !== 1 || changes.length < 3) return [];
  const { start, end, word } = worse[0]!;
  return [
    { start, end, kind: 'direction', why: `"${word}" runs against the rest of its sentence` },
  ];
}

function changeIn(clause: string, offset: number, words: FactPatterns): Change[] {
  const gain = words.gains.exec(clause);
  const cost = words.costs.exec(clause);
  const up = words.up.exec(clause);
  const down = words.down.exec(clause);
  const change = up ?? down;
  // Both measures or both directions in one clause cannot be told apart.
  if (!change || (up && down) || !gain === !cost) return [];
  const start = offset + change.index;
  return [
    {
      start,
      end: start + change[0].length,
      word: change[0],
      better: Boolean(gain) === Boolean(up),
    },
  ];
}

function growthFlags(sentence: string): Flag[] {
  return [...sentence.matchAll(GROWTH)].flatMap((match) => {
    const [, from, fromScale, to, toScale, stated] = match;
    const before = amount(from!, fromScale ?? toScale);
    const growth = (amount(to!, toScale) / before - 1) * 100;
    if (!differs(growth, Number(stated))) return [];
    return [flagOf(match, 'sum', `${from} to ${to} is ${Math.round(growth)} %, not ${stated} %`)];
  });
}

function conversionFlags(sentence: string): Flag[] {
  return CONVERSIONS.flatMap(({ pattern, factor }) =>
    [...sentence.matchAll(pattern)].flatMap((match) => {
      const [, from, fromScale, to, toScale] = match;
      const ratio = amount(to!, toScale) / amount(from!, fromScale);
      if (!differs(ratio, factor)) return [];
      return [
        flagOf(
          match,
          'sum',
          `a factor of ${Number(ratio.toPrecision(3))}, where ${factor} is right`,
        ),
      ];
    }),
  );
}

/** The only number of parameters in a sentence against the only size in a model's name. */
function sizeFlags(sentence: string): Flag[] {
  const counts = [...sentence.matchAll(PARAMETERS)];
  const sizes = new Set([...sentence.matchAll(/\d+(?:\.\d+)?B(?![a-z])/giu)].map(([size]) => size));
  const [match] = counts;
  const [size] = sizes;
  if (counts.length !== 1 || sizes.size !== 1 || !match || !size) return [];
  const named = statedSize(size)! * 1e8;
  if (match[2] === undefined || !differs(amount(match[1]!, match[2]), named)) return [];
  return [flagOf(match, 'number', `differs from the size in the name (${size})`)];
}

function amount(digits: string, scale: string | undefined): number {
  return Number(digits.replaceAll(',', '')) * (scale ? SCALES[scale.toLowerCase()]! : 1);
}

function differs(stated: number, computed: number): boolean {
  return Math.abs(stated - computed) > TOLERANCE * Math.abs(computed);
}

function flagOf(match: RegExpExecArray, kind: Flag['kind'], why: string): Flag {
  return { start: match.index, end: match.index + match[0].length, kind, why };
}
