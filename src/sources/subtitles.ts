/** SubRip (.srt) and WebVTT (.vtt): the words of the cues, a line each, and when they are spoken. */
import { inputError } from '../errors.ts';
import type { Cue } from '../issue/source.ts';

export interface Timed {
  text: string;
  cues: Cue[];
}

const TIME = String.raw`(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})`;
const TIMING = new RegExp(`^\\s*${TIME}\\s*-->\\s*${TIME}(?:\\s|$)`);
/** Blocks of WebVTT that hold no words. */
const OTHER_BLOCK = /^(?:WEBVTT|NOTE|STYLE|REGION)(?:\s|$)/;

/**
 * Reads subtitles. The lines of a cue are joined by a space, the cues by a line break.
 * @param name for messages
 * @throws BroadsheetError input, with its line: a timing that is cut off, times that overlap or go back
 */
export function readSubtitles(text: string, name: string): Timed {
  const words: string[] = [];
  const cues: Cue[] = [];
  let at = 0;
  for (const { line, lines } of blocksOf(text)) {
    const timing = lines.findIndex((found) => found.includes('-->'));
    if (timing < 0) {
      if (OTHER_BLOCK.test(lines[0] ?? '') || isNumber(lines)) continue;
      throw broken(name, line, 'These words have no time');
    }
    const times = timesOf(lines[timing] as string, name, line + timing);
    refuseDisorder(cues.at(-1), times, name, line + timing);
    const spoken = lines
      .slice(timing + 1)
      .map(plainWords)
      .filter(Boolean)
      .join(' ');
    if (spoken === '') continue;
    words.push(spoken);
    cues.push({ start: at, end: at + spoken.length, ...times });
    at += spoken.length + 1;
  }
  if (cues.length === 0) throw broken(name, 1, 'There is not one subtitle in the file');
  return { text: words.join('\n'), cues };
}

interface Block {
  /** Of its first line, from 1. */
  line: number;
  lines: string[];
}

/** What stands between blank lines. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const [at, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (line.trim() === '') open = undefined;
    else if (open) open.lines.push(line);
    else {
      open = { line: at + 1, lines: [line] };
      blocks.push(open);
    }
  }
  return blocks;
}

/** A counter whose cue has no words. */
function isNumber(lines: readonly string[]): boolean {
  return lines.length === 1 && /^\d+$/.test(lines[0]?.trim() ?? '');
}

function timesOf(line: string, name: string, at: number): { startMs: number; endMs: number } {
  const match = TIMING.exec(line);
  if (!match) throw broken(name, at, `This is no time: ${line.trim().slice(0, 60)}`);
  return { startMs: milliseconds(match.slice(1, 5)), endMs: milliseconds(match.slice(5, 9)) };
}

function milliseconds([hours = '0', minutes = '0', seconds = '0', rest = '0']: string[]): number {
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return whole * 1000 + Number(rest.padEnd(3, '0'));
}

function refuseDisorder(
  before: Cue | undefined,
  { startMs, endMs }: { startMs: number; endMs: number },
  name: string,
  line: number,
): void {
  if (endMs < startMs) throw broken(name, line, 'This subtitle ends before it begins');
  if (before && startMs < before.startMs)
    throw broken(name, line, 'This subtitle begins before the one above it');
  if (before && startMs < before.endMs)
    throw broken(name, line, 'This subtitle begins while the one above it is still shown');
}

const ENTITIES: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  nbsp: ' ',
  lrm: '',
  rlm: '',
  quot: '"',
};

/** Without speaker, style and time tags, and without the position codes of SubRip. */
function plainWords(line: string): string {
  return line
    .replace(/<[^>]*>|\{\\[^}]*\}/g, '')
    .replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .replace(/^\s*(?:-\s+|>>\s*)/, '')
    .trim();
}

function broken(name: string, line: number, message: string) {
  return inputError('subtitles-broken', message, {
    file: name,
    line,
    hint: 'Export the subtitles again, or save the words alone as .txt.',
  });
}
