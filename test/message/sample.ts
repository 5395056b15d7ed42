/** A newsletter to compose, and ways to look at the raw bytes of what came out. */

import type { Email } from '../../src/issue/email.ts';
import { slotMarker } from '../../src/issue/email.ts';
import { compile, fill, type Head, type Reader } from '../../src/message/program.ts';

export const HEAD: Head = {
  from: { name: 'AI大模型周报', address: 'weekly@news.example.com' },
  replyTo: 'editor@news.example.com',
  listId: { id: 'ai-weekly.news.example.com', name: 'AI大模型周报' },
  date: Date.UTC(2023, 8, 17, 1),
  helpUrl: 'https://news.example.com/',
  archivedAt: 'https://news.example.com/issues/2023-09-w3',
  feedbackId: '2023-09-w3:weekly:news:example',
  links: {
    unsubscribe: 'https://news.example.com/u/{token}',
    web: 'https://news.example.com/issues/2023-09-w3?from=mail&lang=zh',
    preferences: 'https://news.example.com/p/{token}',
  },
  mailtoUnsubscribe: 'u+{token}@news.example.com',
  identity: { issue: '2023-09-w3', domain: 'news.example.com', salt: 'a secret of the campaign' },
};

export const EMAIL: Email = {
  subject: 'AI大模型周报 2023年9月第3期',
  language: 'zh-CN',
  preheader: '英伟达将开源推理加速软件',
  html: [
    '<!doctype html><html><body>',
    `<p>你好 ${slotMarker('name', 1)}</p><p>.leading dot</p>`,
    `<a href="${slotMarker('web', 1)}#one">英伟达将开源推理加速软件 TensorRT-LLM</a>`,
    `<a href="${slotMarker('unsubscribe', 1)}">退订</a> ${slotMarker('address', 1)}`,
    '</body></html>',
  ].join('\n'),
  text: `你好 ${slotMarker('name', 1)}\n\n英伟达将开源推理加速软件\n退订：${slotMarker('unsubscribe', 1)}\n${slotMarker('web', 1)}\n`,
};

export const READER: Reader = {
  delivery: 4711,
  address: 'Reader@example.net',
  name: '王小明',
  token: '1.k1.Zm9vYmFyYmF6',
};

interface Changes {
  email?: Partial<Email>;
  head?: Partial<Head>;
  reader?: Partial<Reader>;
}

/** The sample's message, with changes. */
export function compose({ email, head, reader }: Changes = {}): Buffer {
  const program = compile({ ...EMAIL, ...email }, { ...HEAD, ...head });
  return fill(program, { ...READER, ...reader });
}

/** The header fields as they stand on the wire, folding and all, in order. */
export function rawFields(message: Buffer): [name: string, value: string][] {
  const header = message.toString('latin1', 0, message.indexOf('\r\n\r\n'));
  return header.split(/\r\n(?![ \t])/).map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon), field.slice(colon + 2)];
  });
}

/** The values of all fields of that name. */
export function rawValues(message: Buffer, name: string): string[] {
  return rawFields(message)
    .filter(([field]) => field.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value);
}

/** Lines without their CRLF; a bare CR or LF stays inside its line. */
export function rawLines(message: Buffer): string[] {
  return message.toString('latin1').split('\r\n');
}

/** The parts between the boundaries: header and encoded body of each. */
export function rawParts(message: Buffer): { header: string; body: string }[] {
  const raw = message.toString('latin1');
  const boundary = /boundary="([^"]+)"/.exec(raw)?.[1];
  return raw
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const end = part.indexOf('\r\n\r\n');
      return { header: part.slice(2, end), body: part.slice(end + 4) };
    });
}
