/** A mail server that takes everything and keeps nothing: fast enough not to be what is measured. */
import { createServer, type Socket } from 'node:net';

const END = Buffer.from('\r\n.\r\n');
const LINE = Buffer.from('\r\n');
let mails = 0;

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.write('220 sink ESMTP\r\n');
  converse(socket);
});
server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as { port: number }).port);
});
process.on('SIGTERM', () => {
  console.log(mails);
  process.exit(0);
});

/** Commands are read line by line; of a body only its end is looked for. */
function converse(socket: Socket): void {
  let inBody = false;
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    let buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let reply = '';
    for (;;) {
      const end = buffer.indexOf(inBody ? END : LINE);
      if (end < 0) break;
      if (inBody) {
        mails += 1;
        inBody = false;
        reply += '250 2.0.0 taken\r\n';
        buffer = buffer.subarray(end + END.length);
      } else {
        const verb = buffer.toString('latin1', 0, Math.min(4, end)).toUpperCase();
        buffer = buffer.subarray(end + LINE.length);
        inBody = verb === 'DATA';
        reply += answer(verb);
        if (verb === 'QUIT') return void socket.end(reply);
      }
    }
    // Only what may be the beginning of an end has to be kept.
    rest = Buffer.from(inBody ? buffer.subarray(-END.length + 1) : buffer);
    if (reply) socket.write(reply);
  });
}

function answer(verb: string): string {
  if (verb === 'EHLO') return '250-sink\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME\r\n';
  if (verb === 'DATA') return '354 go on\r\n';
  return verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n';
}
