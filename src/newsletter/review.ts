/** The draft beside its source: what the machine changed or doubts, and an editor's word on each of it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { typeset } from '../editorial/typography.ts';
import { blockedError, inputError } from '../errors.ts';
import { difference } from '../issue/difference.ts';
import type { Draft, DraftItem, Flag, Place, Repair } from '../issue/draft.ts';
import { replaceSpan, spanOfMark } from '../issue/edit.ts';
import type { IssueId, Item } from '../issue/issue.ts';
import { findChecks } from '../issue/parse.ts';
import type { Span } from '../issue/source.ts';
import { readSource } from '../sources/read.ts';
import { type Desk, sha256 } from './draft.ts';
import { writeAtomically } from './files.ts';
import { type IssueFile, issueDir, readIssue } from './issues.ts';

export interface Review {
  issue: IssueId;
  file: string;
  /** `sha256:…` of issue.md: a decision names what it was made on. */
  hash: string;
  /** In the order of the file; what the editor has dropped comes last. */
  items: ReviewedItem[];
}

export interface ReviewedItem {
  id: string;
  headline: string;
  /** Of its heading in the file; null where the editor has dropped it. */
  line: number | null;
  /** As it stands in the file, without its heading. */
  text: string;
  /** Where it comes from, and the words there. */
  source: Place;
  passage: string;
  /** Offsets into the passage. */
  repairs: ReviewedRepair[];
  flags: Flag[];
  /** Offsets into `text`. */
  marks: ReviewedMark[];
}

/**
 * `open`: suggested, and nobody has said anything. `accepted`: the new word stands. `rejected`: the old one does.
 * `edited`: neither, for the editor has written it anew.
 */
export type RepairState = 'open' | 'accepted' | 'rejected' | 'edited';

export interface ReviewedRepair extends Repair {
  /** Names it in a decision. */
  key: string;
  state: RepairState;
  /** Where its word stands in the item's `text`. */
  at: Span | null;
}

export interface ReviewedMark extends Span {
  key: string;
  words: string;
  /** The suggestion that it is about. */
  repair: string | null;
}

export interface Decision {
  /** Of the file that was looked at. */
  hash: string;
  key: string;
  /** Of a repair: the new word, or the old one. A mark is settled either way. */
  verdict: 'accept' | 'reject';
}

/** @throws BroadsheetError `draft-missing`, or as `readIssue` and `readSource` */
export async function review(desk: Desk, id: IssueId): Promise<Review> {
  const file = readIssue(desk, id);
  const draft = readDraft(desk, id);
  const texts = await sourceTexts(desk, id, draft);
  const standing = new Map(
    file.issue.sections.flatMap(({ items }) => items).map((item) => [item.id, item]),
  );
  const items = draft.items.map((item) =>
    reviewItem(item, standing.get(item.id), file, draft, texts),
  );
  const last = Number.POSITIVE_INFINITY;
  items.sort((a, b) => (a.line ?? last) - (b.line ?? last));
  return { issue: id, file: file.file, hash: sha256(file.text), items };
}

/**
 * Carries out one decision: changes its span of issue.md, and no other byte.
 * @throws BroadsheetError `issue-changed` when the file is not what was looked at; `decision-unknown`
 */
export async function decide(desk: Desk, id: IssueId, decision: Decision): Promise<Review> {
  const file = readIssue(desk, id);
  if (sha256(file.text) !== decision.hash) throw changedMeanwhile(file.file);
  const { items } = await review(desk, id);
  const edited = items.map((item) => edit(file, item, decision)).find((text) => text !== undefined);
  if (edited === undefined) throw decisionUnknown(decision.key);
  if (readFileSync(file.path, 'utf8') !== file.text) throw changedMeanwhile(file.file);
  writeAtomically(file.path, edited);
  return review(desk, id);
}

function reviewItem(
  item: DraftItem,
  standing: Item | undefined,
  file: IssueFile,
  draft: Draft,
  texts: ReadonlyMap<string, string>,
): ReviewedItem {
  const { start, end, name } = item.source;
  const passage = (texts.get(name) ?? '').slice(start, end);
  const from = draft.sources.find((source) => source.name === name);
  const inside = <Kind extends Span>(spans: readonly Kind[] = []): Kind[] =>
    spans
      .filter((span) => span.start >= start && span.end <= end)
      .map((span) => ({ ...span, start: span.start - start, end: span.end - start }));
  const text = standing ? textOf(file, standing).text : '';
  const places = standing ? placesIn(passage, text) : undefined;
  const repairs = inside(from?.repairs).map((repair) => ({
    ...repair,
    key: `repair:${name}:${repair.start + start}`,
    ...standingOf(repair, text, places),
  }));
  const marks = marksIn(item.id, text, repairs);
  for (const repair of repairs)
    if (repair.state === 'rejected' && marks.some((mark) => mark.repair === repair.key))
      repair.state = 'open';
  return {
    id: item.id,
    headline: standing?.headline ?? item.headline,
    line: standing?.line ?? null,
    text,
    source: item.source,
    passage,
    repairs,
    flags: inside(from?.flags),
    marks,
  };
}

