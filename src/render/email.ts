/** Issue → Email: Handlebars → MJML → HTML, and the text part from the same issue. */
import { BroadsheetError, inputError, type Problem } from '../errors.ts';
import { type Email, findSlots } from '../issue/email.ts';
import type { Issue } from '../issue/issue.ts';
import { markdownToHtml, markdownToText, type Pictures } from '../issue/markdown.ts';
import { compareContent, contentOf, firstMissing, squeeze } from './content.ts';
import { type Filled, fillTemplate, type Slot, trusted } from './handlebars.ts';
import { compileMjml } from './mjml.ts';
import { safeHtml } from './safe-html.ts';
import { checkTemplates } from './template-check.ts';
import type { Templates } from './templates.ts';
import { lineOf, marked, placeOf } from './trace.ts';
import { type Imprint, textsOf, type View, viewOf, type Writer } from './view.ts';
import { languageOf } from './words.ts';

export interface RenderedEmail {
  email: Email;
  /** The MJML that the HTML was made of. */
  mjml: string;
}

/**
 * Renders an issue for everybody: same input, same bytes (H-35). What is held is left out. What
 * differs from reader to reader is a slot marker in the result.
 * @param imprint name and sender of the settings
 * @param pictures those that lie beside the issue
 * @throws BroadsheetError `template-invalid` with template file and line; `text-reserved` and
 *   `markup-refused` with the issue's file and line
 */
export async function renderEmail(
  issue: Issue,
  imprint: Imprint,
  templates: Templates,
  pictures: Pictures = new Map(),
): Promise<RenderedEmail> {
  checkTemplates([templates.mjml, templates.text], templates.partials);
  refuseMarkers(issue);
  const { html, mjml } = await renderHtml(viewOf(issue, imprint, markupWith(pictures)), templates);
  const view = viewOf(issue, imprint, plainWith(pictures));
  const { language, subject, preheader } = view;
  return { email: { subject, language, preheader, html, text: renderText(view, templates) }, mjml };
}

function plainWith(pictures: Pictures): Writer<string> {
  const write = (markdown: string) => markdownToText(markdown, pictures);
  return { block: write, inline: write };
}

function markupWith(pictures: Pictures): Writer<ReturnType<typeof trusted>> {
  const html = (markdown: string, where: Where) =>
    safeHtml(markdownToHtml(markdown, {}, pictures), where);
  return {
    block: (markdown, where) => trusted(html(markdown, where)),
    inline: (markdown, where) =>
      trusted(html(markdown, where).replace(/^<p>([\s\S]*)<\/p>$/, '$1')),
  };
}

async function renderHtml(view: View<ReturnType<typeof trusted>>, templates: Templates) {
  const { output: mjml, slots } = fillMjml(view, templates);
  const html = await htmlOf(mjml, (line) => traceBack(line, view, templates));
  const texts = textsOf(view).map((text) => {
    return typeof text === 'string' ? squeeze(text) : contentOf(text.toString()).text;
  });
  checkComplete(contentOf(html).text, texts, templates.mjml.file);
  checkSlots(html, slots, templates.mjml.file);
  return { html, mjml };
}

/** @param place of a line of the MJML in the template */
async function htmlOf(mjml: string, place: (line: number) => Where): Promise<string> {
  const compiled = await compileMjml(mjml);
  if (!('html' in compiled)) {
    const problems = compiled.map(({ message, line }) => ({ message, ...place(line) }));
    throw new BroadsheetError('input', 'template-invalid', problems);
  }
  const loss = compareContent(mjml, compiled.html);
  if (loss) throw lost(loss.message, place(lineOf(mjml, loss.near, loss.later)));
  return compiled.html;
}

function fillMjml(view: View<unknown>, { mjml, partials }: Templates): Filled {
  return fillTemplate(mjml, partials, view, optionsFor(view));
}

function traceBack(line: number, view: View<unknown>, templates: Templates): Where {
  const { output } = fillMjml(view, marked(templates));
  return placeOf(output, line) ?? { file: templates.mjml.file };
}

/** Lines are not wrapped (H-21). White space that conditions of the template leave is taken away. */
function renderText(view: View<string>, { text: template, partials }: Templates): string {
  const options = { ...optionsFor(view), plain: true };
  const { output, slots } = fillTemplate(template, partials, view, options);
  const lines = output.replace(/[ \t]+$/gm, '').replace(/\n{3,}/g, '\n\n');
  const text = `${lines.trim()}\n`;
  checkComplete(squeeze(text), textsOf(view).map(squeeze), template.file);
  checkSlots(text, slots, template.file);
  return text;
}

function optionsFor({ language }: View<unknown>) {
  return { language: languageOf(language), locale: language };
}

/** A marker in the issue's own words would be taken for a slot. */
function refuseMarkers({ id, title, subject, preheader, opening, sections }: Issue): void {
  const file = `issues/${id}/issue.md`;
  const texts: [string | undefined, number?][] = [[title], [subject], [preheader], [opening]];
  for (const section of sections) {
    texts.push([`${section.name} ${section.prose}`, section.line]);
    for (const item of section.items) texts.push([JSON.stringify(item), item.line]);
  }
  const found = texts.find(([text = '']) => findSlots(text).length > 0);
  if (found) throw reserved({ file, line: found[1] });
}

function checkComplete(rendered: string, texts: string[], file: string): void {
  const missing = firstMissing(rendered, texts);
  if (missing === undefined) return;
  throw lost(`The template leaves out what the issue says: "${missing.slice(0, 40)}"`, { file });
}

/** Each slot that the template printed is there once, no other, and readers can leave. */
function checkSlots(part: string, printed: Slot[], file: string): void {
  const name = (slot: Slot) => `${slot.name} ${slot.n}`;
  const found = findSlots(part).map(name).sort();
  const wanted = printed.map(name).sort();
  if (found.join() !== wanted.join()) {
    throw lost(
      `Slots came out differently: printed ${wanted.join(', ')}; found ${found.join(', ')}`,
      { file },
    );
  }
  if (printed.some((slot) => slot.name === 'unsubscribe')) return;
  throw inputError('template-invalid', 'Readers could not unsubscribe', {
    file,
    hint: "Put {{slot 'unsubscribe'}} where a link's address stands.",
  });
}

type Where = Omit<Problem, 'message'>;

function lost(message: string, where: Where) {
  return inputError('template-invalid', message, {
    ...where,
    hint: 'Words belong into mj-text or another component that is closed; see docs of MJML.',
  });
}

function reserved(where: Where) {
  return inputError('text-reserved', 'This text looks like a marker that Broadsheet uses itself', {
    ...where,
    hint: 'Write "xslot-…" in another way.',
  });
}
