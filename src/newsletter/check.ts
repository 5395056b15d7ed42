/** All checks on one issue, and the gate that stops a send. */
import { createPublicKey } from 'node:crypto';
import { unsubscribeToken } from '../audience/tokens.ts';
import { findingsOfError } from '../check/broken.ts';
import type { Context, Finding } from '../check/check.ts';
import { BroadsheetError, inputError } from '../errors.ts';
import type { IssueId } from '../issue/issue.ts';
import { sign, verifySignature } from '../message/dkim.ts';
import { takeApart, textOfPart } from '../message/parts.ts';
import { fillPieces } from '../message/program.ts';
import { readDocument } from '../render/document.ts';
import { loadTemplates } from '../render/templates.ts';
import { type Composed, compose, uncounted } from './compose.ts';
import { issueFile } from './issues.ts';
import type { Newsletter } from './newsletter.ts';
import { personalAccountOf } from './personal-account.ts';
import { signerOf } from './signer.ts';
import { type OpenPages, tryUnsubscribe } from './unsubscribe-trial.ts';

export interface CheckOptions {
  /** Ask every link and picture on the web whether it answers. */
  links?: boolean | undefined;
  /** Opens the public pages, to try the unsubscribe link on them. */
  openPages?: OpenPages | undefined;
}

/** Plain data. */
export interface CheckReport {
  /** Errors first, then in the order of the file. */
  findings: Finding[];
  /** What could not be looked at, and why. */
  skipped: { id: string; why: string }[];
}

/** Reader of a sample message. Nobody has this id, so the link in it unsubscribes nobody. */
const INERT_ID = 'A'.repeat(22);
const SAMPLE = { delivery: 'check', address: 'reader@example.net', name: null };

/** Composes the issue and gives every finding; where it cannot be composed, why. */
export async function checkIssue(
  newsletter: Newsletter,
  id: IssueId,
  options: CheckOptions = {},
): Promise<CheckReport> {
  try {
    const composed = await compose(newsletter, id, newsletter.clock());
    const trial = options.openPages && (await tryUnsubscribe(newsletter, options.openPages));
    const findings = await findingsOf(newsletter, composed, {
      ...(options.links ? { probe: await probing() } : {}),
      ...(trial ? { unsubscribeProblems: trial.problems } : {}),
    });
    const skipped = trial?.skipped ? [{ id: 'unsubscribe-fails', why: trial.skipped }] : [];
    return { findings, skipped };
  } catch (error) {
    const findings = error instanceof BroadsheetError && findingsOfError(error, issueFile(id));
    if (!findings) throw error;
    return { findings, skipped: [{ id: 'all others', why: 'no mail can be made of it yet' }] };
  }
}

/** What the gate let through. */
export interface Passed {
  findings: Finding[];
  /** Ids of errors that a person overrode, each once. */
  overridden: string[];
}

/**
 * Lets a composed issue pass, or throws with every error found.
 * @param allow ids of findings that a person overrides, beside those of the settings
 * @throws BroadsheetError `checks-failed`; `finding-unknown` for an id that no finding has
 */
export async function gate(
  newsletter: Newsletter,
  composed: Composed,
  allow: readonly string[] = [],
): Promise<Passed> {
  const allowed = await knownIds([...newsletter.settings.check.allow, ...allow]);
  const findings = await findingsOf(newsletter, composed);
  const errors = findings.filter(({ severity }) => severity === 'error');
  const standing = errors.filter(({ id }) => !allowed.includes(id));
  if (standing.length > 0) throw stopped(standing);
  return { findings, overridden: [...new Set(errors.map(({ id }) => id))] };
}

/** What some callers know better: answers of the web and of our own pages; no earlier stories while somebody types. */
export type Known = Partial<Pick<Context, 'probe' | 'unsubscribeProblems' | 'told'>>;

export async function findingsOf(
  newsletter: Newsletter,
  composed: Composed,
  known: Known = {},
): Promise<Finding[]> {
  const { runChecks } = await import('../check/run.ts');
  return runChecks(await contextOf(newsletter, composed, known));
}

/** @throws BroadsheetError `finding-unknown` */
export async function knownIds(ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return ids;
  const { CHECKS } = await import('../check/run.ts');
  const unknown = ids.find((id) => !CHECKS.some((check) => check.id === id));
  if (unknown === undefined) return ids;
  throw inputError('finding-unknown', `There is no finding "${unknown}" that could be allowed`, {
    hint: 'Take the id in brackets from `broadsheet check`, or from docs/checks.md.',
  });
}

/** What the checks look at: one reader's message as it would go out, and all that it was made of. */
export async function contextOf(
  newsletter: Newsletter,
  composed: Composed,
  known: Known = {},
): Promise<Context> {
  const { settings, keys, dir } = newsletter;
  const { text, file, issue, email, program } = composed;
  const token = unsubscribeToken(keys, settings.slug, INERT_ID);
  const pieces = fillPieces(program, { ...SAMPLE, token });
  const { bytes, problem } = await signed(newsletter, pieces);
  const message = takeApart(bytes);
  const { mjml, text: plain, partials } = loadTemplates(dir, settings.template);
  const { repeatedStories } = await import('./repeated.ts');
  return {
    text,
    file,
    issue,
    settings,
    email,
    templates: [mjml, plain, ...Object.values(partials)],
    message,
    // What a link leads to is what there is to check.
    html: readDocument(uncounted(textOfPart(message, 'text/html'), newsletter, composed)),
    plain: textOfPart(message, 'text/plain'),
    unsubscribeUrl: `${settings.site.url.replace(/\/$/, '')}/u/${token}`,
    signatureProblem: problem,
    told: known.told ?? (await repeatedStories(newsletter, issue)),
    now: newsletter.clock(),
    account: await personalAccountOf(newsletter),
    ...known,
  };
}

/** The message as it would go out, and why its signature does not hold, where we sign (D-39). */
async function signed(
  newsletter: Newsletter,
  pieces: Buffer[],
): Promise<{ bytes: Buffer; problem: string | undefined }> {
  const plain = Buffer.concat(pieces);
  try {
    const signer = signerOf(newsletter);
    if (!signer) return { bytes: plain, problem: undefined };
    const bytes = Buffer.concat(await sign(pieces, signer));
    verifySignature(bytes, createPublicKey(signer.key));
    return { bytes, problem: undefined };
  } catch (error) {
    if (!(error instanceof BroadsheetError)) throw error;
    return { bytes: plain, problem: error.problems[0]?.message };
  }
}

/** Asks each address once, whoever wants to know. */
async function probing(): Promise<NonNullable<Context['probe']>> {
  const { probe } = await import('../sources/probe.ts');
  const known = new Map<string, ReturnType<typeof probe>>();
  return (url) => {
    const asked = known.get(url) ?? probe(url);
    known.set(url, asked);
    return asked;
  };
}

function stopped(errors: Finding[]): BroadsheetError {
  return new BroadsheetError(
    'blocked',
    'checks-failed',
    errors.map(({ id, message, file, line, column, hint }) => ({
      message: `${message} [${id}]`,
      file,
      line,
      column,
      hint,
    })),
  );
}
