import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Provider } from '../../src/audience/address.ts';
import {
  type Answer,
  classify,
  classifyReport,
  type Phase,
  REASONS,
  type Reason,
  RULES,
  ruleFor,
} from '../../src/delivery/replies.ts';
import { attemptsWithin, retryDelay } from '../../src/delivery/retry.ts';

const PHASES: Phase[] = ['connect', 'auth', 'sender', 'recipient', 'data'];
const PROVIDERS: Provider[] = ['gmail', 'yahoo', 'microsoft', 'apple', 'qq', 'netease', 'other'];
const HOUR = 3_600_000;

/** Answer with these words; the code is theirs, without one there was none. */
function said(phase: Phase, words: string, more: Partial<Answer> = {}): Answer {
  const code = /^\d{3}/.exec(words)?.[0];
  return { phase, code: code ? Number(code) : null, words, bodyBegun: false, ...more };
}

/** The reply to the final dot. */
function dot(words: string, provider: Provider = 'other'): Answer {
  return said('data', words, { bodyBegun: true, provider });
}

function rcpt(words: string, provider: Provider = 'other'): Answer {
  return said('recipient', words, { provider });
}

/** One for each row, by its name. */
const EXAMPLES: Record<string, Answer> = {
  accepted: dot('250 2.0.0 Ok: queued as 4XyZ'),
  'lost-after-body': said('connect', 'the connection was closed', { bodyBegun: true }),
  'out-of-step': said('data', '250 Ok'),
  'login-refused': said('auth', '535 wrong user or password'),
  'login-refused-enhanced': said('auth', '554 5.7.8 Bad credentials'),
  'login-later': said('auth', '454 4.7.0 Temporary authentication failure'),
  'login-failed': said('auth', '504 Unrecognized mechanism'),
  'relay-unreachable': said('connect', 'getaddrinfo ENOTFOUND smtp.example.com'),
  'relay-refuses-connection': said('connect', '554 5.7.1 blocked by spamhaus'),
  'sender-quota': dot('550 5.4.5 Daily sending limit exceeded for this user'),
  'sender-too-large': said('sender', '552 5.3.4 Message size exceeds fixed limit'),
  'sender-too-large-bare': said('sender', '552 Message size exceeds maximum'),
  'sender-refused': said('sender', '550 5.1.1 Sender address rejected: User unknown'),
  'frequency-limit': rcpt('550 Domain frequency limited [AbC]', 'qq'),
  'qq-pause': rcpt('550 Mailbox unavailable or access denied [AbC]', 'qq'),
  'qq-reader': dot('550 Mail is rejected by recipients [AbC]', 'qq'),
  authentication: dot('550 5.7.515 Access denied, sending domain example.com', 'microsoft'),
  'authentication-for-now': dot('421 4.7.32 From: header is not aligned', 'gmail'),
  'authentication-words': dot('550 DMARC check failed [AbC]', 'qq'),
  'blocked-microsoft': rcpt('550 5.7.606 Access denied, banned sending IP', 'microsoft'),
  'blocked-outlook': rcpt('550 5.7.1 Your network is on our list (S3150).', 'microsoft'),
  'blocked-list': rcpt('450 4.7.1 Client host found in zen.spamhaus.org'),
  'blocked-reputation': dot('550 5.7.1 Very low reputation of the sending domain', 'gmail'),
  'blocked-word': rcpt('554 Your IP is blocked'),
  'content-netease': dot('554 DT:SPM 163 smtp2,AbC', 'netease'),
  'content-words': dot('554 Message not allowed - [PH01] Email not accepted', 'yahoo'),
  'content-format': dot('554 5.6.0 Message has broken headers'),
  'content-policy': dot('550 5.7.1 This looks like spam'),
  'content-bare': dot('554 Rejected: spam score 12.1'),
  'too-large': dot('552 5.3.4 Message exceeds our size limits'),
  'too-large-bare': rcpt('552 Message too large'),
  'no-such-address': rcpt('550 5.1.1 <a@example.net>: Recipient address rejected'),
  'mailbox-disabled': rcpt('550 5.2.1 The account is disabled'),
  'no-such-user': dot('554 delivery error: No such user here'),
  'refused-address': rcpt('553 sorry'),
  'mailbox-full': rcpt('452 4.2.2 Over quota'),
  'mailbox-full-bare': rcpt('552 Storage allocation exceeded'),
  'mailbox-full-words': dot('554 The mailbox of that person is full'),
  'too-many-recipients': rcpt('552 Too many recipients'),
  refused: dot('554 5.7.1 Against our rules'),
  'rate-gmail': dot('421 4.7.28 Unusual rate of mail from your network', 'gmail'),
  'rate-microsoft': rcpt('451 4.7.650 Rate limited due to IP reputation', 'microsoft'),
  'rate-words': rcpt('421 HL:ICC 163 mx5,AbC', 'netease'),
  'rate-too-fast': rcpt('450 4.2.1 This user gets mail too quickly', 'gmail'),
  'greylisted-netease': dot('451 DT:SPM mx9,AbC please try again', 'netease'),
  greylisted: rcpt('450 4.2.0 <a@example.net>: Recipient address rejected: Greylisted'),
  'relay-closing': dot('421 4.3.2 Service shutting down'),
  'sender-deferred': said('sender', '451 4.3.0 Try later'),
  temporary: rcpt('451 4.3.0 Local error in processing'),
};

