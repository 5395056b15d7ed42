/** The numbers of a month. */
import type { Command } from 'commander';
import type { Counts } from '../../delivery/numbers.ts';
import type { MonthReport } from '../../newsletter/report.ts';
import { type AddCommand, type Call, withNewsletter } from '../cli.ts';

interface ReportOptions {
  month?: string;
  csv?: boolean;
  html?: boolean;
}

export function registerReport(_program: Command, add: AddCommand): void {
  add<ReportOptions>(
    'report',
    'the numbers of a month: by issue and mailbox provider, against the month before, growth of the list',
    (command) =>
      command
        .option('--month <YYYY-MM>', 'default: this month')
        .option('--csv', 'a row for each issue and provider')
        .option('--html', 'one page with plots, to be opened in a browser'),
    report,
  );
}

async function report(call: Call, _: string[], options: ReportOptions): Promise<number> {
  const verbs = await import('../../newsletter/report.ts');
  const { SILENT } = await import('../../audience/address.ts');
  await withNewsletter(call, async (newsletter) => {
    const month = await verbs.report(newsletter, options.month);
    if (!options.csv && !options.html) return call.terminal.result(month, words(month, SILENT));
    const { reportCsv, reportHtml } = await import('../../newsletter/report-page.ts');
    call.terminal.write(options.csv ? reportCsv(month) : reportHtml(newsletter, month));
  });
  return 0;
}

const COLUMNS: [keyof Counts, string][] = [
  ['planned', 'planned'],
  ['accepted', 'accepted'],
  ['deferred', 'deferred'],
  ['hard', 'hard'],
  ['soft', 'soft'],
  ['unknown', 'unknown'],
  ['complained', 'complained'],
  ['left', 'left'],
];

/** Longest bar, characters. */
const BAR = 40;

/** @param silent providers that report no complaints */
function words(report: MonthReport, silent: readonly string[]): string {
  const { month, before, perIssue, byProvider, days, warnings } = report;
  const issues = perIssue.map(({ issue, all }) => line(issue, all));
  const providers = Object.entries(byProvider).map(([name, counts]) =>
    line(name, counts, silent.includes(name)),
  );
  const sizes = days.map(({ list }) => list);
  const parts: [string, string[]][] = [
    [`${month}, against ${before.month}`, totals(report)],
    [header('By issue'), issues],
    [header('By mailbox provider'), providers],
    ['Accepted by day', bars(days.map(({ day, accepted }) => [day, total(accepted)]))],
    ['Readers who can be mailed', sizes.length > 0 ? [`${sizes[0]} → ${sizes.at(-1)}`] : []],
    ['Clicks, without those of programs', clicks(report)],
    ['Look into', warnings],
  ];
  const shown = parts.filter(([, lines]) => lines.length > 0);
  return [
    ...shown.flatMap(([title, lines]) => [title, ...lines.map((text) => `  ${text}`), '']),
    'QQ, NetEase (163, 126), Apple and Gmail report no complaints: – means that nobody knows.',
  ].join('\n');
}

function clicks({ perIssue }: MonthReport): string[] {
  return perIssue.flatMap(({ issue, clicks }) =>
    clicks.map(({ url, count }) => `${issue.padEnd(18)}${figure(count)}  ${url}`),
  );
}

function totals({ all, joined, left, list, before }: MonthReport): string[] {
  const rows: [string, number, number][] = [
    ['planned', all.planned, before.all.planned],
    ['accepted', all.accepted, before.all.accepted],
    ['hard bounces', all.hard, before.all.hard],
    ['soft bounces', all.soft, before.all.soft],
    ['complained', all.complained, before.all.complained],
    ['joined', joined, before.joined],
    ['left', left, before.left],
    ['readers', list, before.list],
  ];
  return rows.map(([name, now, then]) => {
    const change = now - then;
    return `${name.padEnd(14)}${figure(now)}${figure(then)}  ${change > 0 ? '+' : ''}${change}`;
  });
}

function header(title: string): string {
  return title.padEnd(20) + COLUMNS.map(([, name]) => name.padStart(11)).join('');
}

function line(name: string, counts: Counts, isSilent = false): string {
  const cells = COLUMNS.map(([key]) =>
    isSilent && key === 'complained' ? '–'.padStart(11) : figure(counts[key]),
  );
  return `${name.padEnd(18)}${cells.join('')}`;
}

/** Days on which nothing was sent are left out. */
function bars(days: [string, number][]): string[] {
  const most = Math.max(1, ...days.map(([, count]) => count));
  return days
    .filter(([, count]) => count > 0)
    .map(([day, count]) => {
      const bar = '█'.repeat(Math.max(1, Math.round((count / most) * BAR)));
      return `${day}${figure(count)}  ${bar}`;
    });
}

function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function figure(value: number): string {
  return value.toLocaleString('en').padStart(11);
}
