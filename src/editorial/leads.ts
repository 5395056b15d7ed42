/** Sentence → stretches of it that may stand as a headline, with how much each is worth. */
import { type Clause, clausesOf, trim } from './clauses.ts';
import type { Lexicon } from './lexicon/lexicon.ts';
import type { Name } from './names.ts';
import { columnsOf, type StorySentence } from './story.ts';
import { tokenize } from './tokens.ts';
import { printed } from './typography.ts';

export interface Candidate {
  text: string;
  /** Higher is better; only comparisons count. */
  score: number;
  /** Index of its sentence. */
  sentence: number;
}

/** A sentence without what leads in to it: cue, date, who reported it. */
interface Lead {
  clauses: Clause[];
  /** The medium that reported it. */
  medium: Name | undefined;
}

/** Columns of a headline. */
export const COLUMNS = { zh: { least: 14, most: 56 }, en: { least: 18, most: 96 } };

/** What a later place in the story, a later clause, each clause more, and a joined subject cost. */
const COST = { sentence: 0.8, clause: 0.2, run: 0, joined: 0.3, cut: 0.2 };
const LONGEST_RUN = 3;
const SUBJECT_COLUMNS = 24;
/** Characters before the name with which a subject ends. */
const APPOSITION = 8;
const SUBJECT_TAIL = /^(?:的?(?:研究者|研究人员|研究团队|团队|公司|官方|集团|科学家|工程师))/u;
/** What gives way to a subject that is put before a clause. */
const STAND_IN = /^(?:它们|它|其|并|且|还|也|同时|随后|进而)(?!中|他|次|余)/u;
const ABBREVIATED = /^(?:简称|又称|缩写为|简写为)/u;
const NEW_CLAUSE =
  /^\W*(?:which|who|whose|but|so|while|as|because|although|though|after|before|when|where|citing|saying|according|making|giving|it|he|she|they|we|the|a)\b/i;
/** Words before which a clause that is too long may end. */
const JOINTS = {
  zh: new Set(['并', '用于', '旨在', '以便']),
  en: new Set(['which', 'after', 'because', 'while', 'although']),
};

/** Candidates of one sentence. */
export function candidatesIn(
  sentence: StorySentence,
  index: number,
  lexicon: Lexicon,
): Candidate[] {
  const { clauses, medium } = leadOf(sentence, lexicon);
  const source = sourceMark(medium, lexicon);
  const subject = subjectOf(clauses[0], sentence, lexicon);
  return clauses.flatMap((first, i) =>
    clauses.slice(i, i + LONGEST_RUN).flatMap((last, run) => {
      if (!mayEndAt(last, sentence.text, lexicon)) return [];
      const text = withoutTopicComma(sentence, first, last);
      const cost = COST.sentence * index + COST.clause * i + COST.run * run;
      const stands = i === 0 || beginsWithName(first, sentence);
      return variantsOf(text, stands, i > 0 ? subject : '', lexicon).map((variant) => ({
        text: source + capitalised(printed(variant.text, lexicon.language), lexicon),
        score: newsValue(variant.text, sentence, lexicon) - cost - variant.cost,
        sentence: index,
      }));
    }),
  );
}

