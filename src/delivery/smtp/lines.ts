/** Reads a server's replies from a socket, one after the other (RFC 5321 4.2). */
import type { Socket } from 'node:net';

export interface Reply {
  /** Null for what is no reply. */
  code: number | null;
  /** All its lines, joined by a space, with the code. */
  words: string;
}

export interface Replies {
  /** The next one. Rejects when the connection ends before it is whole. */
  next(): Promise<Reply>;
  /** Replies that have come and nobody has asked for. */
  readonly unread: number;
  /** Whether no more will come. */
  readonly ended: boolean;
  /** Ends it: whoever waits gets this error. */
  fail(error: Error): void;
}

/** A server that says more than this in one reply is not answering, bytes. */
const LONGEST = 64 * 1024;

/** Listens to the socket from now on. */
export function readReplies(socket: Socket): Replies {
  const came: Reply[] = [];
  const waiting: { give(reply: Reply): void; fail(error: Error): void }[] = [];
  let text = '';
  let begun: string[] = [];
  let failure: Error | undefined;

  function fail(error: Error): void {
    failure ??= error;
    for (const { fail } of waiting.splice(0)) fail(failure);
  }

  function give(reply: Reply): void {
    const first = waiting.shift();
    if (first) first.give(reply);
    else came.push(reply);
  }

  function read(line: string): void {
    begun.push(line.replace(/\r$/, ''));
    const isMore = /^\d{3}-/.test(line) && line.endsWith('\r');
    if (isMore) return;
    // A line without CR, or without a code of three digits, means nothing that can be relied on.
    const code = /^([2-5]\d\d)(?: |\r$)/.exec(line)?.[1];
    const isWhole = line.endsWith('\r') && begun.every((each) => each.startsWith(code ?? ' '));
    give({ code: code && isWhole ? Number(code) : null, words: decoded(begun.join(' ')) });
    begun = [];
  }

  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      read(text.slice(0, end));
      text = text.slice(end + 1);
    }
    const length = begun.reduce((sum, line) => sum + line.length, text.length);
    if (length > LONGEST || came.length > LONGEST / 8) {
      fail(new Error('the server does not stop talking'));
      socket.destroy();
    }
  });
  socket.once('error', fail);
  socket.once('close', () => fail(new Error('the connection was closed')));
  socket.once('end', () => fail(new Error('the connection was closed')));

  return {
    next() {
      const first = came.shift();
      if (first) return Promise.resolve(first);
      if (failure) return Promise.reject(failure);
      return new Promise((give, fail) => waiting.push({ give, fail }));
    },
    get unread() {
      return came.length;
    },
    get ended() {
      return failure !== undefined;
    },
    fail,
  };
}

/** UTF-8 where it is, else as the bytes stand: no charset is defined for replies. */
function decoded(latin1: string): string {
  if (!/[\x80-\xff]/.test(latin1)) return latin1;
  const utf8 = Buffer.from(latin1, 'latin1').toString();
  return utf8.includes('\ufffd') ? latin1 : utf8;
}
