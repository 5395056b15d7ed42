/** What a sceptical postmaster would say of an issue, before anybody else can. */
import type { Email } from '../issue/email.ts';
import type { Issue } from '../issue/issue.ts';
import { imagesOf } from '../issue/markdown.ts';
import { findChecks } from '../issue/parse.ts';

export interface Finding {
  /** Stable, kebab-case: what `--allow` names. */
  id: string;
  /** An error stops a send. */
  severity: 'error' | 'warning' | 'info';
  message: string;
  file: string;
  /** From 1; absent where the finding is about the whole. */
  line?: number | undefined;
  hint?: string | undefined;
  /** Rule or document that it rests on. */
  source?: string | undefined;
}

/** Bytes of HTML that Gmail still shows whole (H-01), and where a warning begins. */
const CLIPPED = 100_000;
const NEAR_CLIPPED = 80_000;

/** Checks on the editor's file: unfinished marks, pictures, links, and whether there is anything to send. */
export function checkFile(text: string, issue: Issue, file: string): Finding[] {
  return [
    ...unfinished(text, file),
    ...nothingToSend(issue, file),
    ...pictures(text, file),
    ...withoutLink(issue, file),
  ];
}

/** Checks on the rendered mail: subject, size. */
export function checkEmail(email: Email, file: string): Finding[] {
  return [...subject(email, file), ...size(email, file)];
}

function unfinished(text: string, file: string): Finding[] {
  return findChecks(text).map((mark) => ({
    id: 'unfinished-check',
    severity: 'error',
    message: `Left to check: ${mark.text}`,
    file,
    line: mark.line,
    hint: 'Settle it and delete the <!-- check: … --> mark.',
  }));
}

function nothingToSend(issue: Issue, file: string): Finding[] {
  const shown = issue.sections.filter((section) => !section.held);
  const filled = shown.some((section) => section.prose || section.items.some((item) => !item.held));
  if (filled || issue.opening) return [];
  return [
    { id: 'issue-empty', severity: 'error', message: 'There is nothing to send in it', file },
  ];
}

/** A reader who wants to know more has nowhere to go. */
function withoutLink({ sections }: Issue, file: string): Finding[] {
  return sections
    .filter(({ held, ad }) => !held && !ad)
    .flatMap(({ items }) => items)
    .filter(
      ({ held, ad, links, body }) =>
        !held && !ad && links.length === 0 && !/https?:\/\//.test(body),
    )
    .map(({ headline, line }) => ({
      id: 'item-without-link',
      severity: 'warning',
      message: `"${headline}" names no source`,
      file,
      line,
      hint: 'End the item with a line of links: [where it comes from](https://…)',
    }));
}

function pictures(text: string, file: string): Finding[] {
  return imagesOf(text)
    .filter((image) => !image.alt)
    .map((image) => ({
      id: 'image-without-alt',
      severity: 'error',
      message: `The picture ${image.src} has no description`,
      file,
      line: image.line,
      hint: 'Write ![what it shows](address): many readers see only the words.',
      source: 'H-13',
    }));
}

function subject({ subject }: Email, file: string): Finding[] {
  if (!/^(re|fwd?|回复|转发)\s*[:：]/i.test(subject)) return [];
  return [
    {
      id: 'subject-pretends',
      severity: 'error',
      message: `The subject "${subject}" pretends to be an answer or a forwarded mail`,
      file,
      source: 'D-29',
    },
  ];
}

function size({ html }: Email, file: string): Finding[] {
  const bytes = Buffer.byteLength(html);
  if (bytes < NEAR_CLIPPED) return [];
  const severity = bytes < CLIPPED ? 'warning' : 'error';
  const message = `The mail has ${bytes} bytes of HTML; Gmail cuts off at about ${CLIPPED}`;
  return [{ id: 'html-size', severity, message, file, source: 'H-01' }];
}
