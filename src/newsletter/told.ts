/** Issues read back as sources: what has been told, for comparison with what is new. */
import { formatItem } from '../issue/format.ts';
import type { Issue, IssueId } from '../issue/issue.ts';
import type { SourceText } from '../issue/source.ts';
import { layOut } from '../sources/entries.ts';
import { readMarkdownNotes } from '../sources/notes.ts';
import { issueIds, type Place, readIssue } from './issues.ts';

/** A story that goes on is rarely older, days. */
const REMEMBERED = 28;
const DAY = 86_400_000;

/** The issues of the weeks before a date, nearest first. Those that cannot be read are passed over. */
export function toldBefore(place: Place, id: IssueId, date: string): SourceText[] {
  const until = Date.parse(date);
  return issueIds(place)
    .filter((other) => other !== id)
    .flatMap((other) => readable(place, other))
    .filter((issue) => {
      const age = until - Date.parse(issue.date);
      return age > 0 && age <= REMEMBERED * DAY;
    })
    .sort((a, b) => (a.date < b.date ? 1 : -1))
    .map(asSource);
}

/** The items of an issue as a source that gives them. */
export function asSource(issue: Issue): SourceText {
  const items = issue.sections.flatMap((section) => section.items);
  const notes = items.map((item) => readMarkdownNotes(formatItem(item).join('\n\n'))[0]);
  const given = notes.filter((note) => note !== undefined);
  return { name: issue.id, language: issue.language, ...layOut(given) };
}

function readable(place: Place, id: IssueId): Issue[] {
  try {
    return [readIssue(place, id).issue];
  } catch {
    return [];
  }
}
