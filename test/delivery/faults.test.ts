/**
 * Whatever a relay does wrong, a mail gets one outcome that is true: `accepted` only where the relay has all of it,
 * `unknown` only where it may have it, in bounded time, and the next mail goes through (reliability 4.3).
 */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/delivery/outcome.ts';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import type { Mail } from '../../src/delivery/transport.ts';
import {
  type Act,
  answer,
  close,
  EXTENSIONS,
  endless,
  type FaultServerOptions,
  lost,
  reset,
  type Step,
  say,
  silence,
  skip,
  startFaultServer,
  trickle,
} from '../support/fault-server.ts';

/** Longest time that opening a connection, and then a mail, may take, ms. */
const DEADLINE = 300;
/** Both, on a slow machine, ms. */
const BOUND = 2_000;
const LOGIN = { username: 'user', password: 'hunter2' };
const IN_PIPELINE = [...EXTENSIONS, 'AUTH PLAIN'];
const STEP_BY_STEP = ['AUTH PLAIN'];

const MEGABYTE = 1024 * 1024;
const longLine = answer(`250 ${'x'.repeat(10 * MEGABYTE)}`);
/** Longer than the deadline, at a byte every 20 ms. */
const slowly = (code: number) => trickle(`${code} ${'so slow '.repeat(10)}\r\n`);
const nul = answer('\0\0\x00250 ok');

type Ending = 'accepted' | 'deferred' | 'relay fault' | 'failed' | 'unknown';
/** What the server does, how the mail ends, copies that the receiver has. */
type Row = [name: string, does: Partial<Record<Step, Act>>, ending: Ending, copies: 0 | 1];

const BEFORE: Row[] = [
  ['greets with 421', { greeting: answer('421 4.3.2 too many') }, 'relay fault', 0],
  ['greets with 421 and closes', { greeting: close('421 4.3.2 too many\r\n') }, 'relay fault', 0],
  ['greets with 554', { greeting: answer('554 5.7.1 go away') }, 'relay fault', 0],
  ['closes at connect', { greeting: close() }, 'relay fault', 0],
  ['resets at connect', { greeting: reset() }, 'relay fault', 0],
  ['never greets', { greeting: silence }, 'relay fault', 0],
  ['greets byte by byte', { greeting: slowly(220) }, 'relay fault', 0],
  ['greets with hello', { greeting: answer('hello') }, 'relay fault', 0],
  ['greets with 999', { greeting: answer('999 relay') }, 'relay fault', 0],
  ['greets with NUL bytes', { greeting: answer('\0\0\0') }, 'relay fault', 0],
  ['greets with a line of 10 MB', { greeting: longLine }, 'relay fault', 0],
  ['greets without end', { greeting: endless('220-hello\r\n') }, 'relay fault', 0],
  ['greets twice', { greeting: answer('220 relay\r\n220 relay') }, 'relay fault', 0],

  ['closes at EHLO', { EHLO: close() }, 'relay fault', 0],
  ['resets at EHLO', { EHLO: reset() }, 'relay fault', 0],
  ['is silent at EHLO', { EHLO: silence }, 'relay fault', 0],
  ['says 421 at EHLO', { EHLO: answer('421 4.3.2 not now') }, 'relay fault', 0],
  ['says hello at EHLO', { EHLO: answer('hello') }, 'relay fault', 0],
  ['answers EHLO without end', { EHLO: endless('250-relay\r\n') }, 'relay fault', 0],

  ['says 535 at AUTH', { AUTH: answer('535 5.7.8 no') }, 'relay fault', 0],
  ['says 454 at AUTH', { AUTH: answer('454 4.7.0 later') }, 'relay fault', 0],
  ['says 504 at AUTH', { AUTH: answer('504 5.5.4 which?') }, 'relay fault', 0],
  ['says hello at AUTH', { AUTH: answer('hello') }, 'relay fault', 0],
  ['closes at AUTH', { AUTH: close() }, 'relay fault', 0],
  ['is silent at AUTH', { AUTH: silence }, 'relay fault', 0],
  ['answers AUTH byte by byte', { AUTH: slowly(235) }, 'relay fault', 0],
];

