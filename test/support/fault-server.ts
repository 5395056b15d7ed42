/** A mail server that does at any step what a test says, to the byte: what relays do wrong, and more. */
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** `body`: the first bytes of a body are here; `dot`: all of it is. */
export type Step =
  | 'greeting'
  | 'EHLO'
  | 'AUTH'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'body'
  | 'dot'
  | 'RSET'
  | 'QUIT';

export interface Moment {
  step: Step;
  /** Counted from 1. */
  connection: number;
  /** Of the envelope at hand; empty before it is known. */
  from: string;
  to: string;
}

/** What the server does at a step, and what it makes of the step. */
export type Act = (socket: Socket) => Verdict | Promise<Verdict>;
/** `gone`: it agrees, but neither reads nor answers any more; `lost`: nor does it keep the mail. */
export type Verdict = 'agreed' | 'refused' | 'gone' | 'lost';

/** Writes these bytes, as they are. Only what begins as a refusal is one: a mail answered `hello` is kept. */
export const say =
  (text: string): Act =>
  (socket) => {
    socket.write(text, 'latin1');
    return /^[45]/.test(text) ? 'refused' : 'agreed';
  };

export const answer = (line: string): Act => say(`${line}\r\n`);

export const skip: Act = () => 'agreed';

export const silence: Act = () => 'gone';

/** FIN, after these bytes. */
export const close =
  (text = ''): Act =>
  (socket) => {
    socket.end(text, 'latin1');
    return 'gone';
  };

/** RST, after these bytes. */
export const reset =
  (text = ''): Act =>
  async (socket): Promise<Verdict> => {
    await new Promise((sent) => socket.write(text, 'latin1', sent));
    socket.resetAndDestroy();
    return 'gone';
  };

/** Writes byte by byte, with a pause before each, ms. */
export const trickle =
  (text: string, pause = 20): Act =>
  (socket) => {
    void (async () => {
      for (const byte of text) {
        await sleep(pause);
        if (socket.destroyed) return;
        socket.write(byte, 'latin1');
      }
    })();
    return 'gone';
  };

/** Writes the same again and again, as fast as the client reads. */
export const endless =
  (text: string): Act =>
  (socket) => {
    const much = Buffer.from(text.repeat(Math.ceil(16_384 / text.length)), 'latin1');
    const write = () => {
      while (!socket.destroyed && socket.write(much));
    };
    socket.on('drain', write);
    write();
    return 'gone';
  };

/** The same, and the mail is not kept: its sender cannot tell. */
export const lost =
  (act: Act): Act =>
  async (socket): Promise<Verdict> => {
    await act(socket);
    return 'lost';
  };

/** The same, when that has happened. */
export const after =
  (event: Promise<unknown>, act: Act): Act =>
  async (socket) => {
    await event;
    return act(socket);
  };

const USUAL: Record<Step, Act> = {
  greeting: answer('220 relay ESMTP'),
  EHLO: answer('250 relay'),
  AUTH: answer('235 2.7.0 ok'),
  MAIL: answer('250 2.1.0 ok'),
  RCPT: answer('250 2.1.5 ok'),
  DATA: answer('354 go on'),
  body: skip,
  dot: answer('250 2.0.0 stored'),
  RSET: answer('250 2.0.0 ok'),
  QUIT: close('221 2.0.0 bye\r\n'),
};

export interface FaultServerOptions {
  /** What happens instead of the usual. */
  script?: (moment: Moment) => Act | undefined;
  /** What is offered after EHLO. */
  extensions?: readonly string[];
}

export interface FaultServer {
  port: number;
  url: string;
  /** Those that were kept; the body without dot-stuffing, its bytes as latin1. */
  mails: { from: string; to: string; body: string }[];
  /** Whatever clients said outside of bodies, in order. */
  commands: string[];
  /** What came at once, in order; its bytes as latin1. */
  chunks: string[];
  /** What clients logged in with: method and decoded response. */
  logins: string[];
  /** Connections that were made, and those that are still there. */
  connections: number;
  open: number;
  /** Bytes that were written to clients that have gone. */
  written: number;
  /** Resolves when that holds; looks again whenever something happens here. */
  until(condition: () => boolean): Promise<void>;
}

export const EXTENSIONS = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE 1000000'] as const;

/** Starts a server on loopback; it ends with the test. */
export async function startFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const events = new EventEmitter();
  const server: FaultServer = {
    port: 0,
    url: '',
    mails: [],
    commands: [],
    chunks: [],
    logins: [],
    connections: 0,
    open: 0,
    written: 0,
    async until(condition) {
      while (!condition()) await once(events, 'event');
    },
  };
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    server.connections += 1;
    server.open += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      server.open -= 1;
      server.written += socket.bytesWritten;
      events.emit('event');
    });
    converse(socket, server, options, () => events.emit('event'));
    events.emit('event');
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  server.port = (listener.address() as AddressInfo).port;
  server.url = `smtp://127.0.0.1:${server.port}`;
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return server;
}

