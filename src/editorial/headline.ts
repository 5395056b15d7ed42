/**
 * Story → headline. A headline is a stretch of one of its first sentences, cut only between clauses
 * or words; at most the subject of the same sentence is put before a later clause. What does not read
 * like a headline is marked for the editor.
 */
import { COLUMNS, candidatesIn, firstClause } from './leads.ts';
import type { Lexicon } from './lexicon/lexicon.ts';
import { columnsOf, namesOf, type Story } from './story.ts';

export interface Headline {
  text: string;
  /** Why a person should look at it; empty: it reads like a headline. */
  doubts: string[];
}

/** Sentences that may hold the news. */
const REACH = 5;
/** Below this even the best candidate needs a person. */
const WEAK_SCORE = 1.2;

/** The best headline of a story that the rules find. */
export function headlineOf(story: Story): Headline {
  const candidates = story.sentences
    .slice(0, REACH)
    .flatMap((sentence, i) => candidatesIn(sentence, i, story.lexicon))
    .sort((a, b) => b.score - a.score);
  const names = namesOf(story).map(({ text }) => text);
  const sound = candidates.find(({ text }) => lint(text, names, story.lexicon).length === 0);
  if (sound?.sentence !== 0) {
    // The news itself, a little long, serves the editor better than a later sentence that fits.
    const long = candidates.find(
      ({ text, sentence }) => sentence === 0 && isOnlyLong(text, names, story.lexicon),
    );
    if (long) return { text: long.text, doubts: ['headline-length'] };
  }
  if (!sound) return fallback(story, names);
  const doubts: string[] = [];
  if (sound.score < WEAK_SCORE) doubts.push('headline-weak');
  if (sound.sentence > 0) doubts.push('headline-late');
  return { text: sound.text, doubts };
}

/** Columns, as a share of the limit, up to which a headline is only long. */
const LONG = 1.5;

function isOnlyLong(text: string, names: string[], lexicon: Lexicon): boolean {
  const { most } = COLUMNS[lexicon.language];
  const columns = columnsOf(text);
  if (columns <= most || columns > LONG * most) return false;
  return lint(text, names, lexicon).length === 1;
}

/**
 * What is wrong with a headline, as reasons of `needsReview`.
 * @param names of its story
 */
export function lint(text: string, names: string[], lexicon: Lexicon): string[] {
  const { least, most } = COLUMNS[lexicon.language];
  const columns = columnsOf(text);
  const named = /\d/.test(text) || names.some((name) => text.includes(name));
  const checks: [string, boolean][] = [
    ['headline-length', columns < least || columns > most],
    ['headline-without-name', !named],
    ['headline-fragment', isFragment(withoutSource(text, lexicon), lexicon)],
    ['headline-question', /[?？]/.test(text) || lexicon.address.test(text)],
  ];
  return checks.filter(([, wrong]) => wrong).map(([reason]) => reason);
}

/** `《华尔街日报》：` in front is no part of the sentence. */
function withoutSource(text: string, { titleMarks }: Lexicon): string {
  const [open, close] = titleMarks;
  const end = text.startsWith(open) ? text.indexOf(close) : -1;
  return end < 0 ? text : text.slice(end + close.length);
}

function isFragment(text: string, lexicon: Lexicon): boolean {
  const { pronounHead, connectiveHead, additionHead, definiteHead, asideHead } = lexicon;
  const { fragmentHead, fragmentTail, strongVerb, weakVerb, copula } = lexicon;
  const heads = [pronounHead, connectiveHead, additionHead, definiteHead, asideHead, fragmentHead];
  const hangs = heads.some((head) => head.test(text)) || fragmentTail.test(text);
  const says = [strongVerb, weakVerb, copula].some((verb) => verb.test(text));
  return hangs || !says || endsInPhrase(text, lexicon) || !isBalanced(text);
}

/** A last clause that is nothing but `with A, B` waits for its verb. */
function endsInPhrase(text: string, { language, strongVerb, weakVerb, copula }: Lexicon): boolean {
  const last = text.slice(text.lastIndexOf('，') + 1);
  if (language !== 'zh' || last === text || !/^[与同和向对在为由从据将把]/u.test(last))
    return false;
  return ![strongVerb, weakVerb, copula].some((verb) => verb.test(last.slice(1)));
}

/** Quotes and brackets open and close. */
function isBalanced(text: string): boolean {
  const pairs = ['“”', '‘’', '「」', '『』', '《》', '（）', '()', '【】', '[]'];
  const straight = (text.split('"').length - 1) % 2 === 0;
  return (
    straight && pairs.every((pair) => text.split(pair[0]!).length === text.split(pair[1]!).length)
  );
}

/** No sound candidate: the name and the first clause, for the editor to rewrite. */
function fallback(story: Story, names: string[]): Headline {
  const { language } = story.lexicon;
  const first = story.sentences[0];
  const clause = first ? firstClause(first, story.lexicon) : '';
  const [name] = names;
  const colon = language === 'zh' ? '：' : ': ';
  const named = name && !clause.includes(name) ? `${name}${colon}${clause}` : clause;
  const text = shorten(named, COLUMNS[language].most);
  return { text, doubts: ['headline-unsound', ...lint(text, names, story.lexicon)] };
}

function shorten(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = '';
  for (const character of text) {
    if (columnsOf(kept + character) > columns - 2) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}
