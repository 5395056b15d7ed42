/** `glossary learn`: what the editor made of the suggestions becomes part of the glossary. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Learnt, withLearnt } from '../config/glossary-edit.ts';
import { untypeset } from '../editorial/typography.ts';
import { inputError } from '../errors.ts';
import type { Draft, Repair } from '../issue/draft.ts';
import type { IssueId } from '../issue/issue.ts';
import type { Desk } from './draft.ts';
import { writeAtomically } from './files.ts';
import { issueDir, readIssue } from './issues.ts';

/**
 * Reads the answers off the edited file: a suggestion whose new word stands there and whose old one is gone
 * was accepted, and becomes an alias; a word that was left, or put back, is protected from now on. Where a
 * mark still stands, or neither word does, there is no answer.
 * @throws BroadsheetError input: no issue, or no draft beside it
 */
export function learnFromIssue(desk: Desk, id: IssueId, dryRun = false): Learnt {
  const { text } = readIssue(desk, id);
  const learnt = answers(readDraft(desk, id), text, desk);
  const path = join(desk.dir, 'config', 'glossary.yaml');
  if (dryRun || learnt.aliases.length + learnt.protect.length === 0) return learnt;
  const file = existsSync(path) ? readFileSync(path, 'utf8') : 'entries: []\n';
  writeAtomically(path, withLearnt(file, learnt));
  return learnt;
}

function answers(draft: Draft, text: string, { settings }: Desk): Learnt {
  const { glossary } = settings;
  const marks = (text.match(/<!--\s*check[\s\S]*?-->/gi) ?? []).join('\n');
  const words = untypeset(text.replace(/<!--[\s\S]*?-->/g, ''));
  const repairs = distinct(draft.sources.flatMap((source) => source.repairs));
  const open = repairs.filter(({ from }) => !marks.includes(from));
  const stands = (word: string) => wordPattern(untypeset(word)).test(words);
  const accepted = open.filter(({ applied, from, to }) => !applied && stands(to) && !stands(from));
  const refused = open.filter(({ from, to }) => stands(from) && !stands(to));
  const known = new Set(glossary.entries.flatMap(({ forms, aliases }) => [...forms, ...aliases]));
  const aliases = accepted.flatMap(({ from, to }) => {
    const entry = glossary.entries.find((each) => each.id === to || each.forms.includes(to));
    return entry && !known.has(from) ? [{ id: entry.id, alias: from }] : [];
  });
  const protect = refused
    .map(({ from }) => from)
    .filter((word) => !glossary.protected.includes(word));
  return { aliases, protect };
}

/** One repair for each pair of words. */
function distinct(repairs: readonly Repair[]): Repair[] {
  return [...new Map(repairs.map((repair) => [`${repair.from}\n${repair.to}`, repair])).values()];
}

/** Latin words whole: Falcon is not in Falconry. */
function wordPattern(word: string): RegExp {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const edge = (sign: string, pattern: string) =>
    /[\p{Script=Latin}\d]/u.test(sign) ? pattern : '';
  const before = edge(word[0] ?? '', '(?<![\\p{Script=Latin}\\d])');
  const after = edge(word.at(-1) ?? '', '(?![\\p{Script=Latin}\\d])');
  return new RegExp(before + escaped + after, 'u');
}

function readDraft(desk: Desk, id: IssueId): Draft {
  const path = join(issueDir(desk, id), 'draft.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Draft;
  throw inputError('draft-missing', `There is no issues/${id}/draft.json to compare with`, {
    hint: 'Only what was drafted can be learnt from.',
  });
}