async function converse(
  socket: Socket,
  server: FaultServer,
  { script = () => undefined, extensions = EXTENSIONS }: FaultServerOptions,
  happened: () => void,
): Promise<void> {
  const input = readInput(socket, (chunk) => {
    server.chunks.push(chunk);
    happened();
  });
  const moment: Moment = { step: 'greeting', connection: server.connections, from: '', to: '' };
  /** The envelope is one to which a body may be sent. */
  let sender = false;
  let recipient = false;

  const act = async (step: Step, usual = USUAL[step]): Promise<Verdict> =>
    (script({ ...moment, step }) ?? usual)(socket);

  async function command(line: string): Promise<Verdict> {
    server.commands.push(line);
    happened();
    const verb = line.slice(0, 4).toUpperCase();
    const address = /<(.*)>/.exec(line)?.[1] ?? '';
    switch (verb) {
      case 'EHLO':
        return act('EHLO', answer(listed(['relay', ...extensions])));
      case 'AUTH':
        server.logins.push(await login(line));
        return act('AUTH');
      case 'MAIL': {
        Object.assign(moment, { from: address, to: '' });
        const verdict = await act('MAIL');
        [sender, recipient] = [verdict === 'agreed', false];
        return verdict;
      }
      case 'RCPT': {
        moment.to = address;
        const verdict = await act('RCPT', sender ? USUAL.RCPT : answer('503 5.5.1 no sender'));
        recipient = verdict === 'agreed';
        return verdict;
      }
      case 'DATA': {
        const usual = recipient ? USUAL.DATA : answer('503 5.5.1 no recipient');
        const verdict = await act('DATA', usual);
        return verdict === 'agreed' ? body() : verdict;
      }
      case 'RSET':
        [sender, recipient] = [false, false];
        return act('RSET');
      case 'QUIT':
        return act('QUIT');
      default:
        return answer('500 5.5.2 what?')(socket);
    }
  }

  async function body(): Promise<Verdict> {
    await input.some();
    const begun = await act('body');
    if (begun !== 'agreed') return begun;
    const text = await input.body();
    const { from, to } = moment;
    const verdict = await act('dot', recipient ? USUAL.dot : answer('554 5.5.1 no recipient'));
    if (recipient && (verdict === 'agreed' || verdict === 'gone'))
      server.mails.push({ from, to, body: text });
    [sender, recipient] = [false, false];
    happened();
    return verdict;
  }

  async function login(line: string): Promise<string> {
    const decoded = (base64: string) => Buffer.from(base64, 'base64').toString();
    const [, method = '', response = ''] = line.split(' ');
    if (method !== 'LOGIN') return `${method} ${decoded(response)}`;
    socket.write('334 VXNlcm5hbWU6\r\n');
    const user = decoded(await input.line());
    socket.write('334 UGFzc3dvcmQ6\r\n');
    return `LOGIN ${user} ${decoded(await input.line())}`;
  }

  let verdict = await act('greeting');
  while (verdict === 'agreed' || verdict === 'refused') verdict = await command(await input.line());
}

/** A positive reply of several lines. */
function listed(lines: readonly string[]): string {
  return lines.map((line, at) => `250${at < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n');
}

/** What a client sends, piece by piece; nothing more comes of one that has gone. */
function readInput(socket: Socket, came: (chunk: string) => void) {
  let buffer = '';
  let more = Promise.withResolvers<void>();
  socket.on('data', (data) => {
    const chunk = data.toString('latin1');
    buffer += chunk;
    came(chunk);
    more.resolve();
    more = Promise.withResolvers<void>();
  });
  async function upTo(end: string): Promise<string> {
    while (!buffer.includes(end)) await more.promise;
    const at = buffer.indexOf(end);
    const text = buffer.slice(0, at);
    buffer = buffer.slice(at + end.length);
    return text;
  }
  return {
    async some(): Promise<void> {
      while (buffer === '') await more.promise;
    },
    async line(): Promise<string> {
      return Buffer.from(await upTo('\r\n'), 'latin1').toString();
    },
    /** Up to the dot, without dot-stuffing. */
    async body(): Promise<string> {
      // The dot ends it also where nothing stands before it.
      buffer = `\r\n${buffer}`;
      const text = `${await upTo('\r\n.\r\n')}\r\n`;
      return text.replaceAll('\r\n.', '\r\n').slice(2);
    },
  };
}
