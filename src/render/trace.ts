/** From a line of the filled MJML back to the template file and line that wrote it. */
import type { TemplateFile, Templates } from './templates.ts';

export interface Place {
  file: string;
  line: number;
}

const MARK = /<!--at (\S+):(\d+)-->/g;

/** The same templates, with each component's origin in a comment before it. No line moves. */
export function marked(templates: Templates): Templates {
  const partials = Object.entries(templates.partials).map(([name, file]) => [name, mark(file)]);
  return { ...templates, mjml: mark(templates.mjml), partials: Object.fromEntries(partials) };
}

/**
 * Where a line of MJML comes from: the last component that begins on it or before it.
 * @param mjml filled from marked templates
 * @param line from 1
 */
export function placeOf(mjml: string, line: number): Place | undefined {
  const before = mjml.split('\n').slice(0, line).join('\n');
  const last = [...before.matchAll(MARK)].at(-1);
  return last && { file: last[1] as string, line: Number(last[2]) };
}

/**
 * The line, from 1, on which words stand; white space does not matter. 0 where they stand on none.
 * @param later how often they stand again after the place that is meant; absent: the first is meant
 */
export function lineOf(mjml: string, words: string, later?: number): number {
  const lines = mjml.split('\n').flatMap((line, at) => {
    const times = words === '' ? 1 : line.replace(/\s+/g, '').split(words).length - 1;
    return Array.from({ length: times }, () => at + 1);
  });
  return (later === undefined ? lines[0] : (lines.at(-1 - later) ?? lines[0])) ?? 0;
}

function mark({ file, source }: TemplateFile): TemplateFile {
  const lines = source
    .split('\n')
    .map((line, index) => line.replaceAll('<mj', `<!--at ${file}:${index + 1}--><mj`));
  return { file, source: lines.join('\n') };
}
