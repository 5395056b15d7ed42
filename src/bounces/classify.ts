/** What a report means for its reader: the table of standards 1.9 by way of `classifyReport`, finality by `Action`. */
import { type Provider, providerOf } from '../audience/address.ts';
import type { Consequence } from '../delivery/outcome.ts';
import { classifyReport, type Report as Reply } from '../delivery/replies.ts';
import { type Place, placeOf, quotedReply, statusIn } from './notice.ts';
import type { Recipient, Report } from './parse.ts';
import { type Meaning, meaningsOf } from './words.ts';

export const KINDS = [
  'hard',
  'soft',
  'full',
  'blocked',
  'content',
  'authentication',
  'delayed',
  'delivered',
  'auto-reply',
  'complaint',
  'unsubscribe',
  'unclassified',
  'mail',
] as const;

/**
 * `delayed` is not final; `unclassified` is for a person to look at; `mail` is no report at all.
 */
export type Kind = (typeof KINDS)[number];

export interface Finding {
  kind: Kind;
  /** A word of `delivery/replies.ts`, or why there is none. */
  reason: string;
  /** The words of the server. */
  reply: string;
  status: string;
  /** What follows for the reader, once it is known who that is; null: nothing. */
  consequence: 'suppress' | 'soft' | 'unsubscribe' | 'complaint' | null;
  /** True where nothing more will come of this mail. */
  isFinal: boolean;
  /** Whom the report names; empty where it names nobody. */
  recipient: string;
}

const NOTHING: Omit<Finding, 'kind' | 'reason'> = {
  reply: '',
  status: '',
  consequence: null,
  isFinal: false,
  recipient: '',
};

/**
 * What a report says, one finding for each recipient that it names, and one where it names none.
 * @param provider the recipient's, where it is known otherwise
 */
export function findingsOf(report: Report, provider?: Provider): Finding[] {
  const { form, recipients, feedback } = report;
  if (form === 'mail' || form === 'auto-reply') return [{ ...NOTHING, kind: form, reason: form }];
  if (form === 'feedback') {
    const recipient = recipients[0]?.finalRecipient ?? '';
    return [{ ...feedbackFinding(feedback), recipient }];
  }
  return recipients.map((recipient) => findingOf(report, recipient, provider));
}

/** RFC 5965 7.3; RFC 6591 3.1 (`auth-failure`). What no reader said is for a person. */
function feedbackFinding(feedback: string): Finding {
  const reason = `feedback: ${feedback || 'of no type'}`;
  if (feedback === 'not-spam') return { ...NOTHING, kind: 'delivered', reason, isFinal: true };
  if (feedback === 'auth-failure' || feedback === 'dmarc')
    return { ...NOTHING, kind: 'authentication', reason };
  if (feedback.startsWith('opt-out'))
    return { ...NOTHING, kind: 'unsubscribe', reason, consequence: 'complaint', isFinal: true };
  const isComplaint = /^(?:abuse|fraud|complaint|spam)?$/.test(feedback);
  if (isComplaint)
    return { ...NOTHING, kind: 'complaint', reason, consequence: 'complaint', isFinal: true };
  return { ...NOTHING, kind: 'unclassified', reason };
}

function findingOf(report: Report, recipient: Recipient, provider?: Provider): Finding {
  const action = actionOf(report, recipient);
  const named = recipient.finalRecipient || recipient.originalRecipient;
  const reply = replyOf(recipient.diagnostic);
  const base = { ...NOTHING, recipient: named, reply, status: recipient.status };
  if (action === 'delayed') return { ...base, kind: 'delayed', reason: 'delayed' };
  if (action !== 'failed') return { ...base, kind: 'delivered', reason: action, isFinal: true };
  return { ...base, isFinal: true, ...failure(report, recipient, groupOf(recipient, provider)) };
}

/** D-52; where no action is said, 4.x.x may still arrive. */
function actionOf(
  { form }: Report,
  { action, status }: Recipient,
): Exclude<Recipient['action'], ''> {
  if (action !== '') return action;
  if (form === 'notice' || status === '' || status.startsWith('5')) return 'failed';
  return status.startsWith('2') ? 'delivered' : 'delayed';
}