describe('the table', () => {
  test('has short names that are unique, and a source for each row', () => {
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length);
    for (const { name, source } of RULES) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(source).toMatch(/\w/);
    }
  });

  test('D-67: has an example for each row, and none for others', () => {
    expect(Object.keys(EXAMPLES)).toEqual(RULES.map(({ name }) => name));
  });

  test.each(Object.entries(EXAMPLES))('row %s is reached', (name, answer) => {
    expect(ruleFor(answer).name).toBe(name);
    const { state, reason, relayFault = false } = ruleFor(answer);
    expect(classify(answer)).toMatchObject({ state, reason, relayFault, code: answer.code });
  });

  test('ends with a row that fits everything', () => {
    expect(RULES.at(-1)?.match).toEqual({});
  });

  test('says each reason in a sentence', () => {
    for (const sentence of Object.values(REASONS)) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });
});

/** What follows, in a few words. */
function effect({ phase, ...answer }: Answer): string {
  const { state, relayFault, consequence } = classify({ phase, ...answer });
  const kind = consequence?.kind === 'hold' ? `hold ${consequence.ms / 60_000}` : consequence?.kind;
  return [state, relayFault ? 'relay' : '', kind ?? ''].filter(Boolean).join(', ');
}

describe('what follows (standards 1.9)', () => {
  const expected: Record<string, string[]> = {
    accepted: ['accepted'],
    unknown: ['lost-after-body'],
    'deferred, relay': [
      'out-of-step',
      'login-later',
      'login-failed',
      'relay-unreachable',
      'relay-refuses-connection',
      'relay-closing',
      'sender-deferred',
    ],
    'deferred, relay, stop': [
      'login-refused',
      'login-refused-enhanced',
      'sender-quota',
      'sender-too-large',
      'sender-too-large-bare',
      'sender-refused',
      'authentication',
      'authentication-for-now',
      'authentication-words',
      'too-large',
      'too-large-bare',
    ],
    'deferred, hold 60': ['frequency-limit', 'qq-pause'],
    'failed, unsubscribe': ['qq-reader'],
    'deferred, hold 1440': [
      'blocked-microsoft',
      'blocked-outlook',
      'blocked-list',
      'blocked-reputation',
      'blocked-word',
    ],
    failed: [
      'content-netease',
      'content-words',
      'content-format',
      'content-policy',
      'content-bare',
    ],
    'failed, suppress': ['no-such-address', 'mailbox-disabled', 'no-such-user', 'refused-address'],
    'deferred, soft': ['mailbox-full', 'mailbox-full-bare', 'mailbox-full-words'],
    'failed, soft': ['refused'],
    'deferred, hold 10': ['rate-gmail'],
    'deferred, hold 15': ['rate-microsoft', 'rate-words', 'rate-too-fast'],
    deferred: ['too-many-recipients', 'greylisted-netease', 'greylisted', 'temporary'],
  };

  test.each(Object.entries(expected).flatMap(([what, names]) => names.map((name) => [name, what])))(
    'after %s: %s',
    (name, what) => {
      expect(effect(EXAMPLES[name as string]!)).toBe(what);
    },
  );

  test('is said of each row', () => {
    expect(Object.values(expected).flat().sort()).toEqual(Object.keys(EXAMPLES).sort());
  });

  test('waits as the table says, where it says so', () => {
    expect(classify(EXAMPLES['login-later']!).retryAfter).toBe(5 * 60_000);
    expect(classify(EXAMPLES['greylisted-netease']!).retryAfter).toBe(2 * 60_000);
    expect(classify(EXAMPLES.temporary!).retryAfter).toBeUndefined();
  });

  test('is tried three times after a pause of QQ, and about a day for a full mailbox', () => {
    expect(classify(EXAMPLES['qq-pause']!).mostAttempts).toBe(3);
    expect(classify(EXAMPLES['mailbox-full']!).mostAttempts).toBe(8);
  });

  test('is told to the editor where a provider blocks us', () => {
    const tell = (name: string) => classify(EXAMPLES[name]!).consequence;
    expect(tell('blocked-word')).toMatchObject({ tell: true });
    expect(tell('rate-gmail')).toMatchObject({ tell: false });
  });
});

