/** Contestant: nodemailer's pool, HTML and text made for each reader, as most people send today. */
import { readFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import { used } from './used.ts';

const { MESSAGE = '', SMTP_URL = '', CONNECTIONS = '20', MAILS = '1000' } = process.env;
/** `base64`: what it is fastest with; absent: it looks at each part to choose. */
const { ENCODING, DKIM_KEY } = process.env;
const { subject, html, text } = JSON.parse(readFileSync(MESSAGE, 'utf8')) as Record<string, string>;
const { hostname, port } = new URL(SMTP_URL);
const transport = createTransport({
  pool: true,
  host: hostname,
  port: Number(port),
  ignoreTLS: true,
  maxConnections: Number(CONNECTIONS),
  maxMessages: Number.POSITIVE_INFINITY,
  ...(DKIM_KEY ? { dkim: dkim(DKIM_KEY) } : {}),
});
const encoding = ENCODING === 'base64' ? ({ textEncoding: 'base64' } as const) : {};
const result = used();
let next = 0;
let sent = 0;

function dkim(path: string) {
  const privateKey = readFileSync(path, 'utf8');
  return { domainName: 'news.example.com', keySelector: 'bench', privateKey };
}

/** As many mails under way as there are connections: all at once would fill the memory. */
async function lane(): Promise<void> {
  for (let n = next++; n < Number(MAILS); n = next++) {
    const link = `https://news.example.com/u/${n}`;
    await transport.sendMail({
      ...encoding,
      from: '"AI" <weekly@news.example.com>',
      to: `reader${n}@example.com`,
      subject,
      html: html?.replaceAll('{{unsubscribe}}', link),
      text: text?.replaceAll('{{unsubscribe}}', link),
      headers: {
        'List-Unsubscribe': `<${link}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
    });
    sent += 1;
  }
}
await Promise.all(Array.from({ length: Number(CONNECTIONS) }, lane));
console.log(JSON.stringify(result(sent)));
transport.close();
