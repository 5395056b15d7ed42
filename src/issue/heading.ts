/** Headings of an issue: `## Section {#id .class}` and `### Item {#id .class}`, and what people write instead. */
import type { Report } from './parse.ts';

export interface Heading {
  level: 2 | 3;
  text: string;
  id?: string;
  classes: string[];
}

const CLASSES = { 2: ['held', 'ad'], 3: ['lead', 'held', 'ad'] };
const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

/** Reads a line as a heading; null when it is none. Reports what is nearly one. */
export function readHeading(line: string, number: number, report: Report): Heading | null {
  const match = /^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*$/.exec(line);
  if (!match) {
    nearMiss(line, number, report);
    return null;
  }
  const [, marks = '', rest = ''] = match;
  if (marks.length !== 2 && marks.length !== 3) {
    report(...wrongLevel(marks, number));
    return null;
  }
  const level = marks.length as 2 | 3;
  return { level, ...attributes(rest.replace(/[ \t]#+$/, ''), level, number, report) };
}

function wrongLevel(marks: string, number: number): [string, number, string] {
  const hint =
    marks.length === 1
      ? 'The title of the issue stands in the front matter; a section begins with ##.'
      : 'Sections are ##, items ###; below that use **bold** words.';
  return [`A heading with ${marks} has no place in an issue`, number, hint];
}

function attributes(rest: string, level: 2 | 3, number: number, report: Report) {
  if (/[｛{]\s*[#＃.][^{}｛｝]*[｝}]\s*$/.test(rest) && /[｛｝＃]/.test(rest)) {
    report(
      'Attributes are written with half-width signs',
      number,
      'Write {#id .lead}, not ｛＃id .lead｝.',
    );
  }
  const match = /^(.*?)\s*\{\s*([#.][^{}]*)\}$/.exec(rest);
  if (!match) return { text: rest.trim(), classes: [] };
  const words = (match[2] ?? '').split(/\s+/).filter(Boolean);
  const ids = words.filter((word) => word.startsWith('#')).map((word) => word.slice(1));
  const classes = words.filter((word) => word.startsWith('.')).map((word) => word.slice(1));
  const other = words.filter((word) => !/^[#.]/.test(word));
  for (const problem of attributeProblems(ids, classes, other, level))
    report(problem.message, number, problem.hint);
  const text = (match[1] ?? '').trim();
  if (!text) report('A heading without words', number);
  return { text, classes, ...(ids[0] ? { id: ids[0] } : {}) };
}

function attributeProblems(ids: string[], classes: string[], other: string[], level: 2 | 3) {
  const allowed = CLASSES[level];
  return [
    ...ids
      .slice(1)
      .map((id) => ({ message: `A second id, "${id}"`, hint: 'A heading has one id.' })),
    ...ids
      .filter((id) => !ID.test(id))
      .map((id) => ({
        message: `"${id}" cannot be an id`,
        hint: 'An id has letters, digits, dots and hyphens, at most 64.',
      })),
    ...classes
      .filter((name) => !allowed.includes(name))
      .map((name) => ({
        message: `There is no class .${name} here`,
        hint: `Known ${level === 2 ? 'for a section' : 'for an item'}: ${allowed.map((known) => `.${known}`).join(', ')}.`,
      })),
    ...other.map((word) => ({
      message: `"${word}" is neither #id nor .class`,
      hint: 'Write {#id .lead}.',
    })),
  ];
}

/** A line that was surely meant as a heading. */
function nearMiss(line: string, number: number, report: Report): void {
  if (/^\s{0,3}(#{2,3})[^\s#]/.test(line)) {
    report(
      'A heading needs a space after its signs',
      number,
      `Write "${line.trim().replace(/^#+/, '$& ')}".`,
    );
  } else if (/^\s{0,3}[＃#]*＃[＃#]*/.test(line)) {
    report(
      'Headings are written with half-width #',
      number,
      'Write ## for a section, ### for an item.',
    );
  } else if (/^ {0,3}#{2,3}\s*$/.test(line)) {
    report('A heading without words', number);
  } else if (/^\s*<(?!!--|https?:|mailto:)\/?[a-z][^>]*>/i.test(line)) {
    report(
      'HTML is not rendered in an issue',
      number,
      'Write Markdown: **bold**, [link](https://…), ![picture](https://…).',
    );
  }
}
