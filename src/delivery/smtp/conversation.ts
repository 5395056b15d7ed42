/**
 * The part of SMTP that a campaign repeats: envelope, body, answer (RFC 5321 3.3), on a connection that is open and
 * logged in. Where the server pipelines (RFC 2920) the next envelope goes out behind a body, so that
 * one mail takes one round trip.
 */
import { providerOf } from '../../audience/address.ts';
import { needsSmtpUtf8 } from '../../message/address.ts';
import { failpoint } from '../failpoint.ts';
import type { Outcome } from '../outcome.ts';
import { classify, type Phase } from '../replies.ts';
import type { Mail } from '../transport.ts';
import { type Reply, readReplies } from './lines.ts';
import type { Session } from './open.ts';
import { stuffed } from './stuffing.ts';

export interface Conversation {
  /** Sends a mail's envelope ahead of its turn, where that can be done. */
  announce(mail: Mail): void;
  /**
   * Sends a mail. Never rejects.
   * @param stored the body waits for this
   * @param onBody called in the tick in which the body is written: what is announced then goes with it
   */
  send(mail: Mail, stored: Promise<unknown>, onBody: () => void): Promise<Sent>;
  /** Whether another mail can be sent on it. */
  readonly usable: boolean;
  /** Says goodbye; waits for nothing. */
  quit(): void;
  /** Ends it at once. */
  abort(why: string): void;
}

export interface Sent {
  outcome: Outcome;
  /** A byte of the body may have left. */
  bodyBegun: boolean;
}

const QUIT = Buffer.from('QUIT\r\n');
const DOT = Buffer.from('.\r\n');

/** @param deadline longest time that one mail may take, ms */
export function converse(session: Session, deadline: number): Conversation {
  const { socket, extensions } = session;
  const replies = readReplies(socket);
  const pipelines = extensions.has('PIPELINING');
  const write = gatheredWrites(session);
  let announced: Mail | undefined;
  /** Nothing is on its way, or a whole body is: an envelope may follow. */
  let open = true;
  /** A refused recipient leaves a transaction behind. */
  let untidy = false;
  let usable = true;

  function end(why: string): void {
    usable = false;
    replies.fail(new Error(why));
    socket.destroy();
  }

  function announce(mail: Mail): void {
    const canGo = usable && open && pipelines && !announced && !unfit(session, mail);
    if (!canGo) return;
    announced = mail;
    write([Buffer.from(`${untidy ? 'RSET\r\n' : ''}${commandsOf(session, mail).join('')}`)]);
  }

  /** @returns how the server refused it, or nothing when it waits for the body */
  async function introduce(mail: Mail): Promise<{ phase: Phase; reply: Reply } | undefined> {
    const commands = commandsOf(session, mail);
    if (replies.unread > 0 && announced !== mail) throw new Error('the server spoke unasked');
    announce(mail);
    const ahead = announced === mail;
    announced = undefined;
    open = false;
    if (untidy) {
      if (!ahead) write([Buffer.from('RSET\r\n')]);
      const { code, words } = await replies.next();
      if (code === null || code > 299) throw new Error(`RSET was answered: ${words}`);
      untidy = false;
    }
    let refusal: { phase: Phase; reply: Reply } | undefined;
    /** Some refuse a recipient and hang up: what they said of it stands. */
    const next = () =>
      replies.next().catch((error) => {
        if (refusal?.phase !== 'recipient') throw error;
        usable = false;
      });
    for (const [at, phase] of PHASES.entries()) {
      if (!ahead && refusal) break;
      if (!ahead) write([Buffer.from(commands[at] as string)]);
      const reply = await next();
      if (!reply) break;
      if (reply.code === null || (reply.code > 299 && reply.code < 400 && phase !== 'data'))
        throw new Unclear(reply.words);
      const agreed = phase === 'data' ? reply.code === 354 : reply.code <= 299;
      if (!agreed) {
        if (phase === 'data' && reply.code < 400) throw new Unclear(reply.words);
        refusal ??= { phase, reply };
      } else if (phase === 'data' && refusal) {
        // DATA was accepted though nobody is to get it (RFC 2920 3.1): nothing but the final dot.
        write([DOT]);
        await next();
      }
    }
    untidy = refusal !== undefined;
    open = untidy;
    return refusal;
  }

  async function send(mail: Mail, stored: Promise<unknown>, onBody: () => void): Promise<Sent> {
    const misfit = unfit(session, mail);
    if (misfit) return { outcome: misfit, bodyBegun: false };
    let bodyBegun = false;
    const provider = providerOf(mail.to);
    const timer = setTimeout(() => end(`took longer than ${deadline / 1000} s`), deadline);
    try {
      const refusal = await introduce(mail);
      if (refusal) {
        const { phase, reply } = refusal;
        if (reply.code === 421) usable = false;
        return { outcome: classify({ phase, ...reply, bodyBegun, provider }), bodyBegun };
      }
      await stored;
      // An answer to a body that has not been sent would be taken for this mail's.
      if (replies.unread > 0) throw new Error('the server spoke unasked');
      if (replies.ended) await replies.next();
      failpoint('before-body');
      bodyBegun = true;
      write([...stuffed(mail.message), DOT], () => failpoint('after-body'));
      open = true;
      onBody();
      const answer = await replies.next();
      failpoint('after-reply');
      if (answer.code === null || answer.code === 421 || (answer.code > 299 && answer.code < 400))
        usable = false;
      return { outcome: classify({ phase: 'data', ...answer, bodyBegun, provider }), bodyBegun };
    } catch (error) {
      usable = false;
      const words = (error as Error).message;
      return { outcome: classify({ phase: 'connect', code: null, words, bodyBegun }), bodyBegun };
    } finally {
      clearTimeout(timer);
      if (!usable) end('the connection was given up');
    }
  }

  return {
    announce,
    send,
    get usable() {
      return usable && !replies.ended && (replies.unread === 0 || announced !== undefined);
    },
    quit() {
      if (!usable) return;
      usable = false;
      socket.end(QUIT);
      socket.setTimeout(PARTING, () => socket.destroy());
    },
    abort: end,
  };
}

