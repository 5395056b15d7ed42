/** Story → summary: its first two sentences that inform. */
import { clausesOf } from './clauses.ts';
import type { Lexicon } from './lexicon/lexicon.ts';
import type { Story } from './story.ts';
import { printed } from './typography.ts';

/** A second sentence that is an aside gives way to one with a number or the state of things. */
const STATUS = /\d|目前|未来|预计|计划|尚未|now|currently|will|plan|expect/iu;

/** At most 130 characters in Chinese, 300 in English; never empty for a story with text. */
export function summaryOf(story: Story): string {
  const { lexicon } = story;
  const sentences = story.sentences
    .map(({ text }) => printed(text, lexicon.language))
    .filter((text) => text !== '');
  const informing = sentences.filter((text) => informs(text, lexicon));
  const [lead = sentences[0] ?? '', ...others] = informing;
  const opening = shorten(lead, lexicon);
  const second = others.find((text, i) => (i === 0 ? !isAside(text, lexicon) : STATUS.test(text)));
  if (!second) return opening;
  const joined = `${opening}${lexicon.language === 'zh' ? '' : ' '}${withoutAddition(second, lexicon)}`;
  return joined.length <= lexicon.limits.summary ? joined : opening;
}

/** Cue, question and listener address say nothing of the story. */
function informs(text: string, lexicon: Lexicon): boolean {
  if (/[?？]["'”’」]?$/.test(text) || lexicon.address.test(text)) return false;
  return !(lexicon.cueHead.test(text) && text.length < lexicon.limits.cue);
}

function isAside(text: string, lexicon: Lexicon): boolean {
  return lexicon.asideHead.test(text) && !STATUS.test(text);
}

/** 另外 and its like tie a sentence to one that may not stand here. */
function withoutAddition(text: string, lexicon: Lexicon): string {
  const bare = text.replace(lexicon.additionHead, '').replace(/^[，,\s]+/u, '');
  return bare.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

/** The sentence without cue, and without its last clauses where it is too long. */
function shorten(text: string, lexicon: Lexicon): string {
  const bare = text.replace(lexicon.cueHead, '').replace(/^[，,\s]+/u, '') || text;
  const { summary } = lexicon.limits;
  if (bare.length <= summary) return bare;
  const stop = lexicon.language === 'zh' ? '。' : '.';
  const fitting = clausesOf(bare, lexicon).filter(({ end }) => end < summary);
  const end = fitting.at(-1)?.end ?? summary - 1;
  return `${bare.slice(0, end)}${fitting.length > 0 ? stop : '…'}`;
}
