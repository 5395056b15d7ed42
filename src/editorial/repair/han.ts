/** Misheard Chinese: windows of the text that sound like a form of the glossary. */
import type { Form } from '../glossary.ts';
import { isFunctionCharacter } from '../terms.ts';
import type { Token } from '../tokens.ts';
import { type Candidate, isProtected, round, type SentenceWords } from './candidate.ts';
import { readingsOf, soundClassesOf, soundCost } from './pinyin.ts';
import { latinKey } from './spelling.ts';

/** A Han character, a single letter or digit that may stand for one, or a whole Latin word. */
interface Unit {
  start: number;
  end: number;
  text: string;
  readings: readonly number[];
  /** Key of a Latin word; it must agree exactly. */
  latin: string;
}

interface SoundForm {
  form: Form;
  units: Unit[];
  size: number;
}

export interface HanIndex {
  /** Forms that hold a character or word at a position. */
  byUnit: Map<string, { entry: SoundForm; position: number }[]>;
  /** Forms by the sound classes of their first syllable, then of their second. */
  bySound: Map<number, Map<number, SoundForm[]>>;
}

/** A window of the text against a form. */
interface Match {
  entry: SoundForm;
  units: Unit[];
  cost: number;
  equal: number;
}

const UNIT = /\p{Script=Han}|[\p{Script=Latin}\d]+(?:[.\-'’][\p{Script=Latin}\d]+)*/gu;
/** Changing one of these changes a fact: numerals, negations, directions, measures. */
const MEANING = new Set(
  '零一二两三四五六七八九十百千万亿半倍不没无非未否增减升降涨跌上下高低大小多少正负男女左右前后',
);
const MAX_COST = 0.8;
/** After a real word that sounds like a name: what makes the name likely. */
const NAME_CONTEXT =
  /^(?:宣布|发布|推出|公布|上线|表示|汽车|公司|集团|科技|创始人|首席|CEO|CTO|的?股价|旗下|官方)/u;

export function indexHan(forms: Form[]): HanIndex {
  const index: HanIndex = { byUnit: new Map(), bySound: new Map() };
  for (const form of forms) {
    if (form.kind !== 'form') continue;
    const units = unitsOf(form.text);
    const han = units.filter(({ readings }) => readings.length > 0).length;
    if (han < 2 || units.length > 12) continue;
    const entry = { form, units, size: units.length };
    for (const [position, unit] of units.entries()) {
      push(index.byUnit, unit.latin || unit.text, { entry, position });
    }
    indexSound(entry, index);
  }
  return index;
}

/** Windows that sound like a form. */
export function hanCandidates(sentence: SentenceWords, index: HanIndex): Candidate[] {
  const units = unitsOf(sentence.text);
  const candidates: Candidate[] = [];
  for (let i = 0; i < units.length; i++) {
    for (const match of matchesAt(units, i, index)) {
      const candidate = judge(match, sentence);
      if (candidate) candidates.push(candidate);
    }
  }
  return candidates;
}

function unitsOf(text: string): Unit[] {
  return [...text.matchAll(UNIT)].map(({ 0: found, index }) => {
    const readings = found.length === 1 ? readingsOf(found) : [];
    const latin = readings.length > 0 ? '' : latinKey(found);
    return { start: index, end: index + found.length, text: found, readings, latin };
  });
}

function push<K, T>(map: Map<K, T[]>, key: K, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function indexSound(entry: SoundForm, { bySound }: HanIndex): void {
  const [first, second] = entry.units;
  for (const a of soundClassesOf(first!.text)) {
    const next = bySound.get(a) ?? new Map<number, SoundForm[]>();
    bySound.set(a, next);
    for (const b of soundClassesOf(second!.text)) push(next, b, entry);
  }
}

/** Forms whose first two syllables sound like these units. */
function soundsLike(first: Unit, second: Unit, { bySound }: HanIndex): Set<SoundForm> {
  const found = new Set<SoundForm>();
  for (const a of soundClassesOf(first.text)) {
    const next = bySound.get(a);
    if (!next) continue;
    for (const b of soundClassesOf(second.text)) {
      for (const entry of next.get(b) ?? []) found.add(entry);
    }
  }
  return found;
}

/** Matches whose first equal unit is unit i, and those that begin there and only sound alike. */
function matchesAt(units: Unit[], i: number, index: HanIndex): Match[] {
  const unit = units[i]!;
  const matches: Match[] = [];
  for (const { entry, position } of index.byUnit.get(unit.latin || unit.text) ?? []) {
    const match = compare(units, i - position, entry);
    if (match && firstEqual(match) === position) matches.push(match);
  }
  const second = units[i + 1];
  if (!second || unit.end !== second.start) return matches;
  for (const entry of soundsLike(unit, second, index)) {
    const match = compare(units, i, entry);
    if (match?.equal === 0) matches.push(match);
  }
  return matches;
}

function compare(units: Unit[], from: number, entry: SoundForm): Match | undefined {
  if (from < 0 || from + entry.size > units.length) return undefined;
  let cost = 0;
  let equal = 0;
  for (let k = 0; k < entry.size; k++) {
    const [heard, meant] = [units[from + k]!, entry.units[k]!];
    if (k > 0 && units[from + k - 1]!.end !== heard.start) return undefined;
    if (heard.text === meant.text) equal++;
    else if (heard.latin || meant.latin) {
      if (heard.latin !== meant.latin) return undefined;
    } else cost += soundCost(heard.readings, meant.readings);
    if (cost > MAX_COST) return undefined;
  }
  return { entry, units: units.slice(from, from + entry.size), cost, equal };
}

function firstEqual({ entry, units }: Match): number {
  return units.findIndex((unit, k) => unit.text === entry.units[k]!.text);
}

function judge(match: Match, sentence: SentenceWords): Candidate | undefined {
  const { entry, equal } = match;
  if (equal === entry.size) return undefined;
  const span = spanOf(match);
  if (isProtected(span, sentence)) return undefined;
  const verdict = verdictOn(match, sentence);
  if (!verdict) return undefined;
  const confidence = round(verdict === 'sure' ? 0.97 - 0.1 * match.cost : 0.7 - 0.2 * match.cost);
  return { ...span, to: entry.form.text, confidence, sure: verdict === 'sure', why: 'sounds like' };
}

function changesMeaning({ entry, units }: Match): boolean {
  return units.some(({ text }, k) => {
    const meant = entry.units[k]!.text;
    return text !== meant && (MEANING.has(text) || MEANING.has(meant));
  });
}

type Verdict = 'sure' | 'suggest' | undefined;

function verdictOn(match: Match, sentence: SentenceWords): Verdict {
  const { start, end } = spanOf(match);
  const inside = sentence.tokens.filter((token) => token.start < end && start < token.end);
  const cuts = inside.some((token) => token.start < start || token.end > end);
  if (match.entry.size >= 4) return verdictOnMany(match, inside, cuts);
  if (cuts) return undefined;
  return match.entry.size === 3
    ? verdictOnThree(match, inside)
    : verdictOnTwo(match, inside, sentence);
}

/** An ordinary word that is no homophone of what was meant was not misheard. */
function verdictOnMany(match: Match, inside: Token[], cuts: boolean): Verdict {
  const { cost, equal, entry } = match;
  if (cost === 0) return 'sure';
  if (cuts || equal < entry.size / 2 || cost > 0.8) return undefined;
  const meant = (unit: Unit) => isWord(unit, inside) || isFunctionCharacter(unit.text);
  return differences(match).some(meant) ? undefined : 'sure';
}

function differences({ entry, units }: Match): Unit[] {
  return units.filter((unit, k) => unit.text !== entry.units[k]!.text);
}

/** Whether the unit is part of a word of several characters. */
function isWord(unit: Unit, tokens: Token[]): boolean {
  return tokens.some(
    ({ start, end, text }) => start <= unit.start && unit.end <= end && text.length > 1,
  );
}

function verdictOnThree(match: Match, inside: Token[]): Verdict {
  const { cost, equal } = match;
  const functional = differences(match).some(({ text }) => isFunctionCharacter(text));
  if (equal === 0 || functional || cost > 0.4) return undefined;
  const words = inside.every(({ text }) => text.length > 1);
  if (!words) return 'sure';
  return equal === 2 ? 'suggest' : undefined;
}

/** Two syllables are the sound of many words: only what no dictionary knows is taken for a name. */
function verdictOnTwo(match: Match, inside: Token[], { text, repeated }: SentenceWords): Verdict {
  const { start, end } = spanOf(match);
  if (match.cost > 0 || changesMeaning(match)) return undefined;
  const introduced = NAME_CONTEXT.test(text.slice(end));
  if (inside.length === 1) {
    return introduced && match.entry.form.entry.type !== 'term' ? 'suggest' : undefined;
  }
  if (match.units.some((unit) => isFunctionCharacter(unit.text))) return undefined;
  const named = match.entry.form.entry.type !== 'term' && match.equal === 1;
  const opens = text.slice(0, start).trim() === '';
  return named || opens || introduced || repeated(text.slice(start, end)) ? 'sure' : undefined;
}

function spanOf({ units }: Match) {
  return { start: units[0]!.start, end: units.at(-1)!.end };
}
