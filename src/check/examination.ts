/** What `doctor` says of one thing that it looked at. */

/** `warn` works, or cannot be known; `fail` does not work, or makes providers refuse the mail. */
export type State = 'ok' | 'warn' | 'fail';

/** Plain data: `doctor --json` prints it. */
export interface Examination {
  /** Stable, kebab-case. */
  id: string;
  state: State;
  /** What was looked at: `SPF of bounce.example.com`. */
  subject: string;
  found: string;
  /** What to do; null where there is nothing to do. */
  fix: string | null;
}

/** One subject under examination: gives what is found of it, in one line whatever a server put into it. */
export function examining(id: string, subject: string) {
  return (state: State, found: string, fix: string | null = null): Examination => ({
    id,
    state,
    subject,
    found: found.replace(/\p{Cc}+/gu, ' '),
    fix: fix?.replace(/\p{Cc}+/gu, ' ') ?? null,
  });
}