describe('real servers (D-47, D-48)', () => {
  const G: Provider = 'gmail';
  const M: Provider = 'microsoft';
  const Y: Provider = 'yahoo';
  const A: Provider = 'apple';
  const N: Provider = 'netease';
  const Q: Provider = 'qq';

  test.each<[string, Answer, Reason]>([
    ['Gmail', dot('250 2.0.0 OK 1790000000 abc-1.2 - gsmtp', G), 'accepted'],
    [
      'Gmail',
      rcpt(
        '550-5.1.1 The email account that you tried to reach does not 550-5.1.1 exist. Please try again 550 5.1.1 gsmtp',
        G,
      ),
      'hard-bounce',
    ],
    ['Gmail', rcpt('550-5.2.1 The email account is inactive. 550 5.2.1 gsmtp', G), 'hard-bounce'],
    ['Gmail', rcpt('550 5.2.1 This user receives mail at a rate that is too high', G), 'refused'],
    [
      'Gmail',
      rcpt('452-4.2.2 The recipient is out of storage space. 452 4.2.2', G),
      'mailbox-full',
    ],
    ['Gmail', rcpt('552 5.2.2 The recipient is over quota', G), 'mailbox-full'],
    [
      'Gmail',
      dot('550-5.7.26 Your email has been blocked because the sender is unauthenticated.', G),
      'authentication',
    ],
    ['Gmail', dot('421-4.7.27 SPF did not pass, rate limited 421 4.7.27', G), 'authentication'],
    ['Gmail', dot('550 5.7.25 The sending IP has no PTR record', G), 'authentication'],
    ['Gmail', dot('421-4.7.28 Mail is temporarily rate limited 421 4.7.28', G), 'rate-limited'],
    [
      'Gmail',
      dot('550-5.7.28 Unusual rate. Mail from your IP has been 550-5.7.28 blocked.', G),
      'blocked',
    ],
    [
      'Gmail',
      dot(
        '550-5.7.1 Likely unsolicited mail. To reduce spam, this message has been 550-5.7.1 blocked.',
        G,
      ),
      'content',
    ],
    [
      'Gmail',
      dot('552-5.7.0 This message was blocked because its content is unsafe', G),
      'content',
    ],
    ['Gmail', dot('552 5.3.4 Your message exceeded our message size limits', G), 'too-large'],
    ['Gmail', dot('421 4.7.0 Try again later, closing connection', G), 'relay-closing'],
    ['Microsoft 365', rcpt('550 5.1.10 RESOLVER.ADR.RecipientNotFound', M), 'hard-bounce'],
    ['Microsoft 365', rcpt('550 5.4.1 Recipient address rejected: Access denied', M), 'refused'],
    ['Outlook', rcpt('550 5.5.0 Requested action not taken: mailbox unavailable', M), 'refused'],
    ['Outlook', rcpt('550 5.7.1 Messages from [192.0.2.1] were not sent (S3140).', M), 'blocked'],
    ['Outlook', dot('550 5.7.509 Sending domain does not pass DMARC', M), 'authentication'],
    ['Outlook', rcpt('550 5.7.508 Access denied, IP exceeded permitted limits', M), 'blocked'],
    ['Outlook', dot('451 4.7.500 Server busy. Please try again later', M), 'rate-limited'],
    ['Outlook', rcpt('554 5.2.2 mailbox full; STOREDRV.Deliver', M), 'mailbox-full'],
    [
      'Yahoo',
      dot("554 delivery error: dd This user doesn't have a yahoo.com account", Y),
      'hard-bounce',
    ],
    [
      'Yahoo',
      dot('421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred', Y),
      'rate-limited',
    ],
    ['Yahoo', dot('554 5.7.9 Message not accepted for policy reasons', Y), 'refused'],
    ['Yahoo', dot('552 1 Requested mail action aborted, mailbox full', Y), 'mailbox-full'],
    ['iCloud', rcpt('550 5.1.1 <a@icloud.com>: user does not exist', A), 'hard-bounce'],
    ['iCloud', rcpt('552 5.2.2 <a@icloud.com>: user is over quota', A), 'mailbox-full'],
    ['iCloud', dot('554 5.7.1 [HM08] Message rejected due to local policy', A), 'refused'],
    ['iCloud', dot('450 4.1.0 Too many messages, slow down', A), 'temporary'],
    ['QQ', rcpt('550 Mailbox not found [AbC IP: 192.0.2.1]', Q), 'hard-bounce'],
    ['QQ', rcpt('550 Sender frequency limited [AbC IP: 192.0.2.1]', Q), 'rate-limited'],
    ['QQ', rcpt('550 Connection denied [AbC]', Q), 'rate-limited'],
    ['QQ', dot('550 SPF check failed [AbC]', Q), 'authentication'],
    ['QQ', dot('550 Mail content denied [AbC]', Q), 'content'],
    ['QQ', dot('550 The mail is suspected spam [AbC]', Q), 'content'],
    ['QQ', rcpt('550 Suspected bounce attacks [AbC]', Q), 'refused'],
    ['163', rcpt('550 User not found: a@163.com', N), 'hard-bounce'],
    ['163', rcpt('550 RP:TRC mx2,AbC', N), 'refused'],
    ['163', rcpt('421 HL:REP mx2,AbC', N), 'rate-limited'],
    ['163', rcpt('451 MI:SFQ mx2,AbC', N), 'rate-limited'],
    ['163', rcpt('450 MI:DMC mx2,AbC', N), 'temporary'],
    ['163', dot('451 DT:SPM mx2,AbC please try again', N), 'greylisted'],
    ['163', dot('554 DT:SPM mx2,AbC', N), 'content'],
    ['Postfix', rcpt('550 5.1.1 <a@example.net>: User unknown in local table'), 'hard-bounce'],
    ['Postfix', rcpt('554 5.7.1 <a@example.net>: Relay access denied'), 'refused'],
    ['Postfix', rcpt('554 5.7.1 Client host blocked using zen.spamhaus.org'), 'blocked'],
    [
      'Postfix',
      rcpt('450 4.2.0 Recipient address rejected: Greylisted for 5 minutes'),
      'greylisted',
    ],
    ['Postfix', rcpt('452 4.3.1 Insufficient system storage'), 'temporary'],
    ['Postfix', said('sender', '553 5.7.1 Sender address rejected: not owned'), 'sender-refused'],
    ['Exim', rcpt('550 Unrouteable address'), 'hard-bounce'],
    ['Exim', rcpt('550 Administrative prohibition'), 'refused'],
    ['Exim', rcpt('550 relay not permitted'), 'refused'],
    [
      'Exim',
      rcpt('550-Verification failed for <b@example.com> 550-No such user 550 Sender verify failed'),
      'refused',
    ],
    ['Exim', rcpt('451 Temporary local problem - please try later'), 'temporary'],
    ['qmail', rcpt('550 sorry, no mailbox here by that name (#5.1.1)'), 'hard-bounce'],
    ['qmail', rcpt('553 sorry, not in my list of allowed rcpthosts (#5.7.1)'), 'refused'],
  ])('%s: %j is %s', (_server, answer, reason) => {
    expect(classify(answer).reason).toBe(reason);
  });

  test.each('spam block policy reputation denied SPF DKIM DMARC RBL listed'.split(' '))(
    '"550 … %s" without an enhanced code is no hard bounce',
    (word) => {
      expect(classify(rcpt(`550 ${word}, sorry`)).consequence?.kind).not.toBe('suppress');
    },
  );

  test('what readers call themselves decides nothing', () => {
    expect(classify(rcpt('550 5.1.1 <spamhaus@example.net> unknown')).reason).toBe('hard-bounce');
  });

  test('an enhanced code that contradicts the reply code does not count', () => {
    expect(classify(rcpt('450 5.1.1 unknown')).reason).toBe('temporary');
    expect(classify(rcpt('550 4.2.2 sorry')).reason).toBe('hard-bounce');
  });
});