/** The item's words in the file, and the offset at which they begin. */
function textOf({ text, issue }: IssueFile, { line }: Item): { text: string; offset: number } {
  const starts = [0, ...[...text.matchAll(/\r\n?|\n/g)].map((end) => end.index + end[0].length)];
  const headings = issue.sections.flatMap((section) => [
    section.line,
    ...section.items.map((item) => item.line),
  ]);
  const next = Math.min(...headings.filter((each) => each > line));
  const begin = starts[line] ?? text.length;
  const end = Number.isFinite(next) ? (starts[next - 1] as number) : text.length;
  const offset = begin + (/^\s*/.exec(text.slice(begin, end))?.[0].length ?? 0);
  return { text: text.slice(offset, end).trimEnd(), offset };
}

/** For each character of the passage where it stands in the item's text; -1: it does not. */
function placesIn(passage: string, text: string): Int32Array {
  const places = new Int32Array(passage.length).fill(-1);
  for (const { kind, before, after, length } of difference(passage.split(''), text.split(''))) {
    if (kind !== 'same') continue;
    for (let n = 0; n < length; n += 1) places[before + n] = after + n;
  }
  return places;
}

/** Characters beside a repair in which its neighbours have to be found again. */
const NEAR = 4;

/** Looks between the words that stood around the repair, wherever these are now. */
function standingOf(
  repair: Repair,
  text: string,
  places: Int32Array | undefined,
): Pick<ReviewedRepair, 'state' | 'at'> {
  const nowhere = { state: 'edited', at: null } as const;
  if (!places) return nowhere;
  const left = neighbour(places, repair.start - 1, -1);
  const right = neighbour(places, repair.end, 1);
  if (left === undefined && right === undefined) return nowhere;
  const reach = repair.to.length + repair.from.length + 2 * NEAR;
  const start = left === undefined ? Math.max(0, (right as number) - reach) : left + 1;
  const end = right ?? Math.min(text.length, start + reach);
  if (end - start > reach) return nowhere;
  const between = text.slice(start, end);
  // The longer word first: it may hold the other one.
  const words = [repair.to, repair.from].sort((a, b) => b.length - a.length);
  for (const word of words.flatMap((each) => [each, typeset(each, 'zh')])) {
    const found = between.indexOf(word);
    if (found < 0) continue;
    const state = word === repair.from ? 'rejected' : 'accepted';
    return { state, at: { start: start + found, end: start + found + word.length } };
  }
  return nowhere;
}

function neighbour(places: Int32Array, from: number, step: 1 | -1): number | undefined {
  for (let at = from; Math.abs(at - from) < NEAR; at += step) {
    const place = places[at];
    if (place === undefined) return undefined;
    if (place >= 0) return place;
  }
  return undefined;
}

function marksIn(item: string, text: string, repairs: readonly ReviewedRepair[]): ReviewedMark[] {
  const lines = text.split(/(?<=\r\n|\r(?!\n)|\n)/);
  const told = new Set<ReviewedRepair>();
  return findChecks(text).map(({ text: words, line, column }) => {
    const start = lines.slice(0, line - 1).join('').length + column - 1;
    const end = text.indexOf('-->', start) + 3;
    // A word that is misheard twice in a sentence has two marks after it, in its order.
    const about = repairs.find(
      (repair) => !repair.applied && !told.has(repair) && isAbout(words, start, repair),
    );
    if (about) told.add(about);
    return { key: `mark:${item}:${start}`, start, end, words, repair: about?.key ?? null };
  });
}

function isAbout(words: string, mark: number, { from, to, at }: ReviewedRepair): boolean {
  return at !== null && at.start < mark && words.includes(`“${from}”`) && words.includes(to);
}

/** The file with the decision carried out; undefined where the item knows nothing of it. */
function edit(file: IssueFile, item: ReviewedItem, decision: Decision): string | undefined {
  const standing = file.issue.sections
    .flatMap(({ items }) => items)
    .find(({ id }) => id === item.id);
  if (!standing) return undefined;
  const { offset } = textOf(file, standing);
  const { key } = decision;
  const moved = ({ start, end }: Span): Span => ({ start: start + offset, end: end + offset });
  const repair = item.repairs.find((each) => each.key === key);
  const mark = item.marks.find((each) => each.key === key || (repair && each.repair === key));
  // The later span first, so that the earlier one stays where it is.
  let { text } = file;
  if (mark) text = replaceSpan(text, spanOfMark(text, moved(mark)), '');
  const about = repair ?? item.repairs.find((each) => each.key === mark?.repair);
  if (about?.at) {
    const word = decision.verdict === 'accept' ? about.to : about.from;
    const stands = about.state === 'accepted' ? 'accept' : 'reject';
    if (stands !== decision.verdict) text = replaceSpan(text, moved(about.at), word);
  }
  return mark || about?.at ? text : undefined;
}

function readDraft(desk: Desk, id: IssueId): Draft {
  const path = join(issueDir(desk, id), 'draft.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Draft;
  throw inputError('draft-missing', `There is no issues/${id}/draft.json`, {
    hint: 'Only what was drafted can be reviewed beside its source.',
  });
}

/** Sources that have gone leave their passages empty. */
async function sourceTexts(desk: Desk, id: IssueId, draft: Draft): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const { name } of draft.sources) {
    const path = join(issueDir(desk, id), name);
    if (existsSync(path)) texts.set(name, (await readSource(path)).text);
  }
  return texts;
}

function changedMeanwhile(file: string) {
  return blockedError('issue-changed', 'The file changed meanwhile; nothing was written', {
    file,
    hint: 'Look at it as it is now, and decide again.',
  });
}

function decisionUnknown(key: string) {
  return inputError('decision-unknown', `There is nothing to decide on at "${key.slice(0, 80)}"`, {
    hint: 'Its words stand no more where they stood.',
  });
}
