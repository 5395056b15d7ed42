/** Ids of items and sections that the editor did not write. */

/** Id → line of its heading. */
export interface Ids {
  items: Map<string, number>;
  sections: Map<string, number>;
}

/** Longest id that is derived, characters. */
const LONGEST = 40;

/** `GPT-4 上线 API` → `gpt-4-api`: Latin words and digits; empty where there are none. */
export function slugOf(text: string): string {
  const words =
    text
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  return words.join('-').slice(0, LONGEST).replace(/-+$/, '');
}

/** An id made from the text, else the fallback; suffixed when it is taken. Notes it as taken. */
export function deriveId(
  text: string,
  fallback: string,
  taken: Map<string, number>,
  line: number,
): string {
  const wanted = slugOf(text) || fallback;
  let id = wanted;
  for (let n = 2; taken.has(id); n += 1) id = `${wanted}-${n}`;
  taken.set(id, line);
  return id;
}
