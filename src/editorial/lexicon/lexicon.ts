/** What the engine knows about a language: plain lists (zh.ts, en.ts), compiled to patterns here. */
import { english } from './en.ts';
import { chinese } from './zh.ts';

/** The lists of one language. Every list holds words or, where it says so, pattern sources. */
export interface WordLists {
  language: 'zh' | 'en';
  /** Characters at the head of a sentence in which a new name, a verb, an anaphor counts. */
  windows: { name: number; verb: number; anaphor: number };
  /** Characters of a typical sentence and of a typical item. */
  typical: { sentence: number; item: number };
  /** Characters of a summary at most, and of a sentence that is nothing but a cue. */
  limits: { summary: number; cue: number };
  /** Words that carry no topic. */
  stopWords: string;
  /** Verbs that report news, and verbs that may. Pattern sources in en. */
  strongVerbs: string;
  weakVerbs: string;
  /** Openers that tie a sentence to the one before it. */
  pronouns: string;
  connectives: string;
  additions: string;
  /** Pattern sources: what introduces a name. */
  coinings: string[];
  /** Openers of something not heard of before: a place, an indefinite noun. */
  freshHeads: string;
  definites: string;
  /** Words near the head that point back. */
  anaphors: string;
  /** Phrases that close a story. */
  closings: string;
  /** Phrases with which a host opens the next story. */
  cues: string;
  /** Pattern sources: the programme greets, announces itself, says farewell. */
  greetings: string[];
  announcements: string[];
  farewells: string[];
  /** Pattern sources: what ends the news for good, however much thanks may follow. */
  signOffs: string[];
  /** Pattern sources: a date at the head; who reported it. */
  dates: string[];
  attributions: string[];
  /** Pattern sources: a clause that says nothing but who reported it. */
  attributionClauses: string[];
  /** Pattern sources: a clause that only sets the scene for the next. */
  leadInClauses: string[];
  /** What follows a subject. */
  predicateHeads: string;
  /** Openers of examples, purposes, asides and explanations: no place for a headline. */
  asides: string;
  /** The listener is addressed. */
  addresses: string;
  /** Words of impact, and words that say how much. */
  superlatives: string;
  /** Latin tokens that name nothing in particular. */
  generic: string;
  /** Verbs too common to tell news, which still make a sentence. */
  copulas: string;
  /** Pattern sources: what no headline begins or ends with. */
  fragmentHeads: string[];
  fragmentTails: string[];
  /** What stands around the medium that reported a story, before its headline. */
  titleMarks: [string, string];
}

/** The same, ready to match. Patterns that end in `Head` are anchored at the start of a sentence. */
export interface Lexicon {
  language: 'zh' | 'en';
  windows: WordLists['windows'];
  typical: WordLists['typical'];
  limits: WordLists['limits'];
  stopWords: ReadonlySet<string>;
  generic: ReadonlySet<string>;
  strongVerb: RegExp;
  weakVerb: RegExp;
  pronounHead: RegExp;
  connectiveHead: RegExp;
  additionHead: RegExp;
  coining: RegExp;
  freshHead: RegExp;
  definiteHead: RegExp;
  anaphor: RegExp;
  closing: RegExp;
  cueHead: RegExp;
  greeting: RegExp;
  announcement: RegExp;
  farewell: RegExp;
  signOff: RegExp;
  dateHead: RegExp;
  attributionHead: RegExp;
  attributionClause: RegExp;
  leadInClause: RegExp;
  predicateHead: RegExp;
  asideHead: RegExp;
  address: RegExp;
  superlative: RegExp;
  copula: RegExp;
  fragmentHead: RegExp;
  fragmentTail: RegExp;
  titleMarks: [string, string];
}

const compiled = { zh: compile(chinese), en: compile(english) };

/** The lexicon for a BCP 47 language; whatever is not Chinese is read as English. */
export function lexiconFor(language: string): Lexicon {
  return language.toLowerCase().startsWith('zh') ? compiled.zh : compiled.en;
}

/** One word or phrase per line or comma. */
export function listOf(words: string): string[] {
  return words
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function compile(lists: WordLists): Lexicon {
  const { language, windows, typical, limits } = lists;
  const any = (words: string) => anyOf(listOf(words), language);
  const head = (words: string) => new RegExp(`^${any(words).source}`, 'iu');
  const sources = (list: string[], anchor = '') =>
    new RegExp(`${anchor}(?:${list.join('|')})`, 'iu');
  const whole = (list: string[]) => new RegExp(`^(?:${list.join('|')})$`, 'iu');
  return {
    language,
    windows,
    typical,
    limits,
    stopWords: new Set(listOf(lists.stopWords)),
    generic: new Set(listOf(lists.generic).map((word) => word.toLowerCase())),
    strongVerb: any(lists.strongVerbs),
    weakVerb: any(lists.weakVerbs),
    pronounHead: head(lists.pronouns),
    connectiveHead: head(lists.connectives),
    additionHead: head(lists.additions),
    coining: sources(lists.coinings),
    freshHead: head(lists.freshHeads),
    definiteHead: head(lists.definites),
    anaphor: any(lists.anaphors),
    closing: any(lists.closings),
    cueHead: head(lists.cues),
    greeting: sources(lists.greetings),
    announcement: sources(lists.announcements),
    farewell: sources(lists.farewells),
    signOff: sources(lists.signOffs, '^'),
    dateHead: sources(lists.dates, '^'),
    attributionHead: sources(lists.attributions, '^'),
    attributionClause: whole(lists.attributionClauses),
    leadInClause: whole(lists.leadInClauses),
    predicateHead: head(lists.predicateHeads),
    asideHead: head(lists.asides),
    address: any(lists.addresses),
    superlative: any(lists.superlatives),
    copula: any(lists.copulas),
    fragmentHead: sources(lists.fragmentHeads, '^'),
    fragmentTail: new RegExp(`(?:${lists.fragmentTails.join('|')})$`, 'iu'),
    titleMarks: lists.titleMarks,
  };
}

/** Longest first, so that 不过 is not found as 不. English words match whole. */
function anyOf(words: string[], language: 'zh' | 'en'): RegExp {
  const sorted = [...words].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const source = sorted.join('|');
  return new RegExp(language === 'zh' ? `(?:${source})` : `\\b(?:${source})\\b`, 'iu');
}
