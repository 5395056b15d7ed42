/** Proper names in a sentence: glossary hits, and what looks like a name. */

import type { GlossaryEntry } from '../config/settings.ts';
import type { Mention } from './glossary.ts';
import type { Lexicon } from './lexicon/lexicon.ts';
import { isOrdinaryWord } from './lexicon/words.ts';
import type { Token } from './tokens.ts';

export type EntityType = GlossaryEntry['type'];

export interface Name {
  /** Spellings of one name share a key: the glossary id, else the text in lower case. */
  key: string;
  text: string;
  start: number;
  end: number;
  known: boolean;
  /** Type in the glossary, of a known one. */
  type?: EntityType;
  /** Prominence in the glossary, 0 for a guess. */
  weight: number;
  /** Its Chinese form, of a known one that has one. */
  han?: string | undefined;
}

/** Between the words of one name. */
const JOINT = /^(?:[ -]| (?:by|of|for|and|the) )$/;
const TITLE = /[《「“]([^《》「」“”，。,]{2,16})[》」”]/gu;
/** Words that stand before an organisation but are no part of its name. */
const NOT_NAMING =
  '[与的和对在等为是将了以从向于被由及或并但]|初创|头部|聚焦|该|本|各|多|几|两|三|这|那|某|母|子|互联网|上市|创业|一家';
const ORGANISATION = new RegExp(
  `(?<![\\p{Script=Han}])(?:(?!${NOT_NAMING})\\p{Script=Han}){2,8}?(?:公司|大学|集团|研究院|研究所|实验室|医院|银行|学院|委员会|协会|基金会|法院|证监会|财政部|外交部|教育部|卫健委|发改委|统计局|气象局|公安局|市政府|省政府)`,
  'gu',
);

/** Names in order of their place; a name inside another one does not count. */
export function findNames(
  text: string,
  tokens: Token[],
  mentions: Mention[],
  lexicon: Lexicon,
): Name[] {
  const known = mentions.filter(isName).map(({ start, end, form }) => ({
    key: form.entry.id,
    text: text.slice(start, end),
    start,
    end,
    known: true,
    type: form.entry.type,
    weight: form.entry.weight,
    han: [form.entry.id, ...form.entry.forms].find((text) => /^[\p{Script=Han}·]+$/u.test(text)),
  }));
  const guessed = [
    ...(lexicon.language === 'zh' ? quotedNames(text) : []),
    ...latinNames(text, withoutMentioned(tokens, mentions), lexicon),
  ];
  return withoutOverlap([...known, ...guessed]);
}

/** A term of the trade is no name of anything. */
function isName({ form }: Mention): boolean {
  return form.kind !== 'protected' && form.entry.type !== 'term' && form.entry.type !== 'place';
}

function quotedNames(text: string): Name[] {
  const titles = [...text.matchAll(TITLE)].map((match) =>
    guess(match[1]!, match.index, match.index + match[0].length),
  );
  const organisations = [...text.matchAll(ORGANISATION)].map((match) =>
    guess(match[0], match.index, match.index + match[0].length),
  );
  return [...titles, ...organisations];
}

/** Terms of the trade are no names, nor parts of any. */
function withoutMentioned(tokens: Token[], mentions: Mention[]): Token[] {
  return tokens.filter(({ start, end }) => !mentions.some((m) => m.start <= start && end <= m.end));
}

/** Neighbouring Latin tokens that look like names make one name; AI Workbooks begins with its AI. */
function latinNames(text: string, tokens: Token[], lexicon: Lexicon): Name[] {
  const names: Name[] = [];
  for (const [i, token] of tokens.entries()) {
    if (!looksLikeName(token, opensClause(text, token), lexicon)) continue;
    const last = names.at(-1);
    const before = tokens[i - 1];
    if (last && JOINT.test(text.slice(last.end, token.start))) {
      last.end = token.end;
      last.text = text.slice(last.start, token.end);
      last.key = last.text.toLowerCase();
    } else if (before && isAcronym(before) && text.slice(before.end, token.start) === ' ') {
      names.push(guess(text.slice(before.start, token.end), before.start, token.end));
    } else names.push(guess(token.text, token.start, token.end));
  }
  return names;
}

function isAcronym({ text }: Token): boolean {
  return /^\p{Lu}{2,4}$/u.test(text);
}

function looksLikeName(token: Token, opens: boolean, lexicon: Lexicon): boolean {
  if (token.kind !== 'latin' || token.text.length < 2) return false;
  if (lexicon.generic.has(token.text.toLowerCase())) return false;
  if (
    !/[\p{Lu}\d]/u.test(token.text) ||
    /^\d+(?:th|st|nd|rd|s|x|k|K|B|M|GB|TB|MB|p)$/.test(token.text)
  )
    return false;
  const plain = /^\p{Lu}\p{Ll}+(?:['’]s)?$/u.test(token.text);
  if (lexicon.language === 'zh') return true;
  return !(plain && opens && isOrdinaryWord(token.text));
}

function opensClause(text: string, token: Token): boolean {
  return /(?:^|[.!?:"“”(]\s*)$/.test(text.slice(Math.max(0, token.start - 3), token.start));
}

function guess(text: string, start: number, end: number): Name {
  return { key: text.toLowerCase(), text, start, end, known: false, weight: 0 };
}

/** Known names win over guesses, then the longer one. */
function withoutOverlap(names: Name[]): Name[] {
  const ranked = [...names].sort(
    (a, b) => Number(b.known) - Number(a.known) || b.end - b.start - (a.end - a.start),
  );
  const kept: Name[] = [];
  for (const name of ranked) {
    if (kept.every((other) => name.end <= other.start || other.end <= name.start)) kept.push(name);
  }
  return kept.sort((a, b) => a.start - b.start);
}
