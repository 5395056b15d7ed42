/** When things are said: from offsets in the words of subtitles to milliseconds. */
import type { Cue, Sentence, Span } from '../issue/source.ts';

/** Each sentence with the silence before it; a sentence that begins inside a cue has none. */
export function withPauses(sentences: readonly Sentence[], cues: readonly Cue[]): Sentence[] {
  return sentences.map((sentence) => {
    const at = cueAt(cues, sentence.start);
    const cue = cues[at];
    const before = cues[at - 1];
    const opens = cue !== undefined && before !== undefined && sentence.start <= cue.start;
    return { ...sentence, pause: opens ? Math.max(0, cue.startMs - before.endMs) : 0 };
  });
}

/** When a stretch of the text begins and ends, ms; inside a cue as far as its characters go. */
export function timesOf(
  { start, end }: Span,
  cues: readonly Cue[],
): { startMs: number; endMs: number } {
  return { startMs: timeOf(start, cues, 'start'), endMs: timeOf(end, cues, 'end') };
}

function timeOf(offset: number, cues: readonly Cue[], side: 'start' | 'end'): number {
  // An end stands behind its last character, and the line break between cues belongs to the one before.
  const at = cueAt(cues, side === 'end' ? Math.max(0, offset - 1) : offset);
  const cue = cues[at];
  if (!cue) return 0;
  const share = Math.min(1, Math.max(0, (offset - cue.start) / Math.max(1, cue.end - cue.start)));
  return Math.round(cue.startMs + share * (cue.endMs - cue.startMs));
}

/** Index of the cue that holds an offset, or that comes last before it; -1 before the first. */
function cueAt(cues: readonly Cue[], offset: number): number {
  let low = 0;
  let high = cues.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (cues[middle]!.start <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
