/**
 * What a relay's answer means for a delivery: an ordered table, standards 1.9 as data. The first row that
 * fits decides. Total: any answer, and none, has a meaning.
 */
import type { Provider } from '../audience/address.ts';
import { accepted, type Outcome } from './outcome.ts';
import { attemptsWithin } from './retry.ts';

/** Where in the conversation the answer came. */
export type Phase = 'connect' | 'auth' | 'sender' | 'recipient' | 'data';

export interface Answer {
  phase: Phase;
  /** Reply code; null where the connection broke or timed out. */
  code: number | null;
  /** The relay's words with its code, or the error's. */
  words: string;
  /** A byte of the body may have left: the relay may have the mail. */
  bodyBegun: boolean;
  /** The recipient's; absent: `other`. */
  provider?: Provider;
}

/** What an undeliverable-mail report says of one recipient that it gives up (RFC 3464, `Action: failed`). */
export interface Report {
  /** `5.1.1`; empty where there is none. */
  status: string;
  /** `smtp; 550 5.1.1 …`; empty where there is none. */
  diagnostic: string;
  /** The recipient's. */
  provider: Provider;
}

/** Every reason that an outcome can have, in one sentence each, for reports and the manual. */
export const REASONS = {
  accepted: 'The relay has taken the mail.',
  'login-refused': 'The relay refuses our user name, password or token.',
  'login-failed': 'Logging in to the relay did not work this time.',
  'relay-unreachable':
    'The relay could not be reached, turned us away, or broke off before the mail.',
  'relay-closing': 'The relay closed the connection; it is asked again.',
  'out-of-step': 'The relay answered something that does not fit what it was asked.',
  'sender-refused': 'The relay refuses our sender address: no reader would get this issue.',
  'sender-quota': 'Our account may not send any more mail for now.',
  'too-large': 'The mail is larger than is allowed.',
  authentication: 'SPF, DKIM, DMARC, TLS or reverse DNS of our domain is not in order.',
  blocked: 'The mailbox provider blocks our address or domain for its reputation.',
  'rate-limited': 'The mailbox provider gets too much mail from us at once.',
  'rejected-by-reader': 'The reader has blocked us at the mailbox provider.',
  content: 'The mail was taken for spam or refused for its content.',
  'hard-bounce': 'There is no such mailbox, or it is closed.',
  'mailbox-full': "The reader's mailbox is full.",
  refused: 'The mail was refused for this reader, for another cause.',
  greylisted: 'The mailbox provider wants to be asked again later, as a test of the sender.',
  temporary: 'The mail was refused for the time being.',
  'lost-after-body': 'The connection was lost after the mail had left: it may have arrived.',
  'gave-up': 'The relay had taken the mail, tried for long and gave up.',
  'needs-smtputf8': 'The address has letters that the relay cannot handle.',
  'cannot-be-composed': 'The mail could not be made for this reader.',
  'sender-ended': 'Broadsheet ended before the relay had answered: the mail may have arrived.',
} as const;

export type Reason = keyof typeof REASONS;

/** `none`: no code, or one that ends nothing (3xx) or does not exist. */
type CodeClass = '2xx' | '4xx' | '5xx' | 'none';

/** All that is named has to fit; a row without any fits everything. */
interface Match {
  phases?: readonly Phase[];
  codes?: readonly (number | CodeClass)[];
  bodyBegun?: boolean;
  provider?: Provider;
  /** Enhanced status code (RFC 3463). */
  enhanced?: RegExp | 'none';
  /** The relay's words, in any case. */
  words?: RegExp;
  /** These are not among them. */
  without?: RegExp;
}

/** What follows when a row fits. */
type Effect = Pick<Outcome, 'state' | 'consequence' | 'retryAfter' | 'mostAttempts'> & {
  relayFault?: boolean;
};

