/** The glossary, indexed: exact forms by trie, everything else by the keys that repair looks up. */
import type { Glossary, GlossaryEntry } from '../config/settings.ts';
import type { Span } from '../issue/source.ts';

/** One spelling that the glossary knows. */
export interface Form {
  text: string;
  entry: GlossaryEntry;
  /** `alias`: a known wrong spelling. `protected`: never repaired, names nothing. */
  kind: 'form' | 'alias' | 'protected';
}

/** A spelling found in a text. */
export interface Mention extends Span {
  form: Form;
}

export interface GlossaryIndex {
  forms: Form[];
  trie: TrieNode;
  context: { from: string; to: string; near: RegExp }[];
}

interface TrieNode {
  next: Map<number, TrieNode>;
  form?: Form;
}

const WORD = /[\p{Script=Latin}\d]/u;
/** Behind a name as in Falcon1800亿参数. */
const CHINESE_NUMBER = /^\d+(?:\.\d+)?[万亿]/u;
const NOBODY: GlossaryEntry = { id: '', type: 'term', weight: 0, forms: [], aliases: [] };

/** Indexes a glossary once for any number of texts. */
export function indexGlossary(glossary: Glossary): GlossaryIndex {
  const forms = [...glossary.entries.flatMap(formsOf), ...glossary.protected.map(protectedForm)];
  const trie: TrieNode = { next: new Map() };
  for (const form of forms) insert(trie, form);
  const context = glossary.context.map((rule) => ({ ...rule, near: new RegExp(rule.near, 'u') }));
  return { forms, trie, context };
}

/** Every spelling in a text, longest first from the left, without overlap. Case counts. */
export function findMentions(text: string, index: GlossaryIndex): Mention[] {
  const mentions: Mention[] = [];
  let start = 0;
  while (start < text.length) {
    const mention = longestAt(text, start, index.trie);
    if (mention) mentions.push(mention);
    start = mention ? mention.end : start + 1;
  }
  return mentions;
}

function formsOf(entry: GlossaryEntry): Form[] {
  const valid = new Set([entry.id, ...entry.forms]);
  const aliases = entry.aliases.filter((alias) => !valid.has(alias));
  return [
    ...[...valid].map((text) => ({ text, entry, kind: 'form' as const })),
    ...aliases.map((text) => ({ text, entry, kind: 'alias' as const })),
  ];
}

function protectedForm(text: string): Form {
  return { text, entry: NOBODY, kind: 'protected' };
}

/** A valid form wins over an alias of the same spelling; the first entry wins among equals. */
function insert(trie: TrieNode, form: Form): void {
  let node = trie;
  for (let i = 0; i < form.text.length; i++) {
    const code = form.text.charCodeAt(i);
    let next = node.next.get(code);
    if (!next) {
      next = { next: new Map() };
      node.next.set(code, next);
    }
    node = next;
  }
  if (!node.form || (node.form.kind === 'alias' && form.kind !== 'alias')) node.form = form;
}

function longestAt(text: string, start: number, trie: TrieNode): Mention | undefined {
  let node: TrieNode | undefined = trie;
  let found: Mention | undefined;
  for (let end = start; end < text.length; ) {
    node = node.next.get(text.charCodeAt(end));
    if (!node) break;
    end++;
    if (node.form && isWhole(text, start, end)) found = { start, end, form: node.form };
  }
  return found;
}

/** A Latin spelling must not be cut out of a longer word; a Chinese number may follow it. */
function isWhole(text: string, start: number, end: number): boolean {
  const cutsHead = WORD.test(text[start]!) && start > 0 && WORD.test(text[start - 1]!);
  const cutsTail = WORD.test(text[end - 1]!) && end < text.length && WORD.test(text[end]!);
  return !cutsHead && (!cutsTail || CHINESE_NUMBER.test(text.slice(end, end + 12)));
}