const ENVELOPE: Row[] = [
  ['says 421 at MAIL', { MAIL: answer('421 4.3.2 bye') }, 'relay fault', 0],
  ['says 421 at MAIL and closes', { MAIL: close('421 4.3.2 bye\r\n') }, 'relay fault', 0],
  ['says 450 at MAIL', { MAIL: answer('450 4.2.0 busy') }, 'relay fault', 0],
  ['says 451 at MAIL', { MAIL: answer('451 4.3.0 error') }, 'relay fault', 0],
  ['says 452 at MAIL', { MAIL: answer('452 4.3.1 disk full') }, 'relay fault', 0],
  ['says 550 at MAIL', { MAIL: answer('550 5.7.1 not you') }, 'relay fault', 0],
  ['closes at MAIL', { MAIL: close() }, 'relay fault', 0],
  ['resets at MAIL', { MAIL: reset() }, 'relay fault', 0],
  ['is silent at MAIL', { MAIL: silence }, 'relay fault', 0],
  ['answers MAIL byte by byte', { MAIL: slowly(250) }, 'relay fault', 0],
  ['says hello at MAIL', { MAIL: answer('hello') }, 'relay fault', 0],
  ['says 354 at MAIL', { MAIL: answer('354 go on') }, 'relay fault', 0],
  ['says 999 at MAIL', { MAIL: answer('999 ok') }, 'relay fault', 0],
  ['says 2500 at MAIL', { MAIL: answer('2500 ok') }, 'relay fault', 0],
  ['says NUL at MAIL', { MAIL: nul }, 'relay fault', 0],
  ['ends its line with LF alone at MAIL', { MAIL: say('250 ok\n') }, 'relay fault', 0],
  ['says a line of 10 MB at MAIL', { MAIL: longLine }, 'relay fault', 0],
  ['answers MAIL without end', { MAIL: endless('250-ok\r\n') }, 'relay fault', 0],
  ['answers MAIL twice', { MAIL: answer('250 ok\r\n250 ok') }, 'relay fault', 0],
  ['does not answer MAIL, but the rest', { MAIL: skip }, 'relay fault', 0],

  ['says 421 at RCPT', { RCPT: answer('421 4.3.2 bye') }, 'relay fault', 0],
  ['says 421 at RCPT and closes', { RCPT: close('421 4.3.2 bye\r\n') }, 'relay fault', 0],
  ['says 450 at RCPT', { RCPT: answer('450 4.2.0 busy') }, 'deferred', 0],
  ['says 451 at RCPT', { RCPT: answer('451 4.7.1 greylisted') }, 'deferred', 0],
  ['says 452 at RCPT', { RCPT: answer('452 4.5.3 too many') }, 'deferred', 0],
  ['says 450 at RCPT and closes', { RCPT: close('450 4.2.0 busy\r\n') }, 'deferred', 0],
  ['says 550 at RCPT', { RCPT: answer('550 5.1.1 no such user') }, 'failed', 0],
  ['says 550 at RCPT and closes', { RCPT: close('550 5.1.1 unknown\r\n') }, 'failed', 0],
  ['says 552 at RCPT', { RCPT: answer('552 5.2.2 mailbox full') }, 'deferred', 0],
  ['says 554 at RCPT', { RCPT: answer('554 5.7.0 refused') }, 'failed', 0],
  [
    'says 550 at RCPT, but 354 at DATA',
    { RCPT: answer('550 5.1.1 no such user'), DATA: answer('354 go on') },
    'failed',
    0,
  ],
  [
    'says 550 at RCPT, 354 at DATA, and closes',
    { RCPT: answer('550 5.1.1 no such user'), DATA: close('354 go on\r\n') },
    'failed',
    0,
  ],
  ['closes at RCPT', { RCPT: close() }, 'relay fault', 0],
  ['resets at RCPT', { RCPT: reset() }, 'relay fault', 0],
  ['is silent at RCPT', { RCPT: silence }, 'relay fault', 0],
  ['answers RCPT byte by byte', { RCPT: slowly(250) }, 'relay fault', 0],
  ['says hello at RCPT', { RCPT: answer('hello') }, 'relay fault', 0],
  ['says 354 at RCPT', { RCPT: answer('354 go on') }, 'relay fault', 0],
  ['answers RCPT twice', { RCPT: answer('250 ok\r\n250 ok') }, 'relay fault', 0],
  ['does not answer RCPT, but the rest', { RCPT: skip }, 'relay fault', 0],

  ['says 421 at DATA', { DATA: answer('421 4.3.2 bye') }, 'relay fault', 0],
  ['says 451 at DATA', { DATA: answer('451 4.3.0 error') }, 'deferred', 0],
  ['says 554 at DATA', { DATA: answer('554 5.7.0 refused') }, 'failed', 0],
  ['closes at DATA', { DATA: close() }, 'relay fault', 0],
  ['resets at DATA', { DATA: reset() }, 'relay fault', 0],
  ['is silent at DATA', { DATA: silence }, 'relay fault', 0],
  ['answers DATA byte by byte', { DATA: slowly(354) }, 'relay fault', 0],
  ['says hello at DATA', { DATA: answer('hello') }, 'relay fault', 0],
  ['says 250 at DATA', { DATA: answer('250 ok') }, 'relay fault', 0],
  ['says 999 at DATA', { DATA: answer('999 go on') }, 'relay fault', 0],
  ['answers DATA without end', { DATA: endless('354-go on\r\n') }, 'relay fault', 0],
  ['says 250 after 354 unasked', { DATA: answer('354 go on\r\n250 ok') }, 'relay fault', 0],
  ['does not answer DATA', { DATA: skip }, 'relay fault', 0],
];

