/** Issue → issue.md, such that parsing it gives the same issue again. */
import { stringify } from 'yaml';
import type { Approval, Issue, Item, Section } from './issue.ts';
import { formatSourceLine } from './source-line.ts';

/** The file of an issue. Every id is written out. */
export function formatIssue(issue: Issue): string {
  const parts = [issue.opening, ...issue.sections.flatMap(formatSection)].filter(Boolean);
  return `---\n${formatHead(issue)}---\n\n${parts.join('\n\n')}\n`;
}

/** The value of `approved:` in the head. */
export function formatApproval({ by, at, hash }: Approval): string {
  return `${by} ${at} ${hash}`;
}

function formatHead({ title, date, language, subject, preheader, approved }: Issue): string {
  const head = {
    title,
    date,
    language,
    ...(subject === undefined ? {} : { subject }),
    ...(preheader === undefined ? {} : { preheader }),
    ...(approved === undefined ? {} : { approved: formatApproval(approved) }),
  };
  return stringify(head, { lineWidth: 0 });
}

/** The heading of a section. */
export function formatSectionHeading(
  section: Pick<Section, 'id' | 'name' | 'held' | 'ad'>,
): string {
  return `## ${section.name} ${attributes(section.id, flags(section, ['held', 'ad']))}`;
}

function formatSection(section: Section): string[] {
  const heading = section.name ? formatSectionHeading(section) : '';
  return [heading, section.prose, ...section.items.flatMap(formatItem)];
}

/** Heading, body and source line of an item; each stands between blank lines. */
export function formatItem(item: Item): string[] {
  const heading = `### ${item.headline} ${attributes(item.id, flags(item, ['lead', 'held', 'ad']))}`;
  return [heading, item.body, formatSourceLine(item.links)].filter(Boolean);
}

function attributes(id: string, classes: string[]): string {
  return `{${[`#${id}`, ...classes.map((name) => `.${name}`)].join(' ')}}`;
}

function flags<Of extends object>(of: Of, names: (keyof Of & string)[]): string[] {
  return names.filter((name) => of[name]);
}