/** The mailbox provider, also of domains of other people that it serves. */
function groupOf(
  { finalRecipient, originalRecipient, remoteMta }: Recipient,
  known?: Provider,
): Provider {
  const group = known ?? providerOf(finalRecipient || originalRecipient);
  return group === 'other' && /(?:^|[.@])qq\.com\b/i.test(remoteMta) ? 'qq' : group;
}

type Failure = Pick<Finding, 'kind' | 'reason' | 'consequence'>;

/** A final failure: the table decides by status and reply; where these say too little or too much, words do. */
function failure(report: Report, recipient: Recipient, provider: Provider): Failure {
  const reply = replyOf(recipient.diagnostic);
  const status = statusOf(report, recipient, reply);
  const isCoded = status !== '' || /^[45]\d\d\b/.test(reply);
  // The table takes a bare 550 for a mailbox that is not there, because it knows the answer to be RCPT's. In a report
  // nobody knows that: there the words have to say so.
  const first = outcomeOf({ status: status || '5.0.0', diagnostic: reply, provider });
  const meaning =
    byPlace(placeOf(`${recipient.said} ${recipient.diagnostic}`), first, reply) ??
    (first.reason === 'hard-bounce'
      ? doubt(reply || recipient.diagnostic, status, report.notice)
      : meaningOfFailure(first, report, reply, status));
  if (meaning !== null) return outcomeOf({ ...SAME_AS[meaning], provider });
  const isCertain = report.form === 'delivery-status' || report.isCertain;
  const isKnown = !isOpen(first) || isCoded || isCertain;
  return isKnown ? first : { kind: 'unclassified', reason: 'unclassified', consequence: null };
}

/** Whether the table knows no more than that it failed. */
function isOpen({ reason }: Pick<Failure, 'reason'>): boolean {
  return reason === 'refused' || reason === 'gave-up';
}

/** The answer of the server that refused, out of what another one tells of it. */
function replyOf(diagnostic: string): string {
  const plain = diagnostic.replace(/^\s*[\w-]{1,20}\s*;\s*/, '');
  if (/^[45]\d\d\b/.test(plain)) return plain;
  return quotedReply(diagnostic) || plain;
}

/** Codes that say no more than that it failed, or that servers use for anything (RFC 3463: X.0.0, X.1.0, X.5.0, …). */
const VAGUE = /^[45]\.(?:0\.\d+|\d\.0|5\.\d|7\.1|4\.1|3\.\d|9\.\d+)$/;

function isVague(status: string): boolean {
  return status === '' || VAGUE.test(status) || status === '5.4.4';
}

/**
 * The status code to go by. Where the relay and the server that refused differ, the latter knows; a relay often makes
 * one up from the reply code.
 */
function statusOf({ form, notice }: Report, { status }: Recipient, reply: string): string {
  const own = statusIn(reply.slice(0, 60)) || statusIn(reply);
  const given = status.startsWith('2') ? '' : status;
  if (given === '')
    return own || (form === 'notice' && !/^[45]\d\d\b/.test(reply) ? statusIn(notice) : '');
  if (own === '' || own[0] !== given[0]) return given;
  return VAGUE.test(own) && !VAGUE.test(given) ? given : own;
}

/**
 * What follows from where the answer came: before the recipient was named it is about us, and whoever took the
 * recipient and refuses the mail behind it without a code filters, whatever the words say.
 */
function byPlace(place: Place | null, { reason }: Failure, reply: string): Meaning | null {
  const isHard = reason === 'hard-bounce';
  const isAnswer = /^[45]\d\d\b/.test(reply);
  if (place === 'greeting') return isAnswer && (isHard || isBare(reason, reply)) ? 'blocked' : null;
  if (place === 'sender') return isHard ? 'sender-refused' : null;
  return place === 'body' && isHard && statusIn(reply) === '' ? 'refused' : null;
}

