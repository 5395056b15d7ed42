/** Misheard Latin names: spellings that differ in form only, and words that sound like a name. */
import type { Form } from '../glossary.ts';
import { isOrdinaryWord } from '../lexicon/words.ts';
import type { Token } from '../tokens.ts';
import { type Candidate, isProtected, mentionsIn, round, type SentenceWords } from './candidate.ts';
import { latinKey, likeness, type Sound, soundOf, spokenKey } from './spelling.ts';

interface SoundForm {
  form: Form;
  sound: Sound;
  words: string[];
}

export interface LatinIndex {
  /** Forms by the key under which spellings meet. */
  byKey: Map<string, Form>;
  /** Names by their first sound. */
  bySound: Map<string, SoundForm[]>;
}

/** What a judgement depends on besides the words themselves. */
export interface LatinContext {
  language: 'zh' | 'en';
  /** Ids of the entries that the document spells right somewhere. */
  mentioned: ReadonlySet<string>;
  /** Names that were found for words before; the same words get the same answer. */
  heard: Map<string, Heard | undefined>;
}

export interface Heard {
  form: Form;
  score: number;
  sure: boolean;
}

/** Neighbouring words of a sentence. */
interface Phrase {
  start: number;
  end: number;
  text: string;
  words: string[];
}

const LONGEST = 4;
const MARGIN = 0.08;
const SURE = { zh: 0.75, en: 0.85 };
const SUGGEST = { zh: 0.75, en: 0.8 };
const SPELLING = { zh: 0.6, en: 0.75 };
/** Two parts of a camel-case name, one of them right: FirstChat, FurChat. */
const SUGGEST_PART = 0.58;
/** Shorter names sound like too many others. */
const SHORTEST_FORM = 5;
const SHORTEST_WORD = 4;
const LONG_WORD = 7;
/** What stands around a path, an address or an identifier. */
const IDENTIFIER_BEFORE = /(?:[\w@\\._:#-]|[a-z.:]\/)$/u;
const IDENTIFIER_AFTER = /^(?:[\w@\\_#]|[.:/-][a-z\d/])/u;
/** A name with a version or variant behind a hyphen: DeepSeek-V3. */
const VARIANT = /^(\p{Lu}[\p{Script=Latin}\d.]*)-(?=\p{Lu})/u;
const NUMERAL = /^[零一二三四五六七八九十](?:点[零一二三四五六七八九])?(?![\p{Script=Han}\d])/u;

export function indexLatin(forms: Form[]): LatinIndex {
  const index: LatinIndex = { byKey: new Map(), bySound: new Map() };
  for (const form of forms) {
    if (form.kind !== 'form' || !/^[\p{Script=Latin}\d\s.\-·&+]+$/u.test(form.text)) continue;
    const sound = soundOf(form.text);
    if (!index.byKey.has(sound.key)) index.byKey.set(sound.key, form);
    if (form.entry.type === 'term' || sound.key.length < SHORTEST_FORM) continue;
    const words = form.text.split(/[\s-]+/);
    const first = sound.codes[0][0] ?? '';
    index.bySound.set(first, [...(index.bySound.get(first) ?? []), { form, sound, words }]);
  }
  return index;
}

/** Names that the words of a sentence stand for. */
export function latinCandidates(
  sentence: SentenceWords,
  index: LatinIndex,
  context: LatinContext,
): Candidate[] {
  const candidates: Candidate[] = [];
  for (const phrase of phrasesOf(sentence)) {
    if (isIdentifier(phrase, sentence.text) || isProtected(phrase, sentence)) continue;
    const candidate =
      respelled(phrase, index, context) ?? misheard(phrase, sentence, index, context);
    if (candidate && candidate.to !== phrase.text) candidates.push(candidate);
  }
  return candidates;
}

/** Runs of one to four words; a Chinese numeral behind a name counts as a word (GPT四). */
function phrasesOf({ text, tokens }: SentenceWords): Phrase[] {
  const phrases: Phrase[] = [];
  for (const [i, first] of tokens.entries()) {
    if (first.kind !== 'latin' || !/\p{Lu}/u.test(first.text)) continue;
    const run: Token[] = [];
    for (const token of tokens.slice(i, i + LONGEST)) {
      const last = run.at(-1);
      const near = !last || /^[ -]?$/.test(text.slice(last.end, token.start));
      if (token.kind === 'han' || !near) break;
      run.push(token);
      phrases.push(phraseOf(text, run));
    }
    const name = VARIANT.exec(first.text)?.[1];
    if (name)
      phrases.push(phraseOf(text, [{ ...first, text: name, end: first.start + name.length }]));
    const numeral = NUMERAL.exec(text.slice(first.end));
    if (numeral) phrases.push(withNumeral(text, first, numeral[0]));
  }
  return phrases;
}

function phraseOf(text: string, run: Token[]): Phrase {
  const start = run[0]!.start;
  const words = run.map((token) => token.text);
  const possessive = /['’]s$/.exec(words.at(-1)!)?.[0].length ?? 0;
  const end = run.at(-1)!.end - possessive;
  if (possessive) words[words.length - 1] = words.at(-1)!.slice(0, -possessive);
  return { start, end, text: text.slice(start, end), words };
}

function withNumeral(text: string, token: Token, numeral: string): Phrase {
  const end = token.end + numeral.length;
  return {
    start: token.start,
    end,
    text: text.slice(token.start, end),
    words: [token.text, ...numeral],
  };
}

function isIdentifier({ start, end }: Phrase, text: string): boolean {
  return (
    IDENTIFIER_BEFORE.test(text.slice(Math.max(0, start - 2), start)) ||
    IDENTIFIER_AFTER.test(text.slice(end, end + 2))
  );
}

/** The same letters in another case, with other spaces, hyphens or number words. */
function respelled(
  phrase: Phrase,
  index: LatinIndex,
  context: LatinContext,
): Candidate | undefined {
  const form = index.byKey.get(latinKey(phrase.text)) ?? index.byKey.get(spokenKey(phrase.words));
  if (!form || !isMisspelling(phrase.text, form.text)) return undefined;
  if (context.language === 'en' && !isEvident(phrase, form, context)) return undefined;
  const { start, end } = phrase;
  return { start, end, to: form.text, confidence: 0.97, sure: true, why: 'other spelling' };
}

/** Who writes capitals inside a word, or none at all, means them; an acronym is its own name. */
function isMisspelling(heard: string, meant: string): boolean {
  if (!/\p{Lu}/u.test(heard) || !/\p{Lu}/u.test(meant) || /^\p{Lu}+$/u.test(heard)) return false;
  if (heard.toLowerCase() !== meant.toLowerCase()) return true;
  return /^\p{Lu}[\p{Ll}\d]+$/u.test(heard) && /\p{Ll}\p{Lu}/u.test(meant);
}

/** In English, ordinary words in a row may just be ordinary words: Open AI, Last Mile. */
function isEvident({ words }: Phrase, form: Form, { mentioned }: LatinContext): boolean {
  if (words.length === 1 || !words.every(isOrdinaryWord)) return true;
  return mentioned.has(form.entry.id) && words.every((word) => /^[\p{Lu}\d]/u.test(word));
}

/** Other letters, but the sound of a name. */
function misheard(
  phrase: Phrase,
  sentence: SentenceWords,
  index: LatinIndex,
  context: LatinContext,
): Candidate | undefined {
  if (!mayBeMisheard(phrase)) return undefined;
  if (!context.heard.has(phrase.text)) {
    context.heard.set(phrase.text, nearestName(phrase, index, context.language));
  }
  const heard = context.heard.get(phrase.text);
  if (!heard) return undefined;
  const { start, end } = phrase;
  const { form, score, sure } = heard;
  // Part of another name is spelled right: Meta in Meta Quest. Part of this one may be: Elun Musk.
  if (mentionsIn(phrase, sentence).some((mention) => mention.form.entry !== form.entry))
    return undefined;
  return { start, end, to: form.text, confidence: round(score), sure, why: 'sounds like' };
}

function mayBeMisheard({ text, words }: Phrase): boolean {
  if (text.length < SHORTEST_WORD || words.length > 3 || /^\p{Lu}+$/u.test(text)) return false;
  if (!words.every((word) => /^[\p{Lu}\d]|\p{Ll}\p{Lu}/u.test(word))) return false;
  return words.some((word) => !isOrdinaryWord(word));
}

function nearestName(phrase: Phrase, index: LatinIndex, language: 'zh' | 'en'): Heard | undefined {
  const sound = soundOf(phrase.text);
  const near = (index.bySound.get(sound.codes[0][0] ?? '') ?? [])
    .filter((name) => Math.abs(name.sound.key.length - sound.key.length) <= 3)
    .filter((name) => !extendsOther(sound, name.sound))
    .filter((name) => onlyUnknownWordsDiffer(phrase.words, name.words))
    .map((name) => ({ name, ...likeness(sound, name.sound) }))
    .sort((a, b) => b.score - a.score);
  const [best, ...others] = near;
  if (!best) return undefined;
  const rival = others.find(({ name }) => name.form.entry !== best.name.form.entry);
  if (rival && best.score - rival.score < MARGIN) return undefined;
  const form = best.name.form;
  const convincing =
    (best.sameSound && best.spelling >= SPELLING[language]) ||
    (best.spelling >= 0.85 &&
      sound.key.length >= LONG_WORD &&
      sound.key[0] === best.name.sound.key[0]);
  if (convincing && best.score >= SURE[language]) return { form, score: best.score, sure: true };
  const enough = sharesPart(phrase.text, form.text) ? SUGGEST_PART : SUGGEST[language];
  return best.score >= enough ? { form, score: best.score, sure: false } : undefined;
}

/** A word that is ordinary English was not misheard. */
function onlyUnknownWordsDiffer(heard: string[], meant: string[]): boolean {
  if (heard.length !== meant.length) return heard.every((word) => !isOrdinaryWord(word));
  return heard.every((word, i) => latinKey(word) === latinKey(meant[i]!) || !isOrdinaryWord(word));
}

/** SpaceXAI is no misheard SpaceX, nor PhotoShop a misheard Photoshop; Claud may be Claude. */
function extendsOther(heard: Sound, meant: Sound): boolean {
  if (heard.key.startsWith(meant.key)) return true;
  return meant.key.startsWith(heard.key) && heard.spoken !== meant.spoken;
}

/** Camel-case names with the same last part and a first part that begins alike: FirstChat, FurChat. */
function sharesPart(heard: string, meant: string): boolean {
  const [a, b] = [camelParts(heard), camelParts(meant)];
  if (a.length !== 2 || b.length !== 2 || a[1] !== b[1] || a[1]!.length < 3) return false;
  const [x, y] = [soundOf(a[0]!).codes[0], soundOf(b[0]!).codes[0]];
  return x.startsWith(y) || y.startsWith(x);
}

function camelParts(text: string): string[] {
  return text.match(/\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})/gu) ?? [];
}
