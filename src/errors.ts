/**
 * The one error that Broadsheet throws on purpose. Whatever else is thrown is a bug.
 *
 * An error is for a person: it says what is wrong, where, and what to do. Several mistakes that were
 * found together (a settings file, a Markdown issue) travel together.
 */

/** One mistake. `line` and `column` count from 1. */
export interface Problem {
  message: string;
  /** Path as the person knows it: relative to the newsletter's directory where possible. */
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  /** What to do about it. */
  hint?: string | undefined;
}

/**
 * Whose move it is:
 * `input` wrong use or bad input, nothing was changed (exit 2);
 * `blocked` a check or a missing approval stands in the way (exit 3);
 * `failed` it was tried and did not work (exit 1).
 */
export type ErrorKind = 'input' | 'blocked' | 'failed';

export class BroadsheetError extends Error {
  readonly kind: ErrorKind;
  /** Stable, for programs: kebab-case, e.g. `settings-invalid`. */
  readonly code: string;
  /** Never empty. */
  readonly problems: readonly Problem[];

  constructor(kind: ErrorKind, code: string, problems: Problem | readonly Problem[]) {
    const list: readonly Problem[] = Array.isArray(problems) ? problems : [problems as Problem];
    super(list.map(describeProblem).join('\n'));
    this.name = 'BroadsheetError';
    this.kind = kind;
    this.code = code;
    this.problems = list;
  }
}

/** `config/newsletter.yaml:12:3: message`, with the hint on a line of its own. */
export function describeProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined);
  const head = place.length > 0 ? `${place.join(':')}: ${problem.message}` : problem.message;
  return problem.hint ? `${head}\n  ${problem.hint}` : head;
}

/** Wrong use or bad input; nothing was changed. */
export function inputError(code: string, message: string, where: Omit<Problem, 'message'> = {}) {
  return new BroadsheetError('input', code, { message, ...where });
}

/** A check or a missing approval stands in the way. */
export function blockedError(code: string, message: string, where: Omit<Problem, 'message'> = {}) {
  return new BroadsheetError('blocked', code, { message, ...where });
}

/** It was tried and did not work. */
export function failedError(code: string, message: string, where: Omit<Problem, 'message'> = {}) {
  return new BroadsheetError('failed', code, { message, ...where });
}