/** State, and whether the relay is at fault. */
function outcome(phase: Phase, code: number | null, bodyBegun = false) {
  const { state, relayFault } = classify({ phase, code, words: '', bodyBegun });
  return relayFault ? `${state}, relay` : state;
}

describe('a reply', () => {
  test.each<[Phase, number | null, boolean, string]>([
    ['data', 250, true, 'accepted'],
    ['connect', 250, true, 'unknown'],
    ['data', 250, false, 'deferred, relay'],
    ['recipient', 550, false, 'failed'],
    ['recipient', 450, false, 'deferred'],
    ['data', 554, false, 'failed'],
    ['data', 554, true, 'failed'],
    ['data', 451, true, 'deferred'],
    ['sender', 550, false, 'deferred, relay'],
    ['auth', 535, false, 'deferred, relay'],
    ['connect', 554, false, 'deferred, relay'],
    ['connect', null, false, 'deferred, relay'],
    ['recipient', 421, false, 'deferred, relay'],
    ['data', 421, true, 'deferred, relay'],
    ['data', null, false, 'deferred, relay'],
    ['data', null, true, 'unknown'],
    ['data', 354, true, 'unknown'],
    ['data', 999, true, 'unknown'],
    ['connect', null, true, 'unknown'],
  ])('at %s with %s (body begun: %s) is %s', (phase, code, bodyBegun, expected) => {
    expect(outcome(phase, code, bodyBegun)).toBe(expected);
  });

  /** Any bytes, and what real servers say. */
  const words = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 2000 }),
    fc.constantFrom(...Object.values(EXAMPLES).map((answer) => answer.words)),
  );
  const answers: fc.Arbitrary<Answer> = fc.record({
    phase: fc.constantFrom(...PHASES),
    code: fc.option(fc.oneof(fc.integer({ min: 200, max: 599 }), fc.integer({ min: 0 }))),
    words,
    bodyBegun: fc.boolean(),
    provider: fc.constantFrom(...PROVIDERS),
  });
  const hundreds = ({ code }: Answer) => Math.floor((code ?? 0) / 100);

  test('of whatever bytes has a meaning, on one printable line', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const { reason, reply, code } = classify(answer);
        expect(Object.keys(REASONS)).toContain(reason);
        expect(code).toBe(answer.code);
        expect(reply).toMatch(/^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,500}$/);
        expect(reply.isWellFormed()).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('is accepted exactly with 2xx after the body, and unknown exactly without a verdict after it', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const { state } = classify(answer);
        const isVerdict = [4, 5].includes(hundreds(answer));
        const isTaken = answer.phase === 'data' && hundreds(answer) === 2;
        expect(state === 'accepted').toBe(answer.bodyBegun && isTaken);
        expect(state === 'unknown').toBe(answer.bodyBegun && !isTaken && !isVerdict);
        // I6: deferred only after a clear reply, or when no byte of the body was asked for.
        if (state === 'deferred' && answer.bodyBegun) expect(isVerdict).toBe(true);
        if (state === 'failed') expect(hundreds(answer)).toBe(5);
      }),
      { numRuns: 2000 },
    );
  });

  test('says nothing of a reader unless it is about the reader', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const { state, relayFault, consequence } = classify(answer);
        const isAboutMail = answer.phase === 'recipient' || answer.phase === 'data';
        if (!isAboutMail) expect(['deferred', 'unknown']).toContain(state);
        if (!isAboutMail && state === 'deferred') expect(relayFault).toBe(true);
        if (!isAboutMail) expect([undefined, 'stop']).toContain(consequence?.kind);
        if (relayFault) expect([undefined, 'stop']).toContain(consequence?.kind);
        if (consequence?.kind === 'suppress') expect(state).toBe('failed');
      }),
      { numRuns: 2000 },
    );
  });

  const PIECES = ['mailbox ', 'ip ', 'spf ', 'a', ' ', '@', '550-5.7.1 ', '(#5.', '\0', '\ud800'];

  test.each(PIECES)('of 64 KB of %j is read in no time', (piece) => {
    const long = `550 5.7.1 ${piece.repeat(65_536 / piece.length)}`;
    const start = performance.now();
    for (const phase of PHASES) classify(said(phase, long));
    classifyReport({ status: long, diagnostic: long, provider: 'qq' });
    expect(performance.now() - start).toBeLessThan(50);
  });
});

