/** How Chinese characters sound, and how easily one is heard as another. */
import { pinyin } from 'pinyin-pro';

/** A toneless syllable; equal syllables have equal numbers. */
export type Syllable = number;

interface Parts {
  initial: string;
  final: string;
}

const parts: Parts[] = [];
const numbers = new Map<string, Syllable>();
const readings = new Map<string, readonly Syllable[]>();
const classes = new Map<string, readonly number[]>();

/** Pairs that speakers and recognisers mix up. */
const INITIALS = pairs('z zh, c ch, s sh, n l, f h');
const FINALS = pairs('in ing, en eng, an ang, uan uang, ian iang, uo o');
const CONFUSION = 0.2;
const SAME_FINAL = 0.6;
const SAME_INITIAL = 0.7;
const DIFFERENT = 1.2;
/** More syllables than Chinese has. */
const LIMIT = 1024;
const UNKNOWN = -1;
const costs = new Float32Array(LIMIT * LIMIT).fill(UNKNOWN);

/** The Chinese names of letters and digits, as they are heard inside Chinese words. */
const SPELLED: Record<string, string> = {
  A: 'ei',
  B: 'bi',
  C: 'xi',
  D: 'di',
  E: 'yi',
  G: 'ji',
  I: 'ai',
  J: 'jie',
  K: 'kai',
  O: 'ou',
  P: 'pi',
  Q: 'qiu',
  R: 'a',
  T: 'ti',
  U: 'you',
  V: 'wei',
  Y: 'wai',
  Z: 'zei',
  0: 'ling',
  1: 'yi',
  2: 'er',
  3: 'san',
  4: 'si',
  5: 'wu',
  6: 'liu',
  7: 'qi',
  8: 'ba',
  9: 'jiu',
};

/** All readings of a Han character, a letter or a digit; none for anything else. */
export function readingsOf(character: string): readonly Syllable[] {
  const known = readings.get(character);
  if (known) return known;
  const found = spellings(character).map(numberOf);
  readings.set(character, found);
  return found;
}

/** Cost of hearing one character as another, 0 for homophones, at most 1.2. */
export function soundCost(a: readonly Syllable[], b: readonly Syllable[]): number {
  let least = DIFFERENT;
  for (const x of a) {
    for (const y of b) {
      if (x === y) return 0;
      least = Math.min(least, syllableCost(x, y));
    }
  }
  return least;
}

/** The sounds of a character as numbers that are equal where a common confusion is the difference. */
export function soundClassesOf(character: string): readonly number[] {
  const known = classes.get(character);
  if (known) return known;
  const found = [...new Set(readingsOf(character).map(classOf))];
  classes.set(character, found);
  return found;
}

function classOf(syllable: Syllable): number {
  const { initial, final } = parts[syllable]!;
  const plain = (INITIALS.get(initial) ?? initial) + (FINALS.get(final) ?? final);
  return numberOf(plain);
}

function spellings(character: string): string[] {
  const spelled = SPELLED[character.toUpperCase()];
  if (spelled) return [spelled];
  if (!/^\p{Script=Han}$/u.test(character)) return [];
  return pinyin(character, { multiple: true, type: 'array', toneType: 'none' });
}

function numberOf(spelling: string): Syllable {
  const known = numbers.get(spelling);
  if (known !== undefined) return known;
  const initial = /^(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?/.exec(spelling)![0];
  parts.push({ initial, final: spelling.slice(initial.length) });
  numbers.set(spelling, numbers.size);
  return numbers.size - 1;
}

function syllableCost(a: Syllable, b: Syllable): number {
  const cell = Math.min(a, b) * LIMIT + Math.max(a, b);
  if (costs[cell] === UNKNOWN) costs[cell] = compare(parts[a]!, parts[b]!);
  return costs[cell]!;
}

function compare(a: Parts, b: Parts): number {
  const initial = difference(a.initial, b.initial, INITIALS);
  const final = difference(a.final, b.final, FINALS);
  if (initial + final <= 2 * CONFUSION) return initial + final;
  if (final === 0) return SAME_FINAL;
  return initial === 0 ? SAME_INITIAL : DIFFERENT;
}

function difference(a: string, b: string, confused: Map<string, string>): number {
  if (a === b) return 0;
  const known = confused.get(a);
  return known !== undefined && known === confused.get(b) ? CONFUSION : 1;
}

/** Both members of a pair point to the first. */
function pairs(list: string): Map<string, string> {
  return new Map(
    list.split(', ').flatMap((pair) => {
      const [first, second] = pair.split(' ') as [string, string];
      return [[first, first] as const, [second, first] as const];
    }),
  );
}
