/** What Whisper and its kin write: segments of speech with their times. */
import { inputError } from '../errors.ts';
import type { Cue } from '../issue/source.ts';
import type { Timed } from './subtitles.ts';

interface Spoken {
  text: string;
  startMs: number;
  endMs: number;
}

/** Whether a JSON value is speech; `transcription` is whisper.cpp's word for segments. */
export function isSpeech(value: unknown): boolean {
  return listOf(value) !== undefined;
}

/**
 * Reads `{ segments: [{ start, end, text }] }` (seconds) or whisper.cpp's
 * `{ transcription: [{ offsets: { from, to }, text }] }` (ms).
 * @throws BroadsheetError input: a segment without words or times, named by its number
 */
export function readSpeech(value: unknown, name: string): Timed & { language?: string } {
  const cues: Cue[] = [];
  const words: string[] = [];
  let at = 0;
  for (const [index, entry] of (listOf(value) ?? []).entries()) {
    const { text, startMs, endMs } = spoken(entry, index, name);
    if (text === '') continue;
    words.push(text);
    cues.push({ start: at, end: at + text.length, startMs, endMs });
    at += text.length + 1;
  }
  if (cues.length === 0) throw inputError('source-empty', 'Nothing is said in it', { file: name });
  const { language } = value as { language?: unknown };
  return { text: words.join('\n'), cues, ...(typeof language === 'string' ? { language } : {}) };
}

function listOf(value: unknown): unknown[] | undefined {
  const { segments, transcription } = (value ?? {}) as Record<string, unknown>;
  if (Array.isArray(segments)) return segments;
  return Array.isArray(transcription) ? transcription : undefined;
}

function spoken(entry: unknown, index: number, name: string): Spoken {
  const { text, start, end, offsets } = (entry ?? {}) as Record<string, unknown>;
  const { from, to } = (offsets ?? {}) as Record<string, unknown>;
  const startMs = typeof from === 'number' ? from : seconds(start);
  const endMs = typeof to === 'number' ? to : seconds(end);
  if (typeof text === 'string' && endMs >= startMs)
    return { text: text.replace(/\s+/g, ' ').trim(), startMs, endMs };
  throw inputError('speech-broken', `Segment ${index + 1} has no text, or no start and end`, {
    file: name,
    hint: 'Expected: {"segments":[{"start":0.0,"end":2.5,"text":"…"}]}',
  });
}

function seconds(value: unknown): number {
  return typeof value === 'number' ? Math.round(value * 1000) : Number.NaN;
}
