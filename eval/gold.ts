/** Texts with a `*.gold.json` beside them, in the format of the seed's. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from '../src/sources/decode.ts';
import type { GoldDocument, GoldError, GoldSegment } from './document.ts';

interface GoldFile {
  source: string;
  lang: string;
  segments: {
    kind: GoldSegment['kind'];
    start: number;
    end: number;
    headline_zh?: string;
    headline?: string;
    section?: string;
    section_alt?: string[];
    importance?: number;
    asr_errors?: {
      offset: number;
      surface: string;
      correct: string;
      class: string;
      action: GoldError['action'];
    }[];
  }[];
}

/** Every text of a directory that has a gold file, in the order of their names. */
export function goldDocuments(dir: string): GoldDocument[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith('.gold.json'))
    .sort()
    .map((file) => goldDocument(join(dir, file), (source) => join(dir, source)));
}

/** @param textOf path of the text that the file names */
export function goldDocument(path: string, textOf: (source: string) => string): GoldDocument {
  const gold = JSON.parse(readFileSync(path, 'utf8')) as GoldFile;
  const text = decode(readFileSync(textOf(gold.source)), { name: gold.source });
  return {
    name: gold.source.replace(/\.[a-z]+$/, ''),
    language: gold.lang === 'zh' ? 'zh-CN' : gold.lang,
    text,
    segments: gold.segments.map((segment) => ({
      kind: segment.kind,
      start: segment.start,
      end: segment.end,
      headline: segment.headline_zh ?? segment.headline,
      section: segment.section,
      alsoSections: segment.section_alt,
      importance: segment.importance,
    })),
    errors: gold.segments.flatMap(({ asr_errors = [] }) =>
      asr_errors.map(({ offset, ...error }) => ({ start: offset, ...error })),
    ),
  };
}
