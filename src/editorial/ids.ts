/** Item ids: the name in the headline as it would stand in an address. */
import type { Name } from './names.ts';
import { namesOf, type Story } from './story.ts';

/** How much a name's type says about what the story is. */
const TELLING = ['model', 'product', 'dataset', 'hardware', 'law'];
const LENGTH = 40;

/** Ids of stories in their order; unique; `item-N` where no Latin name is found. */
export function idsOf(stories: readonly Story[], headlines: readonly string[]): string[] {
  const taken = new Set<string>();
  /** The last suffix given to an id: a story told a thousand times must not search a thousand ids. */
  const last = new Map<string, number>();
  return stories.map((story, i) => {
    const wanted = idOf(story, headlines[i]!) ?? `item-${i + 1}`;
    let n = last.get(wanted) ?? 1;
    let id = n === 1 ? wanted : `${wanted}-${n}`;
    while (taken.has(id)) {
      n++;
      id = `${wanted}-${n}`;
    }
    last.set(wanted, n);
    taken.add(id);
    return id;
  });
}

/** What is launched tells more than who launches it; what is named most often, most. */
function idOf(story: Story, headline: string): string | undefined {
  const times = (name: Name) =>
    story.sentences.flatMap(({ names }) => names).filter(({ key }) => key === name.key).length;
  const names = namesOf(story)
    .filter((name) => headline.includes(name.text) && name.type !== 'media')
    .sort(
      (a, b) => times(b) - times(a) || headline.lastIndexOf(b.text) - headline.lastIndexOf(a.text),
    );
  const telling = names.filter(({ type }) => type === undefined || TELLING.includes(type));
  const slugs = [...telling, ...names].flatMap((name) => [
    slug(name.text),
    slug(name.known ? name.key : ''),
  ]);
  return slugs.find((text) => /[a-z]/.test(text));
}

function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]s?(?=[^a-z]|$)/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, LENGTH)
    .replace(/-+$/, '');
}
