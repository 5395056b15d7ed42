/**
 * What a sceptical postmaster would say of an issue, before anybody else can. A check is data: add an
 * entry to the list of its family (`issue.ts`, `links.ts`, …), and a fixture that fails it.
 */
import type { Settings } from '../config/settings.ts';
import type { Email } from '../issue/email.ts';
import type { Issue } from '../issue/issue.ts';
import type { RawMessage } from '../message/parts.ts';
import type { HtmlDocument } from '../render/document.ts';
import type { TemplateFile } from '../render/templates.ts';
import type { Probe } from '../sources/probe.ts';
import type { PersonalAccount } from './account.ts';

/** An error stops a send, unless a person overrides it by its id. */
export type Severity = 'error' | 'warning' | 'info';

/** Plain data: `check --json` prints it, the studio shows it beside its line. */
export interface Finding {
  /** Stable, kebab-case: what `--allow` names. */
  id: string;
  severity: Severity;
  /** What is wrong here. */
  message: string;
  /** Relative to the newsletter's directory. */
  file: string;
  /** From 1; absent where the finding is about the whole. */
  line?: number | undefined;
  column?: number | undefined;
  /** What to do. */
  hint?: string | undefined;
  /** Why it matters to readers or mailbox providers. */
  reason: string;
  /** Rule that it rests on, and where that is told. */
  source: string;
  url: string;
}

/** What a check says of one place; the rest of the finding stands in the check. */
export interface Found {
  message: string;
  hint?: string | undefined;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  /** Absent: that of the check. */
  severity?: Severity;
}

export interface Check {
  id: string;
  severity: Severity;
  /** Why it matters, one sentence. */
  reason: string;
  /** Rule, such as `H-13`. */
  source: string;
  /** Where the rule is told. */
  url: string;
  /** Looks; a place that is not named is the issue's file. */
  find: (context: Context) => Iterable<Found> | Promise<Iterable<Found>>;
}

/** Everything that checks look at. They change nothing of it. */
export interface Context {
  /** The editor's file as it stands, its path for people, and what it says. */
  text: string;
  file: string;
  issue: Issue;
  settings: Pick<
    Settings,
    'name' | 'language' | 'sender' | 'listId' | 'site' | 'dkim' | 'commercial' | 'delivery'
  >;
  /** The mail for everybody, with slot markers. */
  email: Email;
  /** All that the mail is drawn from; the one that holds the rest comes first. */
  templates: readonly TemplateFile[];
  /** One reader's message as it goes over the wire, taken apart; the HTML and text in it. */
  message: RawMessage;
  html: HtmlDocument;
  plain: string;
  /** The unsubscribe link of that reader. */
  unsubscribeUrl: string;
  /** Why our own signature does not hold, where we sign. */
  signatureProblem: string | undefined;
  /** Items that an earlier issue has told. */
  told: readonly { id: string; issue: string; headline: string }[];
  /** ms. */
  now: number;
  /** Asks the web; only on demand. */
  probe?: ((url: string) => Promise<Probe>) | undefined;
  /** The account that mails, where it is a person's own mailbox. */
  account?: PersonalAccount | undefined;
  /** What went wrong when the unsubscribe link was tried on a server of our own; absent: not tried. */
  unsubscribeProblems?: readonly string[] | undefined;
}

/** Where the rules without a public text of their own are explained. */
export const OWN_PAGE = 'docs/checks.md';
