/** Puts what was learnt into glossary.yaml; every other byte of the file, comments too, stays as it is. */
import { isMap, isScalar, isSeq, parseDocument, stringify, type YAMLMap, type YAMLSeq } from 'yaml';

export interface Learnt {
  /** A wrong spelling, and the id of the entry that it means. */
  aliases: { id: string; alias: string }[];
  /** Words that are never to be repaired. */
  protect: string[];
}

/** The file with the new aliases in their entries and the new words under `protected`. */
export function withLearnt(text: string, { aliases, protect }: Learnt): string {
  const taught = aliases.reduce((file, { id, alias }) => withAlias(file, id, alias), text);
  return protect.reduce(withProtected, taught);
}

function withAlias(text: string, id: string, alias: string): string {
  const entries = parseDocument(text).get('entries');
  const entry = isSeq(entries)
    ? entries.items.find((item): item is YAMLMap => isMap(item) && item.get('id') === id)
    : undefined;
  if (!entry) return text;
  const known = entry.get('aliases', true);
  if (isSeq(known)) return appended(text, known, alias);
  const word = scalar(alias);
  if (entry.flow) return spliced(text, closeOf(text, entry, '}'), `, aliases: [${word}]`);
  const [last] = entry.items.slice(-1);
  const end = isScalar(last?.value) || isSeq(last?.value) ? (last.value.range?.[1] ?? 0) : 0;
  return spliced(text, end, `\n${indentOf(text, entry.range?.[0] ?? 0)}aliases: [${word}]`);
}

function withProtected(text: string, word: string): string {
  const list = parseDocument(text).get('protected', true);
  if (isSeq(list) && list.items.length > 0) return appended(text, list, word);
  return `${text.trimEnd()}\n\nprotected:\n  - ${scalar(word)}\n`;
}

/** At the end of a list, in the way in which it is written. */
function appended(text: string, list: YAMLSeq, word: string): string {
  const values = list.items.map((item) => (isScalar(item) ? item.value : undefined));
  if (values.includes(word)) return text;
  if (list.flow) {
    return spliced(
      text,
      closeOf(text, list, ']'),
      `${values.length > 0 ? ', ' : ''}${scalar(word)}`,
    );
  }
  const last = list.items.at(-1) as { range?: [number, number, number] };
  const start = text.lastIndexOf('\n', last.range?.[0] ?? 0) + 1;
  const dash = /^\s*-\s*/.exec(text.slice(start))?.[0] ?? '  - ';
  return spliced(text, last.range?.[1] ?? text.length, `\n${dash}${scalar(word)}`);
}

/** Before the closing sign, and the blank before that. */
function closeOf(
  text: string,
  { range }: { range?: [number, number, number] | null },
  sign: string,
): number {
  const close = text.lastIndexOf(sign, (range?.[1] ?? 0) - 1);
  return text.slice(0, close).trimEnd().length;
}

function indentOf(text: string, offset: number): string {
  return ' '.repeat(offset - (text.lastIndexOf('\n', offset - 1) + 1));
}

function spliced(text: string, at: number, words: string): string {
  return text.slice(0, at) + words + text.slice(at);
}

/** Quoted where YAML would read something else. */
function scalar(word: string): string {
  const plain = stringify(word, { lineWidth: 0 }).trim();
  return /[,[\]{}]/.test(word) && plain === word ? JSON.stringify(word) : plain;
}
