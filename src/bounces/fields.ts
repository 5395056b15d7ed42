/** Fields of a header or of a status block: `Name: value`, folded over lines (RFC 5322 2.2; RFC 3464 2.1.1). */

/** Values by field name in lower case, in the order in which they stand. */
export type Fields = ReadonlyMap<string, readonly string[]>;

/** Characters that are read of one block: the longest header that is worth reading. */
const LONGEST_BLOCK = 128 * 1024;

/** Reads one block. Lines that are no fields are passed over: reports are often damaged. */
export function readFields(text: string): Fields {
  const fields = new Map<string, string[]>();
  const unfolded = text.slice(0, LONGEST_BLOCK).replace(/\r?\n[ \t]+/g, ' ');
  for (const line of unfolded.split(/\r?\n/)) {
    const [, name, value = ''] = /^([!-9;-~]{1,100})[ \t]*:(.*)$/.exec(line) ?? [];
    if (!name) continue;
    const key = name.toLowerCase();
    const values = fields.get(key);
    if (values) values.push(value.trim());
    else fields.set(key, [value.trim()]);
  }
  return fields;
}

/** The first value of a field; empty where there is none. */
export function field(fields: Fields, name: string): string {
  return fields.get(name)?.[0] ?? '';
}

/** What stands before the first empty line. */
export function headerOf(text: string): string {
  const start = text.slice(0, LONGEST_BLOCK).replace(/^\s+/, '');
  return start.split(/\r?\n[ \t]*\r?\n/, 1)[0] ?? '';
}

/** Every mail address in a text, in its order. */
export function addressesIn(text: string): string[] {
  // Cut into words first: looking for an @ behind every letter takes long for a text without any.
  const words = text.split(/[\s<>,;:"'()[\]]+/);
  return words.flatMap((word) => /^.{1,128}?@[^@]{1,255}$/u.exec(word) ?? []);
}