describe('a report (row 18)', () => {
  test.each<[string, string, Provider, string, string]>([
    ['5.1.1', 'smtp; 550 5.1.1 No such user', 'other', 'hard-bounce', 'failed, suppress'],
    ['5.1.1', '', 'other', 'hard-bounce', 'failed, suppress'],
    ['5.0.0', 'smtp; 550-5.7.26 Unauthenticated', 'gmail', 'authentication', 'deferred, stop'],
    ['5.0.0', 'smtp; 550 5.1.1 No mailbox', 'other', 'hard-bounce', 'failed, suppress'],
    ['5.0.0', 'X-Postfix; lost in the mail', 'other', 'refused', 'failed, soft'],
    ['', 'smtp; 550 Unrouteable address', 'other', 'hard-bounce', 'failed, suppress'],
    ['', '', 'other', 'refused', 'failed, soft'],
    ['5.2.2', 'smtp; 552 5.2.2 Over quota', 'gmail', 'mailbox-full', 'failed, soft'],
    ['4.2.2', 'smtp; 452 4.2.2 Over quota', 'gmail', 'mailbox-full', 'failed, soft'],
    ['4.4.7', 'smtp; 451 4.3.0 Try later', 'other', 'gave-up', 'failed, soft'],
    ['4.4.7', 'smtp; 550 No such user', 'other', 'gave-up', 'failed, soft'],
    [
      '5.0.0',
      'smtp; 550 Mail is rejected by recipients',
      'qq',
      'rejected-by-reader',
      'failed, unsubscribe',
    ],
    ['5.0.0', 'smtp; 550 Ip frequency limited', 'qq', 'rate-limited', 'deferred, hold'],
    [
      '5.7.1',
      'smtp; 554 5.7.1 blocked using zen.spamhaus.org',
      'other',
      'blocked',
      'deferred, hold',
    ],
    ['5.7.1', 'smtp; 554 5.7.1 Spam', 'other', 'content', 'failed'],
    ['rubbish', 'smtp;', 'other', 'refused', 'failed, soft'],
  ])('%s with %j of %s is %s: %s', (status, diagnostic, provider, reason, expected) => {
    const result = classifyReport({ status, diagnostic, provider });
    expect(result.reason).toBe(reason);
    expect([result.state, result.consequence?.kind ?? []].flat().join(', ')).toBe(expected);
  });

  test('of whatever bytes is failed or deferred, and deferred only with a hold or a stop', () => {
    const statuses = fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom(2, 4, 5), fc.nat(9), fc.nat(999)).map((parts) => parts.join('.')),
    );
    const text = fc.string({ unit: 'binary', maxLength: 2000 });
    const diagnostics = fc.oneof(
      text,
      text.map((words) => `smtp; 550 ${words}`),
    );
    fc.assert(
      fc.property(
        statuses,
        diagnostics,
        fc.constantFrom(...PROVIDERS),
        (status, diagnostic, provider) => {
          const result = classifyReport({ status, diagnostic, provider });
          const isWide = ['hold', 'stop'].includes(result.consequence?.kind ?? '');
          expect(result.state).toBe(isWide ? 'deferred' : 'failed');
          expect(result).not.toHaveProperty('mostAttempts');
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('the retry schedule (D-61)', () => {
  const minutes = (attempts: number) => retryDelay(attempts, false, 0.5) / 60_000;

  test('is short first and then slower', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map(minutes)).toEqual([5, 30, 60, 120, 240, 480, 480]);
  });

  test('makes eight attempts in a day', () => {
    expect([0, HOUR, 24 * HOUR, 48 * HOUR].map(attemptsWithin)).toEqual([1, 3, 8, 11]);
  });

  test('spreads by a fifth to both sides', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, chance) => {
          const middle = retryDelay(attempts, false, 0.5);
          const delay = retryDelay(attempts, false, chance);
          expect(Math.abs(delay - middle)).toBeLessThanOrEqual(middle * 0.2 + 1);
        },
      ),
    );
  });
});
