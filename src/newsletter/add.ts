/** `draft --add`: more sources for an issue that stands. Not a word that stands is touched. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeIssue } from '../editorial/compose.ts';
import { draftSources } from '../editorial/draft.ts';
import { placesOf } from '../editorial/followups.ts';
import { inputError } from '../errors.ts';
import type { Draft, DraftItem } from '../issue/draft.ts';
import { formatDraft } from '../issue/draft-json.ts';
import { addItem, addLinks } from '../issue/edit.ts';
import type { Issue, IssueId, Item, Link } from '../issue/issue.ts';
import { parseIssue } from '../issue/parse.ts';
import type { SourceText } from '../issue/source.ts';
import { type Desk, type DraftInput, keepSources, readSources, sha256 } from './draft.ts';
import { writeAtomically } from './files.ts';
import { issueDir, readIssue } from './issues.ts';
import { asSource } from './told.ts';

export interface Added {
  issue: IssueId;
  /** Absolute. */
  issueFile: string;
  /** Items that were new, and items that got links. */
  added: number;
  linked: number;
  /** Marks that came with them. */
  checks: number;
}

type OldDraft = Draft & { hash?: string };

/**
 * Drafts further sources against the issue: what it tells already gets the new links, what is new comes
 * at the end of its section.
 * @throws BroadsheetError input: no such issue, a source that is in it already, or one that cannot be read
 */
export async function addSources(desk: Desk, id: IssueId, input: DraftInput): Promise<Added> {
  const { text, issue, path } = readIssue(desk, id);
  const draftFile = join(issueDir(desk, id), 'draft.json');
  const old = readDraft(draftFile);
  const sources = await readSources(input);
  refuseKnown(sources, old);

  const standing = asSource(issue);
  const told = draftSources([standing, ...sources], desk.settings);
  const isStanding = (item: DraftItem) => placesOf(item).some(({ name }) => name === standing.name);
  const fresh: Draft = {
    sources: told.sources.filter(({ name }) => name !== standing.name),
    items: withFreeIds(
      told.items.filter((item) => !isStanding(item)),
      issue,
    ),
  };

  const read = (edited: string) => readAgain(edited, issue, desk);
  const linking = told.items.filter(isStanding).flatMap((item) => newLinks(item, standing, issue));
  const linked = linking.reduce(
    (edited, { item, links }) => addLinks(edited, read(edited), item.id, links),
    text,
  );
  const { sections } = composeIssue(fresh, sources, desk.settings, issue);
  const edited = sections
    .flatMap((section) =>
      section.items.map((item) => ({ section, item: { ...item, lead: false } })),
    )
    .reduce((before, { section, item }) => addItem(before, read(before), section, item), linked);

  keepSources(input.sources, sources, issueDir(desk, id));
  writeAtomically(draftFile, formatDraft(merged(old, fresh), hashAfter(old, text, edited)));
  writeAtomically(path, edited);
  const checks = countChecks(edited) - countChecks(text);
  return { issue: id, issueFile: path, added: fresh.items.length, linked: linking.length, checks };
}

/** An item that stands, and the links of new sources that it does not have yet. */
function newLinks(
  told: DraftItem,
  standing: SourceText,
  issue: Issue,
): { item: Item; links: Link[] }[] {
  const place = placesOf(told).find(({ name }) => name === standing.name);
  const at = standing.entries?.findIndex(({ start }) => start === place?.start) ?? -1;
  const item = issue.sections.flatMap(({ items }) => items)[at];
  if (!item) return [];
  const known = [...item.links.map(({ url }) => url), item.body].join('\n');
  const links = (told.links ?? []).filter(({ url }) => !known.includes(url));
  return links.length > 0 ? [{ item, links }] : [];
}

/** Each edit is made on what the one before has left. */
function readAgain(text: string, { id, language }: Issue, { settings }: Desk): Issue {
  const { sections } = settings;
  return parseIssue(text, { id, file: `issues/${id}/issue.md`, language, sections });
}

function withFreeIds(items: readonly DraftItem[], issue: Issue): DraftItem[] {
  const taken = new Set(issue.sections.flatMap((section) => section.items.map(({ id }) => id)));
  return items.map((item) => {
    let id = item.id;
    for (let n = 2; taken.has(id); n += 1) id = `${item.id}-${n}`;
    taken.add(id);
    return { ...item, id };
  });
}

function readDraft(path: string): OldDraft | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as OldDraft) : undefined;
}

/** Offsets in draft.json lead into the source of that name, so a name is given once. */
function refuseKnown(sources: readonly SourceText[], old: OldDraft | undefined): void {
  const known = new Set(old?.sources.map(({ name }) => name));
  const again = sources.find(({ name }) => known.has(name));
  if (!again) return;
  throw inputError('source-known', `The issue was drafted from ${again.name} already`, {
    hint: 'Give the new file another name, or draft anew without --add.',
  });
}

function merged(old: OldDraft | undefined, fresh: Draft): Draft {
  return {
    sources: [...(old?.sources ?? []), ...fresh.sources],
    items: [...(old?.items ?? []), ...fresh.items],
  };
}

/** A file that nobody has edited is still as it was drafted. */
function hashAfter(old: OldDraft | undefined, before: string, after: string): string | undefined {
  return old?.hash === sha256(before) ? sha256(after) : old?.hash;
}

function countChecks(text: string): number {
  return text.split('<!-- check:').length;
}
