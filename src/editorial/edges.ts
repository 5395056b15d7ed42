/** Evidence that stands outside the features: spoken cues, paragraphs, greeting and farewell. */
import type { SentenceView } from './features.ts';
import type { Lexicon } from './lexicon/lexicon.ts';

/** Phrases of one show, beside those of the language. */
export interface ShowPhrases {
  cues: string[];
  greetings: string[];
  farewells: string[];
  /** How much silence counts; 1 is usual, 0 not at all. */
  pauseWeight: number;
}

/** Sentences before `intro` greet; those from `outro` on say farewell. */
export interface Edges {
  intro: number;
  outro: number;
}

/** What the rules add to the score of a gap. */
export interface RuleScore {
  cue: number;
  paragraph: number;
  edge: number;
  pause: number;
}

const INTRO_REACH = 6;
const OUTRO_REACH = 5;
/** Share of the sentences that may follow a sign-off: thanks, further links, who made it. */
const SIGN_OFF_REACH = 0.2;
const EDGE = 4;
const CUE = 3;
const AFTER_CUE = -3;
const PARAGRAPH = 2;
const NO_PARAGRAPH = -2.5;
/** For each 400 ms more than the usual silence, up to three times that; and where there is no more. */
const PAUSE = 1.2;
const PAUSE_UNIT = 400;
const LONGEST_PAUSE = 3;
const NO_PAUSE = -0.72;
/** Fewer silences tell nothing of a show's habit. */
const LEAST_PAUSES = 5;
const FORBIDDEN = -100;

/** Finds the sentences in which the programme itself speaks. */
export function edgesOf(sentences: SentenceView[], lexicon: Lexicon, show: ShowPhrases): Edges {
  const size = sentences.length;
  const greets = matcher(lexicon.greeting, show.greetings);
  const takesLeave = matcher(lexicon.farewell, show.farewells);
  let intro = 0;
  for (let i = 0; i < Math.min(INTRO_REACH, size - 1); i++) {
    const text = sentences[i]!.text.trim();
    if (greets(text)) intro = i + 1;
    else if (intro === i && i > 0 && lexicon.announcement.test(text)) intro = i + 1;
  }
  const last = Math.max(intro, size - OUTRO_REACH);
  const late = Math.max(intro, Math.min(last, Math.round(size * (1 - SIGN_OFF_REACH))));
  const found = sentences.findIndex(({ text }, i) => {
    const line = text.trim();
    return (i >= last && takesLeave(line)) || (i >= late && lexicon.signOff.test(line));
  });
  return { intro, outro: found <= 0 ? size : found };
}

/** What the rules add to the score of the gap before each sentence. */
export function ruleScores(
  sentences: SentenceView[],
  edges: Edges,
  lexicon: Lexicon,
  show: ShowPhrases,
): RuleScore[] {
  const isCue = matcher(lexicon.cueHead, show.cues);
  const cues = sentences.map(({ text }) => isCue(text.trimStart()));
  const paragraphs = sentences.filter(({ paragraph }) => paragraph).length;
  const useful = paragraphs >= 3 && paragraphs < 0.8 * (sentences.length - 1);
  const pauses = pauseScores(sentences, show.pauseWeight);
  return sentences.map(({ paragraph }, i) => ({
    // Where the programme itself begins or ends to speak, its breath says nothing more.
    pause: i === edges.intro || i === edges.outro ? Math.max(0, pauses[i]!) : pauses[i]!,
    cue: cueScore(i, cues, sentences, lexicon),
    paragraph: useful ? (paragraph ? PARAGRAPH : NO_PARAGRAPH) : 0,
    edge: edgeScore(i, edges, sentences.length),
  }));
}

/** A cue opens a story; a sentence that is nothing but a cue belongs to what follows it. */
function cueScore(i: number, cues: boolean[], sentences: SentenceView[], lexicon: Lexicon): number {
  const previous = sentences[i - 1];
  if (previous && cues[i - 1] && previous.text.trim().length < lexicon.limits.cue) return AFTER_CUE;
  return cues[i] ? CUE : 0;
}

/** A host draws breath between stories: how much longer a silence is than the usual one of the show. */
function pauseScores(sentences: readonly SentenceView[], weight: number): number[] {
  const heard = sentences.flatMap(({ pause }, i) => (i > 0 && pause ? [pause] : []));
  if (heard.length < LEAST_PAUSES) return sentences.map(() => 0);
  const usual = heard.sort((a, b) => a - b)[Math.floor(heard.length / 2)]!;
  return sentences.map(({ pause = 0 }) => {
    const excess = Math.min(LONGEST_PAUSE, Math.max(0, (pause - usual) / PAUSE_UNIT));
    return weight * (PAUSE * excess + NO_PAUSE);
  });
}

function edgeScore(i: number, { intro, outro }: Edges, size: number): number {
  if (i === 0) return 0;
  if (i < intro || (i > outro && i < size)) return FORBIDDEN;
  return i === intro || i === outro ? EDGE : 0;
}

function matcher(pattern: RegExp, phrases: string[]): (text: string) => boolean {
  return (text) => pattern.test(text) || phrases.some((phrase) => text.includes(phrase));
}