export interface Rule extends Effect {
  /** Unique, kebab-case. */
  name: string;
  /** Row of standards 1.9; 0: what the table takes for granted. */
  row: number;
  /** Where that comes from. */
  source: string;
  reason: Reason;
  match: Match;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The relay's fault: asked again, no attempt counted. */
const RELAY = { state: 'deferred', relayFault: true } as const;
/** All recipients would fail: the delivery goes back into the queue. */
const STOP = { ...RELAY, consequence: { kind: 'stop' } } as const;
const RETRY = { state: 'deferred' } as const;
/** Not this issue. */
const SKIP = { state: 'failed' } as const;
const SOFT = { ...SKIP, consequence: { kind: 'soft' } } as const;
const SUPPRESS = { ...SKIP, consequence: { kind: 'suppress' } } as const;
/** QQ says with 550 what others say with 4xx (D-47): worth three attempts, then skipped. */
const QQ_PAUSE = { ...hold(HOUR, false), mostAttempts: 3 };
const FULL = {
  ...RETRY,
  consequence: { kind: 'soft' },
  mostAttempts: attemptsWithin(DAY),
} as const;

function hold(ms: number, tell: boolean): Effect {
  return { ...RETRY, consequence: { kind: 'hold', ms, tell } };
}

/** Phases whose answer is about this reader or this mail. */
const MAIL = ['recipient', 'data'] as const;

/** Words that name another cause than a mailbox that is not there; rather too many than too few. */
const OTHER_CAUSE =
  /spam|block|polic|reputation|den(?:y|ied)|spf|dkim|dmarc|rbl|listed|abuse|unsolicited|complain|virus|content|limit|too many|quota|full|storage|size|relay|sender|helo|dns|\bptr\b|reverse|authenticat|permi(?:t|ssion)|prohibit|reject(?:ed)? (?:by|due|for|because)|try again|temporar|suspect|attack|\b(?:dt|hl|mi|rp):[a-z]{3}\b/i;

/** The first that fits decides; the last fits everything. The order is that of standards 1.9. */
export const RULES: readonly Rule[] = [
  {
    name: 'accepted',
    row: 0,
    source: 'RFC 5321 4.2.1',
    reason: 'accepted',
    match: { phases: ['data'], codes: ['2xx'], bodyBegun: true },
    state: 'accepted',
  },
  {
    name: 'lost-after-body',
    row: 17,
    source: 'D-64; RFC 1047',
    reason: 'lost-after-body',
    match: { codes: ['none', '2xx'], bodyBegun: true },
    state: 'unknown',
  },
  {
    name: 'out-of-step',
    row: 2,
    source: 'reliability 2.4',
    reason: 'out-of-step',
    match: { codes: ['2xx'] },
    ...RELAY,
  },
  {
    name: 'login-refused',
    row: 1,
    source: 'RFC 4954 6',
    reason: 'login-refused',
    match: { phases: ['auth'], codes: [530, 534, 535] },
    ...STOP,
  },
  {
    name: 'login-refused-enhanced',
    row: 1,
    source: 'RFC 4954 6: 5.7.8, 5.7.9',
    reason: 'login-refused',
    match: { phases: ['auth'], enhanced: /^5\.7\.[89]$/ },
    ...STOP,
  },
  {
    name: 'login-later',
    row: 1,
    source: 'RFC 4954 6: 454 4.7.0',
    reason: 'login-failed',
    match: { phases: ['auth'], codes: [454] },
    ...RELAY,
    retryAfter: 5 * MINUTE,
  },
  {
    name: 'login-failed',
    row: 1,
    source: 'RFC 4954 6',
    reason: 'login-failed',
    match: { phases: ['auth'] },
    ...RELAY,
  },
  {
    name: 'relay-unreachable',
    row: 2,
    source: 'RFC 5321 4.5.4',
    reason: 'relay-unreachable',
    match: { codes: ['none'] },
    ...RELAY,
  },
  {
    name: 'relay-refuses-connection',
    row: 2,
    source: 'RFC 5321 3.1, 3.8',
    reason: 'relay-unreachable',
    match: { phases: ['connect'] },
    ...RELAY,
  },
  {
    name: 'sender-quota',
    row: 3,
    source: 'G-COD 5.4.5, at whatever command it comes',
    reason: 'sender-quota',
    match: { codes: ['5xx'], enhanced: /^5\.4\.5$/, words: /limit|quota|exceed/i },
    ...STOP,
  },
  {
    name: 'sender-too-large',
    row: 3,
    source: 'RFC 1870 6.1; RFC 3463 5.3.4',
    reason: 'too-large',
    match: { phases: ['sender'], enhanced: /^5\.(?:3\.4|2\.3)$/ },
    ...STOP,
  },
  {
    name: 'sender-too-large-bare',
    row: 3,
    source: 'RFC 1870 6.1: 552',
    reason: 'too-large',
    match: { phases: ['sender'], codes: [552], enhanced: 'none' },
    ...STOP,
  },
  {
    name: 'sender-refused',
    row: 3,
    source: 'RFC 5321 4.2.1',
    reason: 'sender-refused',
    match: { phases: ['sender'], codes: ['5xx'] },
    ...STOP,
  },
  {
    name: 'frequency-limit',
    row: 4,
    source: 'D-47; of any provider, as a relay at QQ says it too',
    reason: 'rate-limited',
    match: { phases: MAIL, codes: ['5xx'], words: /frequency (?:is )?limit/i },
    ...QQ_PAUSE,
  },
  {
    name: 'qq-pause',
    row: 4,
    source: 'D-47',
    reason: 'rate-limited',
    match: {
      phases: MAIL,
      codes: ['5xx'],
      provider: 'qq',
      words: /mailbox unavailable or access denied|connection denied|\bip\b.{0,30}\blimited/i,
    },
    ...QQ_PAUSE,
  },
  {
    name: 'qq-reader',
    row: 5,
    source: 'D-47',
    reason: 'rejected-by-reader',
    match: {
      phases: MAIL,
      codes: ['5xx'],
      provider: 'qq',
      words: /rejected by (?:the )?recipient|user reject/i,
    },
    ...SKIP,
    consequence: { kind: 'unsubscribe' },
  },
  {
    name: 'authentication',
    row: 6,
    source: 'G-COD; G-FAQ; M-BLOG; RFC 7372 (5.7.20 to 5.7.25)',
    reason: 'authentication',
    match: { phases: MAIL, enhanced: /^5\.7\.(?:2[0-79]|3[0-2]|40|509|515)$/ },
    ...STOP,
  },
  {
    name: 'authentication-for-now',
    row: 6,
    source: 'G-COD; G-FAQ; 4.7.28 is about the rate',
    reason: 'authentication',
    match: { phases: MAIL, enhanced: /^4\.7\.(?:2[3679]|3[0-2]|40)$/ },
    ...STOP,
  },
  {
    name: 'authentication-words',
    row: 6,
    source: 'D-47',
    reason: 'authentication',
    match: {
      phases: MAIL,
      codes: ['4xx', '5xx'],
      words: /\b(?:spf|dkim|dmarc)\b.{0,20}\bcheck fail/i,
    },
    ...STOP,
  },
  {
    name: 'blocked-microsoft',
    row: 7,
    source: 'M-POL: 5.7.606 to 5.7.649, 5.7.508',
    reason: 'blocked',
    match: { phases: MAIL, enhanced: /^5\.7\.(?:508|60[6-9]|6[1-4]\d)$/ },
    ...hold(DAY, true),
  },
  {
    name: 'blocked-outlook',
    row: 7,
    source: 'M-POL: S3140, S3150',
    reason: 'blocked',
    match: { phases: MAIL, codes: ['5xx'], words: /\bS31[45]0\b/i },
    ...hold(DAY, true),
  },
  {
    name: 'blocked-list',
    row: 7,
    source: 'M-POL; D-48',
    reason: 'blocked',
    match: { phases: MAIL, codes: ['4xx', '5xx'], words: /spamhaus|\brbl\b|\bdns[bw]l\b/i },
    ...hold(DAY, true),
  },
  {
    name: 'blocked-reputation',
    row: 7,
    source: 'G-COD',
    reason: 'blocked',
    match: { phases: MAIL, codes: ['5xx'], words: /\breputation\b/i },
    ...hold(DAY, true),
  },
  {
    name: 'blocked-word',
    row: 7,
    source: 'M-POL; G-COD; a message or a reader that is blocked is another matter',
    reason: 'blocked',
    match: {
      phases: MAIL,
      codes: ['5xx'],
      words: /\bblocked\b/i,
      without:
        /(?:message|mail|content) (?:is|was|has been) blocked|(?:user|account|mailbox) (?:is |was |has been )?blocked|blocked by (?:the |this )?(?:recipient|user)/i,
    },
    ...hold(DAY, true),
  },
  {
    name: 'content-netease',
    row: 8,
    source: 'D-48',
    reason: 'content',
    match: { phases: MAIL, codes: ['5xx'], words: /\bDT:SPM\b/i },
    ...SKIP,
  },
  {
    name: 'content-words',
    row: 8,
    source: 'D-47 (QQ); Y-ERR (PH)',
    reason: 'content',
    match: {
      phases: MAIL,
      codes: ['5xx'],
      words: /mail content denied|suspected spam|\[PH\d\d\]/i,
    },
    ...SKIP,
  },
  {
    name: 'content-format',
    row: 8,
    source: 'RFC 3463 3.7; not 5.6.7, which is about the address (RFC 6531)',
    reason: 'content',
    match: { phases: MAIL, enhanced: /^5\.6\.(?:[0-689]|\d{2,3})$/ },
    ...SKIP,
  },
  {
    name: 'content-policy',
    row: 8,
    source: 'G-COD 5.7.0, 5.7.1',
    reason: 'content',
    match: { phases: MAIL, enhanced: /^5\.7\.[01]$/, words: /spam|content|unsolicited/i },
    ...SKIP,
  },
  {
    name: 'content-bare',
    row: 8,
    source: 'as 5.7.1, of servers without enhanced codes',
    reason: 'content',
    match: { phases: ['data'], codes: ['5xx'], enhanced: 'none', words: /spam|unsolicited/i },
    ...SKIP,
  },
  {
    name: 'too-large',
    row: 9,
    source: 'RFC 3463: 5.3.4, 5.2.3',
    reason: 'too-large',
    match: { phases: MAIL, enhanced: /^5\.(?:3\.4|2\.3)$/ },
    ...STOP,
  },
  {
    name: 'too-large-bare',
    row: 9,
    source: 'RFC 1870 6.3: 552',
    reason: 'too-large',
    match: { phases: MAIL, codes: [552], enhanced: 'none', words: /\bsize\b|too (?:big|large)/i },
    ...STOP,
  },
  {
    name: 'no-such-address',
    row: 10,
    source: 'RFC 3463 3.2; RFC 7505 (5.1.10)',
    reason: 'hard-bounce',
    match: { phases: MAIL, enhanced: /^5\.1\.(?:[1236]|10)$/ },
    ...SUPPRESS,
  },
  {
    name: 'mailbox-disabled',
    row: 10,
    source: 'RFC 3463 3.3; G-COD 5.2.1, which Google also says of a busy mailbox',
    reason: 'hard-bounce',
    match: { phases: MAIL, enhanced: /^5\.2\.1$/, without: /\brate\b|too (?:many|fast|quick)/i },
    ...SUPPRESS,
  },
  {
    name: 'no-such-user',
    row: 10,
    source: "D-47; Y-ERR; the sender's own domain is another matter",
    reason: 'hard-bounce',
    match: {
      phases: MAIL,
      codes: ['5xx'],
      words:
        /user (?:is )?unknown|unknown user|no such (?:user|mailbox|recipient)|(?:mailbox|user) (?:is )?not found|deactivated mailbox|mailbox (?:is )?deactivated|does(?: not|n't) exist|doesn't have an? \S+ account/i,
      without: /sender|mail from|helo/i,
    },
    ...SUPPRESS,
  },
  {
    name: 'refused-address',
    row: 10,
    source: 'RFC 5321 4.2.3; RFC 7504 (556)',
    reason: 'hard-bounce',
    match: {
      phases: ['recipient'],
      codes: [550, 551, 553, 556],
      enhanced: 'none',
      without: OTHER_CAUSE,
    },
    ...SUPPRESS,
  },
  {
    name: 'mailbox-full',
    row: 11,
    source: 'RFC 3463: X.2.2',
    reason: 'mailbox-full',
    match: { phases: MAIL, enhanced: /^[45]\.2\.2$/ },
    ...FULL,
  },
  {
    name: 'mailbox-full-bare',
    row: 11,
    source: 'RFC 5321 4.2.3: 552',
    reason: 'mailbox-full',
    match: { phases: MAIL, codes: [552], enhanced: 'none', without: /too many/i },
    ...FULL,
  },
  {
    name: 'mailbox-full-words',
    row: 11,
    source: 'RFC 3463: what X.2.2 says',
    reason: 'mailbox-full',
    match: {
      phases: MAIL,
      codes: ['4xx', '5xx'],
      words: /(?:mailbox|inbox)\b.{0,30}\bfull\b|over ?quota|mailbox quota|exceeded storage/i,
    },
    ...FULL,
  },
  {
    name: 'too-many-recipients',
    row: 16,
    source: 'RFC 5321 4.5.3.1.10: this 552 is a 452',
    reason: 'temporary',
    match: { phases: ['recipient'], codes: [552], words: /too many recipients/i },
    ...RETRY,
  },
  {
    name: 'refused',
    row: 12,
    source: 'RFC 5321 4.2.1',
    reason: 'refused',
    match: { phases: MAIL, codes: ['5xx'] },
    ...SOFT,
  },
  {
    name: 'rate-gmail',
    row: 13,
    source: 'G-FAQ; D-61',
    reason: 'rate-limited',
    match: { phases: MAIL, enhanced: /^4\.7\.28$/ },
    ...hold(10 * MINUTE, false),
  },
  {
    name: 'rate-microsoft',
    row: 13,
    source: 'M-POL',
    reason: 'rate-limited',
    match: { phases: MAIL, enhanced: /^4\.7\.(?:650|500)$/ },
    ...hold(15 * MINUTE, false),
  },
  {
    name: 'rate-words',
    row: 13,
    source: 'D-48 (HL, MI:SFQ); Y-ERR (TS)',
    reason: 'rate-limited',
    match: {
      phases: MAIL,
      codes: ['4xx'],
      words: /\bHL:(?:REP|ICC|IFC|MEP)\b|\bMI:SFQ\b|\[TSS?\d\d\]/i,
    },
    ...hold(15 * MINUTE, false),
  },
  {
    name: 'rate-too-fast',
    row: 13,
    source: 'G-FAQ 4.2.1',
    reason: 'rate-limited',
    match: { phases: MAIL, enhanced: /^4\.2\.1$/, words: /too (?:fast|quick)|at a rate/i },
    ...hold(15 * MINUTE, false),
  },
  {
    name: 'greylisted-netease',
    row: 14,
    source: 'D-48; D-61',
    reason: 'greylisted',
    match: { phases: MAIL, codes: [450, 451], words: /\bDT:SPM\b/i },
    ...RETRY,
    retryAfter: 2 * MINUTE,
    mostAttempts: 10,
  },
  {
    name: 'greylisted',
    row: 14,
    source: 'RFC 6647; the usual schedule begins with 5 minutes',
    reason: 'greylisted',
    match: { phases: MAIL, codes: [450, 451], words: /gr[ea]y[ -]?list/i },
    ...RETRY,
  },
  {
    name: 'relay-closing',
    row: 15,
    source: 'RFC 5321 3.8',
    reason: 'relay-closing',
    match: { codes: [421] },
    ...RELAY,
  },
  {
    name: 'sender-deferred',
    row: 16,
    source: 'RFC 5321 4.2.1: nothing at MAIL is about the reader',
    reason: 'temporary',
    match: { phases: ['sender'] },
    ...RELAY,
  },
  {
    name: 'temporary',
    row: 16,
    source: 'RFC 5321 4.2.1; D-61',
    reason: 'temporary',
    match: {},
    ...RETRY,
  },
];

/** The relay has tried as long as it wants to: final, whatever the first digit says (D-52). */
const GAVE_UP: Rule = {
  name: 'gave-up',
  row: 18,
  source: 'RFC 3464 2.3.3; D-52',
  reason: 'gave-up',
  match: {},
  ...SOFT,
};
/** What a report can meet (row 18). */
const REPORT_RULES = [...RULES.filter(({ row }) => row >= 4 && row <= 12), GAVE_UP];

/** Reasons that count against an address when they come back in several issues. */
export const SOFT_REASONS: readonly string[] = [
  ...new Set(
    RULES.filter(({ consequence }) => consequence?.kind === 'soft').map(({ reason }) => reason),
  ),
];

/**
 * Classifies an answer. Only 2xx after the body is `accepted`; permanent only if the relay said so of
 * this recipient or message; no answer after the body began is `unknown` (RFC 5321 4.2.1, RFC 1047).
 */
export function classify(answer: Answer): Outcome {
  const reply = oneLine(answer.words);
  return outcomeOf(decide(RULES, answer, reply), answer.code, reply);
}

/** The row that decides about an answer. */
export function ruleFor(answer: Answer): Rule {
  return decide(RULES, answer, oneLine(answer.words));
}

/**
 * Classifies a report that a mail which the relay had accepted came back: `failed`, or `deferred` where more than
 * this reader is concerned (a hold or a stop follows). The relay has retried already: we do not.
 */
export function classifyReport({ status, diagnostic, provider }: Report): Outcome {
  const reply = oneLine(diagnostic.replace(/^\s*[\w-]{1,20}\s*;\s*/, ''));
  const given = /^\s*([45]\.\d{1,3}\.\d{1,3})\s*$/.exec(status)?.[1] ?? '';
  const said = Number(/^[45]\d\d\b/.exec(reply)?.[0] ?? 0);
  const code = codeOf(given, said);
  const own = enhancedOf(reply, code);
  // Where the status says nothing (5.0.0), the words of the server that refused may say more.
  const enhanced = own !== '' && /^$|\.0\.0$/.test(given) ? own : given;
  const answer: Answer = { phase: 'recipient', code, words: reply, bodyBegun: false, provider };
  const rule = decide(REPORT_RULES, answer, reply, enhanced);
  const { retryAfter, mostAttempts, ...outcome } = outcomeOf(rule, said || null, reply || given);
  const kind = outcome.consequence?.kind;
  return kind === 'hold' || kind === 'stop' ? outcome : { ...outcome, state: 'failed' };
}

/** The reply code in a report; where it says none or contradicts the status, one that no row is about. */
function codeOf(status: string, said: number): number {
  const digit = status[0] ?? String(said || 5)[0];
  return String(said)[0] === digit ? said : Number(`${digit}00`);
}

function decide(
  rules: readonly Rule[],
  { phase, code, bodyBegun, provider = 'other' }: Answer,
  reply: string,
  enhanced = enhancedOf(reply, code),
): Rule {
  const kind = classOf(code);
  let text: string | undefined;
  const reading: Reading = {
    phase,
    code,
    kind,
    bodyBegun,
    provider,
    enhanced,
    // Most replies are decided by their code.
    get text() {
      text ??= textOf(reply, code);
      return text;
    },
  };
  // The last row fits everything.
  return rules.find(({ match }) => fits(match, reading))!;
}

/** What rows are compared with. */
interface Reading extends Required<Omit<Answer, 'words'>> {
  kind: CodeClass;
  /** Empty where there is none. */
  enhanced: string;
  text: string;
}

function fits(match: Match, reading: Reading) {
  const { phase, code, kind, bodyBegun, provider, enhanced } = reading;
  const { phases, codes, words, without } = match;
  return (
    (!phases || phases.includes(phase)) &&
    (!codes || codes.includes(kind) || (code !== null && codes.includes(code))) &&
    (match.bodyBegun ?? bodyBegun) === bodyBegun &&
    (match.provider ?? provider) === provider &&
    fitsEnhanced(match.enhanced, enhanced) &&
    (!words || words.test(reading.text)) &&
    !without?.test(reading.text)
  );
}

function fitsEnhanced(wanted: Match['enhanced'], enhanced: string): boolean {
  if (wanted === 'none') return enhanced === '';
  return !wanted || wanted.test(enhanced);
}

function outcomeOf(rule: Rule, code: number | null, reply: string): Outcome {
  if (rule.state === 'accepted') return accepted(code, reply);
  const { name, row, source, match, ...effect } = rule;
  return { code, reply, relayFault: false, ...effect };
}

const CLASSES: Record<number, CodeClass> = { 2: '2xx', 4: '4xx', 5: '5xx' };

function classOf(code: number | null): CodeClass {
  return CLASSES[Math.floor((code ?? 0) / 100)] ?? 'none';
}

/**
 * The enhanced status code, right after the reply code or as qmail writes it, `(#5.1.1)`; empty where there is
 * none or where it contradicts the reply code (RFC 2034 4).
 */
function enhancedOf(reply: string, code: number | null): string {
  const found =
    /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(reply) ??
    /\(#(\d\.\d{1,3}\.\d{1,3})\)/.exec(reply);
  const enhanced = found?.[1] ?? '';
  return classOf(code) !== 'none' && enhanced[0] === String(code)[0] ? enhanced : '';
}

/**
 * The words without the codes that begin each line of a long reply, which would tear phrases apart, and without
 * addresses: what readers call themselves decides nothing.
 */
function textOf(reply: string, code: number | null): string {
  const text = reply.replace(/\S{1,254}@\S*/g, ' ');
  if (code === null) return text;
  const codes = new RegExp(`(?:^| )${code}[ -](?:[245]\\.\\d{1,3}\\.\\d{1,3} )?`, 'g');
  return text.replace(codes, ' ');
}

/** Longest reply that is kept and read, UTF-16 units. */
const LONGEST_REPLY = 500;

/** The reply on one line, without control characters. */
function oneLine(words: string): string {
  return words
    .slice(0, 2 * LONGEST_REPLY)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_REPLY)
    .toWellFormed();
}
