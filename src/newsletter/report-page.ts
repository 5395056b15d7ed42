/** The numbers of a month as a page and as a table for other programs. */

import { SILENT } from '../audience/address.ts';
import type { Counts } from '../delivery/numbers.ts';
import { numbersPage } from '../render/numbers-page.ts';
import { loadTemplates } from '../render/templates.ts';
import { languageOf, type Word, word } from '../render/words.ts';
import type { Newsletter } from './newsletter.ts';
import type { MonthReport, MonthTotals } from './report.ts';

const COLUMNS: { key: keyof Counts; label: Word }[] = [
  { key: 'planned', label: 'planned' },
  { key: 'accepted', label: 'accepted' },
  { key: 'deferred', label: 'deferred' },
  { key: 'waiting', label: 'waiting' },
  { key: 'hard', label: 'hardBounces' },
  { key: 'soft', label: 'softBounces' },
  { key: 'unknown', label: 'unknownFate' },
  { key: 'complained', label: 'complained' },
  { key: 'left', label: 'left' },
];

/** One HTML file in the newsletter's language. */
export function reportHtml({ dir, settings }: Newsletter, report: MonthReport): string {
  const language = languageOf(settings.language);
  const say = (key: Word) => word(language, key);
  const figure = (value: number) => value.toLocaleString(language === 'zh' ? 'zh-CN' : 'en');
  const cells = (counts: Counts, provider?: string) =>
    COLUMNS.map(({ key }) => (isSilent(key, provider) ? '–' : figure(counts[key])));
  const totals: [Word, (totals: MonthTotals) => number][] = [
    ['planned', ({ all }) => all.planned],
    ['accepted', ({ all }) => all.accepted],
    ['hardBounces', ({ all }) => all.hard],
    ['softBounces', ({ all }) => all.soft],
    ['complained', ({ all }) => all.complained],
    ['left', ({ left }) => left],
    ['joined', ({ joined }) => joined],
    ['list', ({ list }) => list],
  ];
  const issues = report.perIssue.map(({ title, all, joined }) => ({
    cells: [title, ...cells(all), figure(joined)],
  }));
  const providers = Object.entries(report.byProvider).map(([provider, counts]) => ({
    cells: [provider, ...cells(counts, provider), ''],
  }));
  return numbersPage(
    {
      name: settings.name,
      month: report.month,
      before: report.before.month,
      totals: totals.map(([label, of]) => ({
        label: say(label),
        value: figure(of(report)),
        before: figure(of(report.before)),
        change: signed(of(report) - of(report.before)),
      })),
      columns: [...COLUMNS.map(({ label }) => say(label)), say('joined')],
      tables: [
        { caption: say('perIssue'), rows: issues },
        { caption: say('perProvider'), rows: providers },
      ],
      accepted: report.days.map(({ day, accepted }) => ({
        label: day.slice(5),
        value: Object.values(accepted).reduce((sum, count) => sum + count, 0),
      })),
      list: report.days.map(({ day, list }) => ({ label: day.slice(5), value: list })),
      clicks: report.perIssue.flatMap(({ clicks }) =>
        clicks.map(({ url, count }) => ({ url, count: figure(count) })),
      ),
      warnings: report.warnings,
    },
    loadTemplates(dir, settings.template),
    language,
  );
}

/** A row for each issue and provider group; `complained` is empty where nobody can know. */
export function reportCsv(report: MonthReport): string {
  const head = [
    'month',
    'issue',
    'sent_at',
    'provider',
    ...COLUMNS.map(({ key }) => key),
    'joined',
  ];
  const rows = report.perIssue.flatMap(({ issue, sentAt, all, byProvider, joined }) => {
    const row = (provider: string, counts: Counts, last: number | '') => [
      report.month,
      issue,
      new Date(sentAt).toISOString(),
      provider,
      ...COLUMNS.map(({ key }) => (isSilent(key, provider) ? '' : counts[key])),
      last,
    ];
    const groups = Object.entries(byProvider).map(([name, counts]) => row(name, counts, ''));
    return [row('all', all, joined), ...groups];
  });
  return [head, ...rows].map((cells) => `${cells.join(',')}\r\n`).join('');
}

export function isSilent(key: keyof Counts, provider: string | undefined): boolean {
  return key === 'complained' && provider !== undefined && SILENT.includes(provider);
}

export function signed(change: number): string {
  return change > 0 ? `+${change}` : `${change}`.replace('-', '−');
}
