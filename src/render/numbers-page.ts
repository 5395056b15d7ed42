/** The numbers of a month as one HTML file that needs nothing else (templates/pages/report.hbs). */
import { fillTemplate, trusted } from './handlebars.ts';
import { templateOf } from './page.ts';
import { barPlot, linePlot, type Point } from './plot.ts';
import { checkTemplates } from './template-check.ts';
import type { Templates } from './templates.ts';
import { type Language, word } from './words.ts';

export interface NumbersPage {
  /** The newsletter's name. */
  name: string;
  /** `2026-11` */
  month: string;
  before: string;
  /** One figure beside that of the month before. */
  totals: { label: string; value: string; before: string; change: string }[];
  /** Without the first, which is the caption of the table. */
  columns: string[];
  /** Issues, then provider groups; a cell more than columns. */
  tables: { caption: string; rows: { cells: string[] }[] }[];
  accepted: Point[];
  list: Point[];
  /** Links that were followed; empty where clicks are not counted. */
  clicks: { url: string; count: string }[];
  warnings: string[];
}

/** @throws BroadsheetError `template-missing`, `template-invalid` */
export function numbersPage(
  page: NumbersPage,
  { pages }: Pick<Templates, 'pages'>,
  language: Language,
): string {
  const template = templateOf(pages, 'report');
  checkTemplates([template], {});
  const plots = [
    { caption: word(language, 'acceptedByDay'), svg: page.accepted, draw: barPlot },
    { caption: word(language, 'listByDay'), svg: page.list, draw: linePlot },
  ].map(({ caption, svg, draw }) => ({ caption, svg: trusted(draw(svg, caption)) }));
  const locale = language === 'zh' ? 'zh-CN' : 'en';
  return fillTemplate(template, {}, { ...page, plots, locale }, { language, locale }).output;
}