/** An English comma may stand in a list: only what opens a new clause behind it ends the one before. */
function mayEndAt({ end }: Clause, text: string, { language }: Lexicon): boolean {
  if (language === 'zh') return true;
  const rest = text.slice(end);
  return !/^["'”’)]*,/.test(rest) || NEW_CLAUSE.test(rest);
}

/** A later clause has a subject of its own where a name begins it. */
function beginsWithName({ start }: Clause, { names }: StorySentence): boolean {
  return names.some((name) => name.start >= start && name.start - start <= 2);
}

/** The first clause of a sentence that is more than a lead-in. */
export function firstClause(sentence: StorySentence, lexicon: Lexicon): string {
  return printed(leadOf(sentence, lexicon).clauses[0]?.text ?? sentence.text, lexicon.language);
}

function sourceMark(medium: Name | undefined, { language, titleMarks }: Lexicon): string {
  const name = language === 'zh' ? (medium?.han ?? medium?.text) : medium?.text;
  return name ? titleMarks[0] + name + titleMarks[1] : '';
}

/** A stretch as it is; with the subject of its sentence; without its end where it is too long. */
function variantsOf(text: string, stands: boolean, subject: string, lexicon: Lexicon) {
  const { most } = COLUMNS[lexicon.language];
  const whole = stands ? [{ text, cost: 0 }] : [];
  const joined =
    subject && !stands && lacksSubject(text, lexicon)
      ? [{ text: withSubject(subject, text), cost: COST.joined }]
      : [];
  const tooLong = stands && columnsOf(text) > most && clausesOf(text, lexicon).length === 1;
  return [...whole, ...joined, ...(tooLong ? shortened(text, lexicon, most) : [])];
}

/** The stretch up to the last joint at which it is short enough. */
function shortened(text: string, { language }: Lexicon, most: number) {
  const joints = tokenize(text)
    .filter((token) => JOINTS[language].has(token.text.toLowerCase()))
    .map(({ start }) => start);
  const commas = [...text.matchAll(/、/gu)].map(({ index }) => index);
  const heads = [...joints, ...commas]
    .map((end) => text.slice(0, end).trimEnd())
    .filter((head) => columnsOf(head) <= most && columnsOf(head) >= most / 2)
    .sort((a, b) => b.length - a.length);
  return heads.slice(0, 1).map((head) => ({ text: head, cost: COST.cut }));
}

/** The run of clauses; a first clause that is nothing but a name is the subject of the next. */
function withoutTopicComma({ text, names }: StorySentence, first: Clause, last: Clause): string {
  const rest = text.slice(first.end, last.end);
  const topic = names.some(({ start, end }) => start === first.start && end === first.end);
  return topic ? withSubject(first.text, rest.replace(/^[，,]\s*/u, '')) : first.text + rest;
}

/** Strips cue, date and attribution from the head of a sentence. */
function leadOf(sentence: StorySentence, lexicon: Lexicon): Lead {
  const clauses = clausesOf(sentence.text, lexicon);
  let medium: Name | undefined;
  while (clauses.length > 1) {
    const first = clauses[0]!;
    if (lexicon.attributionClause.test(first.text)) medium = mediumIn(first, sentence) ?? medium;
    else if (!isLeadIn(first.text, lexicon)) break;
    clauses.shift();
  }
  return { clauses: clauses.map((clause) => withoutHead(clause, sentence.text, lexicon)), medium };
}

function mediumIn({ start, end }: Clause, { names }: StorySentence): Name | undefined {
  return names.find((name) => name.type === 'media' && name.start >= start && name.end <= end);
}

function isLeadIn(text: string, lexicon: Lexicon): boolean {
  if (lexicon.leadInClause.test(text)) return true;
  const rest = text.replace(lexicon.cueHead, '').replace(lexicon.dateHead, '');
  return rest.length < text.length && columnsOf(rest) <= 6;
}

/** The clause without a date, a cue or `简称` at its head. */
function withoutHead(clause: Clause, text: string, lexicon: Lexicon): Clause {
  const heads = [lexicon.cueHead, lexicon.dateHead, ABBREVIATED];
  const head = heads
    .map((pattern) => pattern.exec(clause.text)?.[0].length ?? 0)
    .find((n) => n > 0);
  const start = clause.start + (head ?? 0);
  return start < clause.end && head ? trim(text, start, clause.end) : clause;
}

/** The name with which a sentence begins, as the subject of its later clauses. */
function subjectOf(clause: Clause | undefined, sentence: StorySentence, lexicon: Lexicon): string {
  if (!clause || lexicon.language !== 'zh') return '';
  const name = sentence.names.find(({ start, end }) => start >= clause.start && end <= clause.end);
  if (!name || name.start - clause.start > APPOSITION) return '';
  const tail = SUBJECT_TAIL.exec(sentence.text.slice(name.end))?.[0] ?? '';
  const subject = sentence.text.slice(clause.start, name.end) + tail;
  const rest = sentence.text.slice(name.end + tail.length).trimStart();
  if (rest && !/^\p{P}/u.test(rest) && !beginsWithPredicate(rest, lexicon)) return '';
  const holdsVerb = lexicon.strongVerb.test(subject) || /[的在对向与和同]/.test(subject);
  return holdsVerb || columnsOf(subject) > SUBJECT_COLUMNS ? '' : subject;
}

/** A clause that begins with its verb, or with a word that stands for the subject. */
function lacksSubject(text: string, lexicon: Lexicon): boolean {
  return STAND_IN.test(text) || beginsWithPredicate(text, lexicon);
}

function beginsWithPredicate(text: string, lexicon: Lexicon): boolean {
  if (lexicon.predicateHead.test(text)) return true;
  return [lexicon.strongVerb, lexicon.weakVerb].some((verb) => verb.exec(text)?.index === 0);
}

function withSubject(subject: string, text: string): string {
  const predicate = text.replace(STAND_IN, '');
  const latin = /[\w)]$/.test(subject) && /^\w/.test(predicate);
  return `${subject}${latin ? ' ' : ''}${predicate}`;
}

function capitalised(text: string, { language }: Lexicon): string {
  return language === 'zh' ? text : text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

/** How much a stretch of text says that is news. */
function newsValue(text: string, sentence: StorySentence, lexicon: Lexicon): number {
  const named = sentence.names.filter((name) => text.includes(name.text));
  const verb = lexicon.strongVerb.test(text) ? 2 : lexicon.weakVerb.test(text) ? 0.8 : -0.5;
  const asks = /[?？]/.test(text) || lexicon.address.test(text);
  const points = lexicon.anaphor.test(text.slice(0, lexicon.windows.anaphor));
  return (
    verb +
    Math.min(1.6, 0.8 * new Set(named.map(({ key }) => key)).size) +
    (/\d/.test(text) ? 0.5 : 0) +
    (lexicon.superlative.test(text) ? 0.4 : 0) -
    (lexicon.asideHead.test(text) ? 2 : 0) -
    (points ? 0.7 : 0) -
    (asks ? 1.5 : 0) -
    (columnsOf(text) < COLUMNS[lexicon.language].most / 3 ? 0.4 : 0)
  );
}
