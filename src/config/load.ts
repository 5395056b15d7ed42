/** config/*.yaml → Settings, or every mistake in all three files at once. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, LineCounter, parseDocument, type YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { BroadsheetError, inputError, type Problem } from '../errors.ts';
import { explain } from './explain.ts';
import {
  type Glossary,
  glossarySchema,
  newsletterSchema,
  type Settings,
  sectionsSchema,
} from './settings.ts';

/** Largest settings file, bytes. */
const LARGEST = 1_048_576;

/**
 * Reads the settings of a newsletter directory.
 * @throws BroadsheetError `settings-missing`, or `settings-invalid` with every mistake
 */
export function loadSettings(dir: string): Settings {
  if (!existsSync(join(dir, 'config', 'newsletter.yaml'))) throw noNewsletter(dir);
  const problems: Problem[] = [];
  const newsletter = readFile(dir, 'newsletter.yaml', newsletterSchema, problems);
  const sections = readFile(dir, 'sections.yaml', sectionsSchema, problems);
  const glossary = readFile(dir, 'glossary.yaml', glossarySchema, problems);
  if (problems.length > 0 || !newsletter) throw invalid(problems);
  return {
    ...newsletter,
    listId: listIdOf(newsletter),
    sections: sections?.sections ?? [],
    glossary: glossary ?? NO_GLOSSARY,
  };
}

/**
 * The same for what drafts nothing: sections and glossary, by far the longer files, are read when they are first asked
 * for. A mistake in the glossary stops no send, and one in the sections no command that looks something up.
 * @throws BroadsheetError as `loadSettings`; of the other two files when they are asked for
 */
export function openSettings(dir: string): Settings {
  const newsletter = readFile(dir, 'newsletter.yaml', newsletterSchema, []);
  if (!newsletter) return loadSettings(dir);
  let sections: Settings['sections'] | undefined;
  let glossary: Glossary | undefined;
  return {
    ...newsletter,
    listId: listIdOf(newsletter),
    get sections() {
      sections ??= readAlone(dir, 'sections.yaml', sectionsSchema)?.sections ?? [];
      return sections;
    },
    get glossary() {
      glossary ??= readAlone(dir, 'glossary.yaml', glossarySchema) ?? NO_GLOSSARY;
      return glossary;
    },
  };
}

const NO_GLOSSARY: Glossary = { entries: [], context: [], protected: [] };

function listIdOf({ listId, slug, sender }: z.infer<typeof newsletterSchema>): string {
  return listId ?? `${slug}.${sender.address.split('@').at(-1)}`;
}

function readAlone<Schema extends z.ZodType>(dir: string, name: string, schema: Schema) {
  const problems: Problem[] = [];
  const value = readFile(dir, name, schema, problems);
  if (problems.length > 0) throw invalid(problems);
  return value;
}

function invalid(problems: Problem[]) {
  return new BroadsheetError('input', 'settings-invalid', inOrder(problems));
}

/** One file as its schema gives it; null when it is absent or wrong. */
function readFile<Schema extends z.ZodType>(
  dir: string,
  name: string,
  schema: Schema,
  problems: Problem[],
): z.infer<Schema> | null {
  const path = join(dir, 'config', name);
  const file = `config/${name}`;
  if (!existsSync(path)) return null;
  const source = readText(path, file, problems);
  if (source === null) return null;
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const [error] = document.errors.toSorted((a, b) => Number(isTab(b)) - Number(isTab(a)));
  // What follows the first mistake in the syntax is mostly its echo; a tab explains the others.
  if (error) problems.push({ message: error.message, ...place(error.pos[0]), ...tabHint(error) });
  if (document.errors.length > 0) return null;
  const value = toValue(document, file, problems);
  if (value === undefined) return null;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    for (const { path: at, onKey, ...words } of explain(issue, schema, value)) {
      problems.push({ ...words, ...place(offsetOf(document, at, onKey)) });
    }
  }
  return null;
}

function readText(path: string, file: string, problems: Problem[]): string | null {
  if (statSync(path).size > LARGEST) {
    problems.push({ file, message: 'The file is larger than 1 MB; settings are not' });
    return null;
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
    if (!text.includes('\0')) return text;
  } catch {
    // Not UTF-8: said below.
  }
  problems.push({ file, message: 'The file is no UTF-8 text', hint: 'Save it as UTF-8.' });
  return null;
}

function toValue(document: Document.Parsed, file: string, problems: Problem[]): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 50 });
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
    problems.push({
      file,
      line: 1,
      message: value === null ? 'The file is empty' : 'The file has to hold "key: value" lines',
    });
  } catch (error) {
    problems.push({ file, message: `The file cannot be read: ${(error as Error).message}` });
  }
  return undefined;
}

function isTab({ code }: YAMLParseError): boolean {
  return code === 'TAB_AS_INDENT';
}

function tabHint(error: YAMLParseError): { hint?: string } {
  return isTab(error) ? { hint: 'YAML is indented with spaces, never with tabs.' } : {};
}

/** Where a value (or its key) stands; for what is missing, where its parent stands. */
function offsetOf(document: Document.Parsed, path: (string | number)[], onKey: boolean): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1] as string | number;
    const items = (parent as { items?: unknown[] } | null)?.items ?? [];
    const pair = items.find((item) => (item as Pair).key?.value === key) as Pair | undefined;
    const node = pair
      ? onKey || length < path.length
        ? pair.key
        : (pair.value ?? pair.key)
      : (items[key as number] as Node | undefined);
    const start = node?.range?.[0];
    if (start !== undefined) return start;
  }
  return 0;
}

interface Node {
  value?: unknown;
  range?: [number, number, number];
}

interface Pair {
  key?: Node;
  value?: Node | null;
}

/** By line within each file; the files stay in the order in which they are read. */
function inOrder(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => (a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : 0));
}

function noNewsletter(dir: string) {
  return inputError(
    'settings-missing',
    `${dir} is no newsletter directory: it has no config/newsletter.yaml`,
    {
      hint: 'Go to one, name one with --dir, or make one: broadsheet init my-weekly',
    },
  );
}
