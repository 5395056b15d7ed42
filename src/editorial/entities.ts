/** The names of a story under their canonical spelling. */
import { findMentions, type GlossaryIndex } from './glossary.ts';
import type { Name } from './names.ts';
import type { Story } from './story.ts';

/**
 * Canonical names in the order in which they are heard, each once: those of the glossary by their id,
 * others as they are written.
 */
export function entitiesOf(story: Story, glossary: GlossaryIndex): string[] {
  const found = new Set<string>();
  for (const { text, names } of story.sentences) {
    const terms = findMentions(text, glossary)
      .filter(({ form }) => form.kind === 'form')
      .map(({ start, form }) => ({ start, id: form.entry.id }));
    const others = names
      .filter(({ known }) => !known)
      .map((name) => ({ start: name.start, id: canonical(name) }));
    for (const { id } of [...terms, ...others].sort((a, b) => a.start - b.start)) found.add(id);
  }
  return [...found];
}

function canonical({ text }: Name): string {
  return text.replace(/^[《「“"]|[》」”"]$|['’]s$/gu, '');
}