const BODY: Row[] = [
  ['closes in the middle of the body', { body: close() }, 'unknown', 0],
  ['resets in the middle of the body', { body: reset() }, 'unknown', 0],
  ['is silent in the middle of the body', { body: silence }, 'unknown', 0],
  ['refuses in the middle of the body and closes', { body: close('554 no\r\n') }, 'failed', 0],

  ['says 421 after the dot', { dot: answer('421 4.3.2 bye') }, 'relay fault', 0],
  ['says 450 after the dot', { dot: answer('450 4.2.0 busy') }, 'deferred', 0],
  ['says 451 after the dot', { dot: answer('451 4.3.0 error') }, 'deferred', 0],
  ['says 452 after the dot', { dot: answer('452 4.3.1 disk full') }, 'deferred', 0],
  ['says 550 after the dot', { dot: answer('550 5.1.1 no such user') }, 'failed', 0],
  ['says 552 after the dot', { dot: answer('552 5.2.2 mailbox full') }, 'deferred', 0],
  ['says 554 after the dot', { dot: answer('554 5.6.0 bad content') }, 'failed', 0],
  ['keeps the mail and closes', { dot: close() }, 'unknown', 1],
  ['keeps the mail and resets', { dot: reset() }, 'unknown', 1],
  ['keeps the mail and is silent', { dot: silence }, 'unknown', 1],
  ['loses the mail and closes', { dot: lost(close()) }, 'unknown', 0],
  ['loses the mail and resets', { dot: lost(reset()) }, 'unknown', 0],
  ['loses the mail and is silent', { dot: lost(silence) }, 'unknown', 0],
  ['says 25 and closes', { dot: close('25') }, 'unknown', 1],
  ['says 25 and resets', { dot: reset('25') }, 'unknown', 1],
  ['says 25 and no more', { dot: trickle('25') }, 'unknown', 1],
  ['says 250 and closes before the line ends', { dot: close('250 stored') }, 'unknown', 1],
  ['says 250 and closes', { dot: close('250 stored\r\n') }, 'accepted', 1],
  ['says 250 and resets', { dot: reset('250 stored\r\n') }, 'accepted', 1],
  ['answers the dot byte by byte', { dot: slowly(250) }, 'unknown', 1],
  ['says hello after the dot', { dot: answer('hello') }, 'unknown', 1],
  ['says 354 after the dot', { dot: answer('354 go on') }, 'unknown', 1],
  ['says 999 after the dot', { dot: answer('999 stored') }, 'unknown', 1],
  ['says 2500 after the dot', { dot: answer('2500 stored') }, 'unknown', 1],
  ['says NUL after the dot', { dot: nul }, 'unknown', 1],
  ['ends its line with LF alone after the dot', { dot: say('250 stored\n') }, 'unknown', 1],
  ['says a line of 10 MB after the dot', { dot: longLine }, 'unknown', 1],
  ['answers the dot without end', { dot: endless('250-stored\r\n') }, 'unknown', 1],
  ['contradicts itself after the dot', { dot: say('250-stored\r\n554 no\r\n') }, 'unknown', 1],
  ['answers the dot twice', { dot: answer('250 stored\r\n250 stored') }, 'accepted', 1],
  ['answers the dot, then refuses', { dot: answer('250 stored\r\n554 no') }, 'accepted', 1],
];

const ROWS = [...BEFORE, ...ENVELOPE, ...BODY];

