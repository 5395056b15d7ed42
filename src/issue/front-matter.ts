/** The YAML between the two `---` at the head of an issue file. */
import { LineCounter, parseDocument } from 'yaml';
import type { Approval, Issue } from './issue.ts';
import type { Report } from './parse.ts';

type Head = Pick<Issue, 'title' | 'date'> &
  Partial<Pick<Issue, 'language' | 'subject' | 'preheader' | 'approved'>>;

const KEYS = ['title', 'date', 'language', 'subject', 'preheader', 'approved'];
const APPROVAL =
  /^(\S+) (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})) (sha256:[0-9a-f]{64})$/;

/** Reads the head. `bodyStart` is the index of the first line after it. */
export function readFrontMatter(
  lines: string[],
  report: Report,
): { head: Partial<Head>; bodyStart: number } {
  const end =
    lines[0]?.trimEnd() === '---'
      ? lines.findIndex((line, at) => at > 0 && line.trimEnd() === '---')
      : -1;
  if (end === -1) {
    report(
      'The file does not begin with its head',
      1,
      'It begins with a line ---, then "title: …" and "date: YYYY-MM-DD", then a line ---.',
    );
    return { head: {}, bodyStart: 0 };
  }
  const yaml = lines.slice(1, end);
  for (const [at, line] of yaml.entries()) {
    const key = /^\s*([\p{L}]+)：/u.exec(line)?.[1];
    if (key)
      report(
        `A full-width colon after "${key}"`,
        at + 2,
        `Write "${key}: …" with a half-width colon and a space.`,
      );
  }
  return { head: headOf(readYaml(yaml.join('\n'), report), report), bodyStart: end + 1 };
}

/** Key → its value and line. */
type Fields = Map<string, { value: unknown; line: number }>;

function readYaml(text: string, report: Report): Fields {
  const counter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: counter,
    prettyErrors: false,
    logLevel: 'silent',
  });
  for (const error of document.errors) {
    const { line, col } = counter.linePos(error.pos[0]);
    report(
      `The head is no valid YAML: ${error.message}`,
      line + 1,
      'Put text with ": " or "#" in it into quotes.',
      col,
    );
  }
  const fields: Fields = new Map();
  const map = document.contents as { items?: { key: YamlNode; value: YamlNode | null }[] } | null;
  for (const { key, value } of map?.items ?? []) {
    const line = counter.linePos(key.range?.[0] ?? 0).line + 1;
    fields.set(String(key.value), {
      value: value?.toJSON ? value.toJSON() : (value?.value ?? null),
      line,
    });
  }
  return fields;
}

interface YamlNode {
  value?: unknown;
  range?: [number, number, number];
  toJSON?: () => unknown;
}

function headOf(fields: Fields, report: Report): Partial<Head> {
  for (const [key, { line }] of fields) {
    if (KEYS.includes(key) || key.includes('：')) continue;
    report(`Unknown key "${key}"`, line, `Known: ${KEYS.join(', ')}.`);
  }
  const text = (key: string) => textField(fields, key, report);
  const head: Partial<Head> = {};
  for (const key of ['title', 'language', 'subject', 'preheader'] as const) {
    const value = text(key);
    if (value !== undefined) head[key] = value;
  }
  if (!fields.has('title')) report('There is no title', 1, 'Add "title: …" to the head.');
  checkLanguage(head.language, fields, report);
  const date = dateField(text('date'), fields, report);
  if (date) head.date = date;
  const approved = approvalField(text('approved'), fields, report);
  if (approved) head.approved = approved;
  return head;
}

function textField(fields: Fields, key: string, report: Report): string | undefined {
  const field = fields.get(key);
  if (!field) return undefined;
  if (typeof field.value === 'string' && field.value.trim()) {
    if (!/[\r\n]/.test(field.value)) return field.value;
    report(`"${key}" has to stand on one line`, field.line);
  } else if (typeof field.value === 'number') {
    return String(field.value);
  } else {
    report(`"${key}" has to be text`, field.line, `Write ${key}: "…".`);
  }
  return undefined;
}

function dateField(date: string | undefined, fields: Fields, report: Report): string | undefined {
  const line = fields.get('date')?.line ?? 1;
  if (!fields.has('date'))
    report('There is no date', line, 'Add "date: YYYY-MM-DD": the slot it is for.');
  if (date === undefined) return undefined;
  if (isCalendarDate(date)) return date;
  report(
    `"${date}" is no date of the calendar`,
    line,
    'Write it as YYYY-MM-DD, for example 2023-09-17.',
  );
  return undefined;
}

/** Whether a text is `YYYY-MM-DD` and that day exists. */
export function isCalendarDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function checkLanguage(language: string | undefined, fields: Fields, report: Report): void {
  if (language === undefined) return;
  try {
    Intl.getCanonicalLocales(language);
  } catch {
    report(
      `"${language}" is no language tag`,
      fields.get('language')?.line ?? 1,
      'Write zh-CN, en or the like.',
    );
  }
}

function approvalField(
  text: string | undefined,
  fields: Fields,
  report: Report,
): Approval | undefined {
  if (text === undefined) return undefined;
  const [, by, at, hash] = APPROVAL.exec(text) ?? [];
  if (by && at && hash) return { by, at, hash };
  report(
    'The approval cannot be read',
    fields.get('approved')?.line ?? 1,
    'Delete the line and run: broadsheet approve.',
  );
  return undefined;
}
