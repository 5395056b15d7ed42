/** A mail server that remembers everything, and misbehaves where a test asks for it. */

import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ReceivedMail {
  from: string;
  to: string;
  /** Without dot-stuffing, with the last CRLF. */
  body: string;
  hash: string;
  messageId: string;
}

/** Where in the conversation something else than usual happens. */
export type Step = 'greeting' | 'ehlo' | 'auth' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot';

/**
 * What the server does at a step: a reply line; `drop` breaks the connection; `hang` never answers;
 * undefined is the usual reply. `drop-after` at `dot` stores the mail first.
 */
export type Behaviour = (
  step: Step,
  about: { to: string; connection: number },
) => string | undefined;

export interface Receiver {
  url: string;
  mails: ReceivedMail[];
  connections: number;
  /** Most connections at one time. */
  peak: number;
  /** Resolves when that many mails are here. */
  received(count: number): Promise<void>;
  /** Every line that clients sent, bodies left out. */
  commands: string[];
}

const USUAL: Record<Step, string> = {
  greeting: '220 receiver ESMTP',
  ehlo: '250-receiver\r\n250-PIPELINING\r\n250 8BITMIME',
  auth: '235 2.7.0 ok',
  mail: '250 2.1.0 ok',
  rcpt: '250 2.1.5 ok',
  data: '354 go on',
  body: '',
  dot: '250 2.0.0 stored',
};

/** Starts a server on loopback; it ends with the test. */
export async function startReceiver(behaviour: Behaviour = () => undefined): Promise<Receiver> {
  const arrivals = new EventEmitter();
  const mails: ReceivedMail[] = [];
  const store = (mail: ReceivedMail) => {
    mails.push(mail);
    arrivals.emit('mail');
  };
  const received = async (count: number) => {
    while (mails.length < count) await once(arrivals, 'mail');
  };
  const receiver: Receiver = { url: '', mails, connections: 0, peak: 0, received, commands: [] };
  const open = new Set<Socket>();
  // Without it the second reply of a pipeline waits 40 ms for the client's ACK of the first.
  const server: Server = createServer({ noDelay: true }, (socket) => {
    receiver.connections += 1;
    open.add(socket);
    receiver.peak = Math.max(receiver.peak, open.size);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
    converse(socket, receiver, store, behaviour, receiver.connections);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  receiver.url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return receiver;
}

function converse(
  socket: Socket,
  receiver: Receiver,
  keep: (mail: ReceivedMail) => void,
  behaviour: Behaviour,
  connection: number,
): void {
  let buffer = '';
  let from = '';
  let to = '';
  let inBody = false;
  const answer = (step: Step): boolean => {
    const reply = behaviour(step, { to, connection });
    if (reply === 'hang') return false;
    if (reply === 'drop') {
      socket.destroy();
      return false;
    }
    const line = reply ?? USUAL[step];
    if (line) socket.write(`${line}\r\n`);
    return reply === undefined || /^[23]/.test(reply);
  };
  const store = (body: string) => {
    const messageId = /^Message-ID: (.*)$/im.exec(body)?.[1] ?? '';
    keep({
      from,
      to,
      body,
      messageId,
      hash: createHash('sha256').update(body).digest('hex'),
    });
  };
  const endOfBody = (end: number) => {
    const body = buffer.slice(0, end).replace(/^\.\./gm, '.');
    buffer = buffer.slice(end + 3);
    inBody = false;
    const reply = behaviour('dot', { to, connection });
    if (reply === undefined || reply === 'drop-after') store(body);
    if (reply?.startsWith('drop')) socket.destroy();
    else if (reply !== 'hang') socket.write(`${reply ?? USUAL.dot}\r\n`);
  };
  const command = (line: string) => {
    receiver.commands.push(line);
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') answer('ehlo');
    else if (verb === 'AUTH') answer('auth');
    else if (verb === 'MAIL') {
      from = /<(.*)>/.exec(line)?.[1] ?? '';
      to = '';
      if (!answer('mail')) from = '';
    } else if (verb === 'RCPT') {
      to = from && (/<(.*)>/.exec(line)?.[1] ?? '');
      if (!from) socket.write('503 5.5.1 no sender\r\n');
      else if (!answer('rcpt')) to = '';
    } else if (verb === 'DATA') {
      if (to === '') socket.write('503 5.5.1 no recipient\r\n');
      else inBody = answer('data');
      if (inBody && behaviour('body', { to, connection }) === 'drop') socket.destroy();
    } else if (verb === 'QUIT') socket.end('221 bye\r\n');
    else socket.write('250 ok\r\n');
  };
  socket.on('data', (chunk) => {
    buffer += chunk.toString('latin1');
    for (;;) {
      if (inBody) {
        // The dot ends the mail also where nothing stands before it.
        const end = buffer.startsWith('.\r\n') ? -2 : buffer.indexOf('\r\n.\r\n');
        if (end === -1) return;
        endOfBody(end + 2);
        continue;
      }
      const end = buffer.indexOf('\r\n');
      if (end === -1) return;
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      command(line);
    }
  });
  answer('greeting');
}
