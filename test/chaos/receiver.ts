/**
 * A mail server that writes every mail into a file before it answers. It may be slow, and may misbehave as a seed wants it:
 * the same delivery meets the same fault in every run.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { LogLine } from '../support/oracle.ts';

export interface ReceiverOptions {
  /** File that it appends to; see `LogLine`. */
  log: string;
  /** Pause before the answer to a mail, shortest and longest, ms. May be changed while it runs. */
  pause: [number, number];
  seed: string;
  /** Refuses and drops a part of what comes. */
  faults: boolean;
}

export interface Receiver {
  url: string;
  /** Mails stored so far. */
  readonly stored: number;
  /** Resolves when so many mails are stored. */
  received(mails: number): Promise<void>;
  close(): void;
}

/** Shares of the attempts that fail, in the order in which they are drawn. */
const FAULTS = [
  { share: 0.1, kind: 'defer' },
  { share: 0.02, kind: 'refuse' },
  { share: 0.01, kind: 'drop-early' },
  { share: 0.005, kind: 'drop-late' },
] as const;
type Fault = (typeof FAULTS)[number]['kind'];

/** What an attempt meets; the numbers are drawn in [0, 1). */
interface Fate {
  fault: Fault | undefined;
  /** A refusal comes at RCPT or after the body; a mail is lost or stored before the connection drops. */
  late: boolean;
  /** Of the pause. */
  part: number;
}

const END = Buffer.from('\r\n.\r\n');
/** The head of a message, where its Message-ID is, bytes. */
const HEAD = 4096;

export async function openReceiver(options: ReceiverOptions): Promise<Receiver> {
  const file = openSync(options.log, 'a');
  const sockets = new Set<Socket>();
  const tries = new Map<string, number>();
  let waiting: { mails: number; resolve: () => void }[] = [];
  let stored = 0;

  function write(line: LogLine): void {
    writeSync(file, `${JSON.stringify(line)}\n`);
    if (line.kind !== 'mail') return;
    stored += 1;
    for (const { mails, resolve } of waiting) if (mails <= stored) resolve();
    waiting = waiting.filter(({ mails }) => mails > stored);
  }

  function fateOf(to: string): Fate {
    const attempt = (tries.get(to) ?? 0) + 1;
    tries.set(to, attempt);
    const digest = createHash('sha256').update(`${options.seed} ${to} ${attempt}`).digest();
    const draw = (at: number) => digest.readUInt32BE(at) / 2 ** 32;
    return {
      fault: options.faults ? faultOf(draw(0)) : undefined,
      late: draw(4) < 0.5,
      part: draw(8),
    };
  }

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    converse(socket, options, { write, fateOf });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get stored() {
      return stored;
    },
    received: (mails) =>
      new Promise((resolve) => {
        if (stored >= mails) resolve();
        else waiting.push({ mails, resolve });
      }),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      closeSync(file);
    },
  };
}

function faultOf(draw: number): Fault | undefined {
  let edge = 0;
  return FAULTS.find(({ share }) => {
    edge += share;
    return draw < edge;
  })?.kind;
}

/** One connection: commands and bodies in the order in which they come, each answered before the next is read. */
function converse(
  socket: Socket,
  { pause }: ReceiverOptions,
  { write, fateOf }: { write(line: LogLine): void; fateOf(to: string): Fate },
): void {
  let buffer: Buffer = Buffer.alloc(0);
  let inBody = false;
  let busy = false;
  let to = '';
  let fate: Fate = { fault: undefined, late: false, part: 0 };
  let begun = 0;
  const say = (reply: string): void => void socket.write(`${reply}\r\n`);

  function refuse(reply: string): void {
    write({ kind: 'refused', to, code: Number(reply.slice(0, 3)), at: Date.now() });
    say(reply);
    to = '';
  }

  function drop(): void {
    write({ kind: 'dropped', to, at: Date.now() });
    socket.destroy();
  }

  function command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') say('250-receiver\r\n250-PIPELINING\r\n250 8BITMIME');
    else if (verb === 'RCPT') recipient(/<(.*)>/.exec(line)?.[1] ?? '');
    else if (verb === 'DATA') data();
    else if (verb === 'QUIT') socket.end('221 2.0.0 bye\r\n');
    else say('250 2.0.0 ok');
  }

  function recipient(address: string): void {
    to = address;
    fate = fateOf(to);
    if (fate.fault === 'defer' && !fate.late) refuse('450 4.2.0 not now');
    else if (fate.fault === 'refuse' && !fate.late) refuse('550 5.1.1 no such user');
    else say('250 2.1.5 ok');
  }

  function data(): void {
    if (to === '') say('503 5.5.1 no recipient');
    else if (fate.fault === 'drop-early') drop();
    else {
      begun = Date.now();
      inBody = true;
      say('354 go on');
    }
  }

  function mail(body: Buffer): void {
    inBody = false;
    if (fate.fault === 'defer') refuse('451 4.3.0 not now');
    else if (fate.fault === 'refuse') refuse('554 5.0.0 not for us');
    else if (fate.fault === 'drop-late' && !fate.late) drop();
    else store(body);
  }

  /** Stored first, answered after a pause: a sender that dies in between cannot know. */
  function store(body: Buffer): void {
    const answered = fate.fault === undefined;
    const messageId = /^Message-ID: *(.*?)\r?$/im.exec(body.toString('latin1', 0, HEAD))?.[1] ?? '';
    const hash = createHash('sha256').update(body).digest('hex');
    write({ kind: 'mail', to, messageId, hash, begun, at: Date.now(), answered });
    to = '';
    if (!answered) socket.destroy();
    else answerAfter(pause[0] + fate.part * (pause[1] - pause[0]));
  }

  function answerAfter(ms: number): void {
    if (ms === 0) {
      say('250 2.0.0 stored');
      return;
    }
    busy = true;
    setTimeout(() => {
      busy = false;
      say('250 2.0.0 stored');
      work();
    }, ms);
  }

  function work(): void {
    while (!busy && !socket.destroyed) {
      const end = buffer.indexOf(inBody ? END : '\r\n');
      if (end < 0) return;
      const part = buffer.subarray(0, end);
      buffer = buffer.subarray(end + (inBody ? END.length : 2));
      if (inBody) mail(part);
      else command(part.toString('latin1'));
    }
  }

  socket.on('data', (chunk: Buffer) => {
    buffer = buffer.length > 0 ? Buffer.concat([buffer, chunk]) : chunk;
    work();
  });
  say('220 receiver ESMTP');
}
