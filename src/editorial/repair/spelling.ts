/** How Latin names are spelled and how they sound. */
import { doubleMetaphone } from 'double-metaphone';

const NUMBER_WORDS: Record<string, string> = {
  zero: '0',
  one: '1',
  two: '2',
  three: '3',
  four: '4',
  five: '5',
  six: '6',
  seven: '7',
  eight: '8',
  nine: '9',
  ten: '10',
  eleven: '11',
  twelve: '12',
  point: '.',
  零: '0',
  一: '1',
  二: '2',
  三: '3',
  四: '4',
  五: '5',
  六: '6',
  七: '7',
  八: '8',
  九: '9',
  十: '10',
  点: '.',
};

/** A Latin spelling, prepared for comparison. */
export interface Sound {
  /** Lower case, without accents, spaces, hyphens and dots (but 3.5 keeps its point). */
  key: string;
  digits: string;
  /** The letters as they sound: ph as f, c as k or s, doubled letters single, final e dropped. */
  spoken: string;
  codes: readonly [string, string];
}

/** The key under which spellings meet that differ in case, spaces, hyphens, dots and accents only. */
export function latinKey(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/(?<!\d)\.|\.(?!\d)/g, '')
    .replace(/[^\p{L}\d.+#]/gu, '');
}

/** The same with number words as digits: `Lingo One` meets `LINGO-1`; needs a word before them. */
export function spokenKey(words: string[]): string {
  return latinKey(
    words.map((word, i) => (i === 0 ? word : (NUMBER_WORDS[word.toLowerCase()] ?? word))).join(''),
  );
}

export function soundOf(text: string): Sound {
  const key = latinKey(text);
  const letters = key.replace(/[^a-z]/g, '');
  return {
    key,
    digits: key.replace(/[^\d.]/g, ''),
    spoken: spokenLetters(letters),
    codes: doubleMetaphone(letters),
  };
}

/** How alike two names sound and look, 0 to 1; 0 when their digits differ. */
export function likeness(
  a: Sound,
  b: Sound,
): { score: number; spelling: number; sameSound: boolean } {
  if (a.digits !== b.digits) return { score: 0, spelling: 0, sameSound: false };
  const spelling = similarity(a.key, b.key);
  const spoken = similarity(a.spoken, b.spoken);
  const sameCode = a.codes.some((code) => code !== '' && b.codes.includes(code));
  const first = a.key[0] === b.key[0] ? 0 : 0.1;
  const score = 0.45 * spelling + 0.45 * spoken + (sameCode ? 0.15 : 0) - first;
  return { score: Math.min(1, score), spelling, sameSound: sameCode || spoken === 1 };
}

function spokenLetters(letters: string): string {
  return letters
    .replaceAll('ph', 'f')
    .replaceAll('ck', 'k')
    .replace(/c(?=[eiy])/g, 's')
    .replace(/c(?!h)/g, 'k')
    .replaceAll('q', 'k')
    .replaceAll('y', 'i')
    .replace(/(.)\1/g, '$1')
    .replace(/(?<=..)e$/, '');
}

/** 1 minus the edit distance (with transpositions) as a share of the longer string. */
function similarity(a: string, b: string): number {
  const longer = Math.max(a.length, b.length);
  return longer === 0 ? 0 : 1 - editDistance(a, b) / longer;
}

/** Optimal string alignment: insert, delete, replace, swap neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
      }
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