/** Long enough that it comes in several pieces. */
const TEXT = `Subject: news\r\n\r\n${'A line of words.\r\n'.repeat(10_000)}`;
const message = [Buffer.from(TEXT)];

function mail(id: string): Mail {
  return { id, from: `${id}@sender.example`, to: `${id}@example.com`, message };
}

async function start(options: FaultServerOptions, login: boolean) {
  const server = await startFaultServer(options);
  const url = Object.assign(new URL(server.url), login ? LOGIN : {}).href;
  const transport = createSmtpTransport({ url, connections: 1, deadline: DEADLINE, rest: 1 });
  /** Whole copies of a mail that the receiver has. */
  const copies = (id: string) =>
    server.mails.filter(({ to, body }) => to === mail(id).to && body === TEXT).length;
  return { server, transport, copies };
}

function endingOf({ state, relayFault }: Outcome): Ending {
  return state === 'deferred' && relayFault ? 'relay fault' : state;
}

/** The relay does it to a mail on a new connection, and behaves from then on. */
async function alone([, does]: Row, extensions: string[]) {
  let faulty = true;
  const { server, transport, copies } = await start(
    { extensions, script: ({ step }) => (faulty ? does[step] : undefined) },
    'AUTH' in does,
  );
  const begun = performance.now();
  const outcome = await transport.deliver(mail('first'));
  const took = performance.now() - begun;
  faulty = false;
  const next = await transport.deliver(mail('second'));
  await transport.close();
  await server.until(() => server.open === 0);
  return { outcome, took, next, copies, server };
}

describe('when a relay', () => {
  test.each(ROWS)('%s, the mail ends as it must', async (...row) => {
    const [, , ending, expected] = row;
    const runs = await Promise.all(
      [IN_PIPELINE, STEP_BY_STEP].map((extensions) => alone(row, extensions)),
    );
    for (const { outcome, took, next, copies } of runs) {
      expect({ ending: endingOf(outcome), copies: copies('first') }).toEqual({
        ending,
        copies: expected,
      });
      expect(took).toBeLessThan(BOUND);
      expect(next.state).toBe('accepted');
      expect(copies('second')).toBe(1);
      expect(JSON.stringify(outcome)).not.toContain(LOGIN.password);
    }
  });

  // Where a connection was used before, a mail of which no byte has left may go over another at once.
  test.each([...ENVELOPE, ...BODY])(
    '%s, the mails before and after it are not touched',
    async (...row) => {
      const [, does, ending, expected] = row;
      const victim = mail('second');
      const { server, transport, copies } = await start(
        {
          script: ({ step, from, connection }) =>
            from === victim.from && connection === 1 ? does[step] : undefined,
        },
        false,
      );
      const [before, outcome, after] = await Promise.all(
        [mail('first'), victim, mail('third')].map((each) => transport.deliver(each)),
      );
      expect(before?.state).toBe('accepted');
      expect(after?.state).toBe('accepted');
      expect([copies('first'), copies('third')]).toEqual([1, 1]);
      const wasRepeated = ending === 'relay fault' && outcome?.state === 'accepted';
      expect({ ending: endingOf(outcome as Outcome), copies: copies('second') }).toEqual(
        wasRepeated ? { ending: 'accepted', copies: 1 } : { ending, copies: expected },
      );
      await transport.close();
      await server.until(() => server.open === 0);
    },
  );

  test('never greets, the outcome comes after each connection has been tried once', async () => {
    const server = await startFaultServer({ script: () => silence });
    const transport = createSmtpTransport({
      url: server.url,
      connections: 3,
      deadline: 50,
      rest: 1,
    });
    const outcome = await transport.deliver(mail('first'));
    expect(endingOf(outcome)).toBe('relay fault');
    expect(server.connections).toBeLessThanOrEqual(3);
  });

  test.each<[string, Partial<Record<Step, Act>>]>([
    ['says a line without end at MAIL', { MAIL: endless('x') }],
    ['says a line without end after the dot', { dot: endless('x') }],
    ['answers without end after the dot', { dot: endless('250-stored\r\n') }],
  ])('%s, little of it is read and none kept', async (_, does) => {
    const { server, transport } = await start({ script: ({ step }) => does[step] }, false);
    const { reply } = await transport.deliver(mail('first'));
    expect(reply).toBe('the server does not stop talking');
    await server.until(() => server.open === 0);
    expect(server.written).toBeLessThan(20 * MEGABYTE);
  });
});
