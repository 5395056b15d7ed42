/** Figures of a suite, and how they are shown. */
import type { Used } from './used.ts';

/** Cells by column; NaN where there is none. */
export type Row = Record<string, string | number>;

export interface Table {
  /** What was measured, and how. */
  about: string;
  rows: Row[];
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** One row for each contestant, medians over its rounds; ratios are of the same round. @param base whom others are compared with */
export function rowsOf(runs: ReadonlyMap<string, readonly Used[]>, base: string): Row[] {
  const of = runs.get(base) ?? [];
  return [...runs].map(([name, rounds]) => {
    const over = (figure: (used: Used, of: Used) => number) =>
      median(rounds.map((used, round) => figure(used, of[round] as Used)));
    return {
      contestant: name,
      'mails/s': over(rate),
      'CPU µs/mail': over(cpu),
      'peak MB': over(({ rssMb }) => rssMb),
      [`wall, × ${base}`]: over((used, of) => rate(of) / rate(used)),
      [`CPU, × ${base}`]: over((used, of) => cpu(used) / cpu(of)),
    };
  });
}

/** Mails a second. */
export function rate({ mails, ms }: Used): number {
  return mails / (ms / 1000);
}

/** µs of CPU for each mail. */
export function cpu({ mails, cpuMs }: Used): number {
  return (cpuMs * 1000) / mails;
}

/** Markdown: what was measured, then the table. */
export function markdown({ about, rows }: Table): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const table = [
    line(columns),
    line(columns.map((_, index) => (index === 0 ? '---' : '--:'))),
    ...rows.map((row) => line(columns.map((column) => shown(row[column])))),
  ];
  return [about, ...(rows.length > 0 ? [table.join('\n')] : [])].join('\n\n');
}

/** Three digits that count, all of those before the point. */
function shown(value: string | number = ''): string {
  if (typeof value === 'string') return value;
  if (Number.isNaN(value)) return '';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
