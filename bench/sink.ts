/**
 * A mail server that takes everything and keeps nothing: fast enough not to be what is measured.
 * Prints its port, and at SIGTERM how many mails came. `--delay MS` holds back every reply that long.
 */
import { type AddressInfo, createServer, type OnReadOpts, Socket } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { delay: { type: 'string', default: '0' } } });
const delay = Number(values.delay);

const END = '\r\n.\r\n';
/** What a client may send behind a body before it has our reply: the next MAIL, RCPT and DATA. Bytes. */
const BEHIND = 4096;
/** Read into by all connections: what arrives is looked at before the next read. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);
let mails = 0;

const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
  const say = (reply: string, isLast = false) => {
    const write = () => (isLast ? socket.end(reply) : socket.write(reply));
    // Timers of the same length end in the order in which they began.
    if (delay > 0) setTimeout(write, delay);
    else write();
  };
  const socket = withBuffer(accepted, { buffer, callback: converse(say) });
  socket.on('error', () => {});
  say('220 sink ESMTP\r\n');
  socket.resume();
});
server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});
process.on('SIGTERM', () => {
  console.log(mails);
  process.exit(0);
});

/** A server's sockets have no `onread`; one made around the same handle has, and spares a copy of all that comes. */
function withBuffer(accepted: Socket, onread: OnReadOpts): Socket {
  const inner = accepted as unknown as { _handle: unknown };
  const options = { handle: inner._handle, onread };
  inner._handle = null;
  return new Socket(options as never);
}

/** Commands are read line by line; of a body only its end is looked for, where it can be. */
function converse(say: (reply: string, isLast?: boolean) => void): (bytes: number) => boolean {
  let inBody = false;
  let rest = '';
  return (bytes) => {
    let text = rest + buffer.toString('latin1', inBody ? Math.max(0, bytes - BEHIND) : 0, bytes);
    let reply = '';
    let isLast = false;
    for (;;) {
      const mark = inBody ? END : '\r\n';
      const end = text.indexOf(mark);
      if (end < 0) break;
      const verb = inBody ? '' : text.slice(0, 4).toUpperCase();
      if (inBody) mails += 1;
      reply += inBody ? '250 2.0.0 taken\r\n' : answer(verb);
      inBody = verb === 'DATA';
      isLast = verb === 'QUIT';
      text = text.slice(end + mark.length);
    }
    // Only what may be the beginning of an end has to be kept.
    rest = inBody ? text.slice(1 - END.length) : text;
    if (reply) say(reply, isLast);
    return true;
  };
}

function answer(verb: string): string {
  if (verb === 'EHLO') return '250-sink\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME\r\n';
  if (verb === 'DATA') return '354 go on\r\n';
  return verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n';
}
