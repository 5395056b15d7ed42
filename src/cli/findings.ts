/** Findings for a person at a terminal: by file, each with its place, what to do and why. */
import pc from 'picocolors';
import type { Finding, Severity } from '../check/check.ts';

const COLOURS: Record<Severity, (text: string) => string> = {
  error: pc.red,
  warning: pc.yellow,
  info: pc.blue,
};

/** One finding in a few lines; the place can be clicked on in most terminals. */
export function findingWords(finding: Finding): string {
  const { severity, id, message, file, line, column, hint, reason, source, url } = finding;
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  const head = `${COLOURS[severity](severity.padEnd(7))} ${pc.bold(place)}`;
  const lines = [
    `${message} ${pc.dim(`[${id}]`)}`,
    hint ?? '',
    pc.dim(`${reason} ${source}, ${url}`),
  ];
  return [head, ...lines.filter(Boolean).map((text) => `        ${text}`)].join('\n');
}

/** The line at the end. */
export function findingsSummary(findings: readonly Finding[]): string {
  if (findings.length === 0) return pc.green('No findings.');
  const count = (severity: Severity, one: string, more: string) => {
    const n = findings.filter((finding) => finding.severity === severity).length;
    return n === 0 ? '' : COLOURS[severity](`${n} ${n === 1 ? one : more}`);
  };
  const counts = [
    count('error', 'error', 'errors'),
    count('warning', 'warning', 'warnings'),
    count('info', 'note', 'notes'),
  ];
  return counts.filter(Boolean).join(', ');
}