/** Whether neither the code nor the words name a cause. */
function isBare(reason: string, reply: string): boolean {
  const said = meaningsOf(reply).filter((meaning) => !CONDEMNING.includes(meaning));
  return isOpen({ reason }) && said.every((meaning) => UNSAID.includes(meaning));
}

/** Status codes and words that say the same as a meaning (RFC 3463), for the table to decide. */
const SAME_AS: Record<Meaning, Omit<Reply, 'provider'>> = {
  refused: { status: '5.0.0', diagnostic: '' },
  'system-failed': { status: '5.3.0', diagnostic: '' },
  'sender-refused': { status: '5.0.0', diagnostic: '' },
  'rate-limited': { status: '', diagnostic: '550 frequency limited' },
  'too-large': { status: '5.3.4', diagnostic: '' },
  'mailbox-full': { status: '5.2.2', diagnostic: '' },
  authentication: { status: '5.7.26', diagnostic: '' },
  blocked: { status: '5.7.606', diagnostic: '' },
  content: { status: '5.6.0', diagnostic: '' },
  'refused-by-reader': { status: '', diagnostic: '550 rejected by recipient' },
  expired: { status: '4.4.7', diagnostic: '' },
  disabled: { status: '5.2.1', diagnostic: '' },
  'no-such-host': { status: '5.1.2', diagnostic: '' },
  'no-such-user': { status: '5.1.1', diagnostic: '' },
};

/** There is a mailbox, or a program that failed to write to it. */
const KEEPING: readonly Meaning[] = ['mailbox-full', 'system-failed'];

const CONDEMNING: readonly Meaning[] = ['disabled', 'no-such-host', 'no-such-user'];

/** Meanings that name no cause. */
const UNSAID: readonly Meaning[] = ['sender-refused', 'expired', 'refused'];

/**
 * A code that condemns a reader, with words of the same server that say something else: the words decide. So they do
 * where people are told of a full mailbox and of nothing else.
 */
function doubt(words: string, status: string, notice: string): Meaning | null {
  const told = meaningsOf(notice);
  if (told[0] === 'mailbox-full' && !CONDEMNING.some((meaning) => told.includes(meaning)))
    return 'mailbox-full';
  const meanings = meaningsOf(words);
  const isKept = KEEPING.some((meaning) => meanings.includes(meaning));
  if (!isKept && CONDEMNING.some((meaning) => meanings.includes(meaning))) return null;
  const said = meanings.find((meaning) => meaning !== 'expired');
  // Something does not exist, but not even the code says that it is the reader.
  return said ?? (isVague(status) ? 'sender-refused' : null);
}

/** What words say where the code says nothing. */
function meaningOfFailure(
  first: Failure,
  { form, notice }: Report,
  reply: string,
  status: string,
): Meaning | null {
  if (!isOpen(first)) return null;
  const inNotice =
    isVague(status) && !/^[45]\d\d\b/.test(reply) && (form === 'notice' || reply === '');
  const [said = null] = [...meaningsOf(reply), ...(inNotice ? meaningsOf(notice) : [])];
  // Asked again and again, and put off each time: an address is not given up for that.
  const isPutOff = status.startsWith('4') || reply.startsWith('4');
  return said !== null && isPutOff && CONDEMNING.includes(said) ? null : said;
}

const KIND_OF: Record<string, Kind> = {
  'hard-bounce': 'hard',
  'mailbox-full': 'full',
  blocked: 'blocked',
  'rate-limited': 'blocked',
  authentication: 'authentication',
  content: 'content',
  'too-large': 'content',
  'rejected-by-reader': 'unsubscribe',
};

function outcomeOf(reply: Reply): Failure {
  const { reason, consequence } = classifyReport(reply);
  return { kind: KIND_OF[reason] ?? 'soft', reason, consequence: consequenceOf(consequence) };
}

/** Holds and stops are for the sender of mail under way; a report comes too late for them. */
function consequenceOf(consequence: Consequence | undefined): Finding['consequence'] {
  switch (consequence?.kind) {
    case 'suppress':
    case 'soft':
    case 'unsubscribe':
      return consequence.kind;
    default:
      return null;
  }
}