/** How long a server may take to say goodbye, ms. */
const PARTING = 5_000;

/** A reply that is none, or out of place. */
class Unclear extends Error {}

const PHASES = ['sender', 'recipient', 'data'] as const;

function commandsOf({ extensions }: Session, { from, to, message }: Mail): string[] {
  const size = extensions.has('SIZE') ? ` SIZE=${sizeOf(message)}` : '';
  const utf8 = needsSmtpUtf8(to) ? ' BODY=8BITMIME SMTPUTF8' : '';
  return [`MAIL FROM:<${from}>${size}${utf8}\r\n`, `RCPT TO:<${to}>\r\n`, 'DATA\r\n'];
}

function sizeOf(message: readonly Buffer[]): number {
  return message.reduce((sum, { length }) => sum + length, 0);
}

/** Why this server can never be given this mail; nothing of it is sent. */
function unfit({ extensions, largest }: Session, { to, message }: Mail): Outcome | undefined {
  const size = largest ? sizeOf(message) : 0;
  if (size > largest)
    return classify({
      phase: 'sender',
      code: 552,
      words: `552 5.3.4 the relay takes ${largest} bytes at most, this mail has ${size}`,
      bodyBegun: false,
    });
  // RFC 6531 3.2: sent as it is, the address would reach somebody else or nobody.
  if (needsSmtpUtf8(to) && !extensions.has('SMTPUTF8'))
    return {
      state: 'failed',
      code: null,
      reply: 'The relay does not offer SMTPUTF8, which this address needs',
      reason: 'needs-smtputf8',
      relayFault: false,
    };
  return undefined;
}

/** Whatever is written in one turn of the event loop leaves in one system call. */
function gatheredWrites({ socket }: Session) {
  let gathering = false;
  return (pieces: readonly Buffer[], onLeft?: () => void): void => {
    if (!gathering) {
      gathering = true;
      socket.cork();
      setImmediate(() => {
        gathering = false;
        socket.uncork();
      });
    }
    for (const piece of pieces) if (piece.length > 0) socket.write(piece);
    if (onLeft && process.env.FAILPOINT) setImmediate(onLeft);
  };
}
