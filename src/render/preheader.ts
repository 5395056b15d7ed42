/** The line that an inbox shows after the subject. */
import type { Issue } from '../issue/issue.ts';
import { plainText } from '../issue/markdown.ts';
import { languageOf } from './words.ts';

/** What inboxes have room for, in columns of a Latin letter's width (H-15). */
const FEWEST = 40;
const MOST = 90;

/** Letters that take two columns: Chinese, Japanese, Korean, full-width forms, pictographs. */
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
const words = new Intl.Segmenter('und', { granularity: 'word' });

/** How wide a text stands in a list: a Chinese character counts 2, a letter 1. */
export function columns(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/**
 * The editor's own words, else the leading headlines, 40 to 90 columns where there is so much to say.
 * Never the subject again.
 */
export function preheaderOf(issue: Issue): string {
  if (issue.preheader !== undefined) return issue.preheader;
  const subject = issue.subject ?? issue.title;
  const separator = languageOf(issue.language) === 'zh' ? '；' : ' · ';
  const headlines = leadingHeadlines(issue).filter((headline) => headline !== subject);
  const line = gather(headlines, separator);
  return columns(line) < FEWEST ? gather([line, oneLine(issue.opening)], separator) : line;
}

/** Headlines in the order in which they matter: leads, then the rest; advertisements never. */
function leadingHeadlines({ sections }: Issue): string[] {
  const items = sections
    .filter((section) => !section.held && !section.ad)
    .flatMap((section) => section.items)
    .filter((item) => !item.held && !item.ad);
  const ranked = [...items.filter((item) => item.lead), ...items.filter((item) => !item.lead)];
  return ranked.map((item) => oneLine(item.headline));
}

function oneLine(markdown: string): string {
  return plainText(markdown).replace(/\s+/g, ' ').trim();
}

/** Whole phrases while they fit; one is cut only where the line would stay too short without it. */
function gather(phrases: string[], separator: string): string {
  let line = '';
  for (const phrase of phrases.filter(Boolean)) {
    const longer = line ? line + separator + phrase : phrase;
    if (columns(longer) > MOST) return columns(line) < FEWEST ? cut(longer, MOST) : line;
    line = longer;
  }
  return line;
}

/** Whole words as far as they fit. */
function cut(text: string, most: number): string {
  let kept = '';
  for (const { segment } of words.segment(text)) {
    if (columns(`${kept}${segment}…`) > most) break;
    kept += segment;
  }
  return `${kept.replace(/[\s\p{P}]+$/u, '')}…`;
}
