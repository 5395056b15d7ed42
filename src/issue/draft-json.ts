/** Draft → draft.json, in pieces: each segment, repair, flag and item on a line of its own, so that git shows what changed. */
import type { Draft, DraftSource } from './draft.ts';

/** Rows that are handed on together: large enough to be written at once, small enough not to be felt. */
const ROWS = 200;

/**
 * The draft as JSON, piece by piece: that of a long transcript has tens of megabytes.
 * @param hash of the issue.md that was written from it, where one was
 */
export function* formatDraft({ sources, items }: Draft, hash?: string): Generator<string> {
  yield '{\n  "sources": [';
  for (const [at, source] of sources.entries()) {
    yield at === 0 ? '\n' : ',\n';
    yield* sourceText(source);
  }
  yield '\n  ],\n  "items": ';
  yield* rows(items, '    ');
  yield hash === undefined ? '\n}\n' : `,\n  "hash": ${JSON.stringify(hash)}\n}\n`;
}

function* sourceText({ segments, repairs, flags, ...head }: DraftSource): Generator<string> {
  yield `    {\n${Object.entries(head)
    .map(([name, value]) => `      ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`)
    .join('')}`;
  for (const [name, list] of Object.entries({ segments, repairs, flags })) {
    yield `${name === 'segments' ? '' : ',\n'}      "${name}": `;
    yield* rows(list, '        ');
  }
  yield '\n    }';
}

function* rows(list: readonly object[], indent: string): Generator<string> {
  if (list.length === 0) return yield '[]';
  for (let at = 0; at < list.length; at += ROWS) {
    const lines = list.slice(at, at + ROWS).map((row) => indent + JSON.stringify(row));
    yield `${at === 0 ? '[' : ','}\n${lines.join(',\n')}`;
  }
  yield `\n${indent.slice(2)}]`;
}
