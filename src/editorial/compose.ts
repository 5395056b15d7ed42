/** Draft → the issue that an editor goes on with: repaired text in sections, and marks where a person should look. */
import type { Settings } from '../config/settings.ts';
import type { Draft, DraftItem, DraftSource, Flag, Repair } from '../issue/draft.ts';
import type { Issue, Item, Section } from '../issue/issue.ts';
import type { Entry, Sentence, SourceText, Span } from '../issue/source.ts';
import { applyRepairs } from './repair/repair.ts';
import { splitSentences } from './sentences.ts';
import { columnsOf } from './story.ts';
import { printed, typeset } from './typography.ts';
import { spansWithin } from './within.ts';

/** What the file says of itself. */
export type IssueHead = Pick<Issue, 'id' | 'title' | 'date' | 'language'>;

/** A paragraph is closed when it has this many columns (a Chinese character counts two). */
const PARAGRAPH = 240;
/** So many of the best items are shown large, and at most one in so many. */
const LEADS = 3;
const ITEMS_FOR_A_LEAD = 5;
/** Items whose source nobody could place. */
const OTHER = { zh: '其他', en: 'Other' };

/** A source with what is known of its places, each list in the order of the text. */
interface OpenSource {
  text: string;
  sentences: Sentence[];
  repairs: Repair[];
  flags: Flag[];
  entries: readonly Entry[];
}

interface Desk {
  sources: Map<string, OpenSource>;
  /** Of each item, by its id. */
  headlines: Map<string, string>;
  language: 'zh' | 'en';
}

/** The sections stand in the order of the settings, the items in each by rank. */
export function composeIssue(
  draft: Draft,
  sources: readonly SourceText[],
  settings: Settings,
  head: IssueHead,
): Issue {
  const language = head.language.startsWith('zh') ? 'zh' : 'en';
  const desk: Desk = {
    language,
    headlines: new Map(draft.items.map(({ id, headline }) => [id, headline])),
    sources: new Map(
      draft.sources.map((read, at) => [read.name, open(sources[at] as SourceText, read)]),
    ),
  };
  const leads = Math.min(LEADS, Math.ceil(draft.items.length / ITEMS_FOR_A_LEAD));
  const items = draft.items.map((item, rank) => ({
    section: item.section,
    item: toItem(item, rank < leads, desk),
  }));
  const known = settings.sections.map(({ id, name }) => ({ id, name: name[language] }));
  const sections = [...known, { id: 'news', name: OTHER[language] }]
    .map(({ id, name }) =>
      toSection(
        id,
        name,
        items.filter(({ section }) => section === id).map(({ item }) => item),
      ),
    )
    .filter((section) => section.items.length > 0);
  return { ...head, opening: '', sections };
}

function open(
  { text, language, entries = [] }: SourceText,
  { repairs, flags }: DraftSource,
): OpenSource {
  const inOrder = (a: Span, b: Span) => a.start - b.start;
  return {
    text,
    sentences: splitSentences(text, language),
    repairs: repairs.toSorted(inOrder),
    flags: flags.toSorted(inOrder),
    entries,
  };
}

function toSection(id: string, name: string, items: Item[]): Section {
  return { id, name, held: false, ad: false, prose: '', items, line: 0 };
}

function toItem(item: DraftItem, lead: boolean, desk: Desk): Item {
  return {
    id: item.id,
    headline: literal(typeset(item.headline, desk.language)),
    lead,
    held: false,
    ad: false,
    body: [...headMarks(item, desk), ...paragraphs(item.source, desk)].join('\n\n'),
    links: item.links ?? [],
    line: 0,
  };
}

/** The item's sentences as repaired, in paragraphs; each mark stands behind the sentence that it is about. */
function paragraphs(place: DraftItem['source'], { sources, language }: Desk): string[] {
  const source = sources.get(place.name);
  if (!source) return [];
  const entry = source.entries.find(({ start }) => start === place.start);
  // The title of a feed's item is its headline already.
  const from = entry ? entry.start + entry.title.length : place.start;
  const result: string[] = [];
  let paragraph = '';
  for (const sentence of spansWithin(source.sentences, { start: from, end: place.end })) {
    const repaired = applyRepairs(source.text, source.repairs, sentence.start, sentence.end);
    const gap = paragraph && language === 'en' ? ' ' : '';
    paragraph += gap + literal(typeset(printed(repaired, language), language));
    paragraph += sentenceMarks(sentence, source, language);
    if (columnsOf(paragraph) >= PARAGRAPH) {
      result.push(paragraph);
      paragraph = '';
    }
  }
  // A last line of a few words belongs to the paragraph before it.
  if (paragraph && columnsOf(paragraph) < PARAGRAPH / 3 && result.length > 0)
    result[result.length - 1] += paragraph;
  else if (paragraph) result.push(paragraph);
  return result;
}

function sentenceMarks(
  sentence: Span,
  { text, repairs, flags: allFlags }: OpenSource,
  language: 'zh' | 'en',
): string {
  const suggestions = spansWithin(repairs, sentence)
    .filter((repair) => !repair.applied)
    .map(({ from, to }) =>
      language === 'zh' ? `“${from}”是否应为“${to}”？` : `“${from}”, or “${to}”?`,
    );
  const flags = spansWithin(allFlags, sentence).map(({ start, end, kind, why, words: meant }) => {
    const words = meant ?? text.slice(start, end);
    if (kind === 'evidence') return language === 'zh' ? `“${words}”？${why}` : `“${words}”? ${why}`;
    return language === 'zh'
      ? `核对“${words}”：与上下文不符`
      : `“${words}” runs against what stands around it`;
  });
  return [...suggestions, ...flags].map((words) => ` ${mark(words)}`).join('');
}

const REASONS: Record<string, { zh: string; en: string }> = {
  'section-uncertain': { zh: '栏目不确定', en: 'the section is uncertain' },
  'boundary-soft': { zh: '这一条的起止不确定', en: 'where the item begins or ends is uncertain' },
  'headline-late': { zh: '标题取自后文', en: 'the headline comes from later in the item' },
  'headline-weak': { zh: '标题没有说出新闻', en: 'the headline tells no news' },
};
const HEADLINE = { zh: '标题需要改写', en: 'the headline needs rewriting' };

const EARLIER = { zh: '先前报道', en: 'reported before' };
const SAME = { zh: '是否同一条新闻：', en: 'the same news?' };

/** Doubts about the item as a whole stand above its text, and what was told of it before. */
function headMarks(
  { needsReview, earlier, related = [] }: DraftItem,
  { language, headlines }: Desk,
): string[] {
  const words = needsReview.map((reason) => (REASONS[reason] ?? HEADLINE)[language]);
  const separator = language === 'zh' ? '；' : '; ';
  const doubts = words.length === 0 ? [] : [mark([...new Set(words)].join(separator))];
  const before = earlier ? [`${EARLIER[language]}: ${earlier.issue} ${earlier.headline}`] : [];
  const others = related.map((id) => `${SAME[language]} ${headlines.get(id) ?? id}`);
  return [...doubts, ...[...before, ...others].map(mark)];
}

/** A comment cannot hold its own end. */
function mark(words: string): string {
  return `<!-- check: ${words.replace(/-->/g, '→')} -->`;
}

/** Recognised speech is text, not Markdown: signs that would format it are escaped. */
function literal(text: string): string {
  return text.replace(/[\\`*_[\]<]/g, '\\$&').replace(/^(\s*)([#>+-]|\d+[.)])(?=\s)/, '$1\\$2');
}
