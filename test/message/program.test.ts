import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { slotMarker } from '../../src/issue/email.ts';
import {
  compile,
  deserialise,
  fill,
  messageId,
  programHash,
  serialise,
} from '../../src/message/program.ts';
import { compose, EMAIL, HEAD, READER, rawLines, rawParts, rawValues } from './sample.ts';

describe('one-click unsubscribe, in the bytes', () => {
  test('D-01: there is exactly one List-Unsubscribe and one List-Unsubscribe-Post', () => {
    expect(rawValues(compose(), 'List-Unsubscribe')).toHaveLength(1);
    expect(rawValues(compose(), 'List-Unsubscribe-Post')).toHaveLength(1);
  });

  test('D-02: one https: address stands first, one mailto: after it', () => {
    expect(rawValues(compose(), 'List-Unsubscribe')).toEqual([
      '<https://news.example.com/u/1.k1.Zm9vYmFyYmF6>, <mailto:u+1.k1.Zm9vYmFyYmF6@news.example.com>',
    ]);
  });

  test('D-02: spaces and letters outside ASCII are encoded, the host has A-labels', () => {
    const links = { ...HEAD.links, unsubscribe: 'https://新闻.example/退 订/{token}' };
    const message = compose({ head: { links } });
    expect(rawValues(message, 'List-Unsubscribe')[0]).toMatch(
      /^<https:\/\/xn--efvy88h\.example\/%E9%80%80%20%E8%AE%A2\/1\.k1\.Zm9vYmFyYmF6>, /,
    );
  });

  test('D-02: http: is refused, except on this very machine', () => {
    const on = (site: string) => ({ ...HEAD.links, unsubscribe: `${site}/u/{token}` });
    expect(() => compose({ head: { links: on('http://news.example.com') } })).toThrow(
      'is not https:',
    );
    expect(() => compose({ head: { links: on('http://localhost.example.com') } })).toThrow(
      'is not https:',
    );
    expect(() => compose({ head: { links: on('ftp://news.example.com') } })).toThrow(
      'is no web address',
    );
    expect(() => compose({ head: { links: on('http://127.0.0.1:8080') } })).not.toThrow();
  });

  test('D-03: the Post field is List-Unsubscribe=One-Click and nothing else', () => {
    expect(rawValues(compose(), 'List-Unsubscribe-Post')).toEqual(['List-Unsubscribe=One-Click']);
  });

  test('D-08: the link has the token of the reader and not the address; a link without token is refused', () => {
    const [value] = rawValues(compose(), 'List-Unsubscribe');
    expect(value).toContain(READER.token);
    expect(value).not.toContain('example.net');
    const links = { ...HEAD.links, unsubscribe: 'https://news.example.com/u/' };
    expect(() => compose({ head: { links } })).toThrow('has no {token}');
  });

  test('D-11: the same link is visible in the HTML and in the text', async () => {
    const { html, text } = await simpleParser(compose());
    expect(html).toContain('<a href="https://news.example.com/u/1.k1.Zm9vYmFyYmF6">退订</a>');
    expect(text).toContain('退订：https://news.example.com/u/1.k1.Zm9vYmFyYmF6\n');
  });

  test('D-12: without a mailbox that is read there is no mailto:', () => {
    const { mailtoUnsubscribe: _, ...head } = HEAD;
    const message = fill(compile(EMAIL, head), READER);
    expect(rawValues(message, 'List-Unsubscribe')).toEqual([
      '<https://news.example.com/u/1.k1.Zm9vYmFyYmF6>',
    ]);
  });

  test('D-12: a local part of more than 64 octets is refused, one of 64 is not', () => {
    expect(() => compose({ reader: { token: 'x'.repeat(62) } })).not.toThrow();
    expect(() => compose({ reader: { token: 'x'.repeat(63) } })).toThrow('token');
  });

  test('D-39: List-Unsubscribe is one line of less than 998 octets, whatever the token', () => {
    const links = {
      ...HEAD.links,
      unsubscribe: `https://news.example.com/${'x'.repeat(880)}/{token}`,
    };
    const { mailtoUnsubscribe: _, ...rest } = HEAD;
    const program = compile(EMAIL, { ...rest, links });
    const longest = fill(program, { ...READER, token: 'x'.repeat(program.longestToken) });
    const line = rawLines(longest).find((text) => text.startsWith('List-Unsubscribe:'));
    expect(line?.length).toBe(996);
    expect(() => fill(program, { ...READER, token: 'x'.repeat(program.longestToken + 1) })).toThrow(
      'token',
    );
  });
});

describe('the shape of a message', () => {
  test('D-16: no line has more than 998 octets, none that we write ourselves more than 78', () => {
    const long = 'x'.repeat(20_000) + '大'.repeat(5000);
    const message = compose({ email: { html: long, text: long, subject: 'words '.repeat(200) } });
    const lengths = rawLines(message)
      .filter((line) => !/^(List-Unsubscribe|Message-ID):/.test(line))
      .map((line) => line.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(78);
  });

  test('D-16: every line ends with CRLF; there is no bare CR or LF and no byte above 127', () => {
    const message = compose({ email: { text: 'a\rb\nc\r\nd\u2028é\n', html: '<p>\r\r\n\n</p>' } });
    expect(message.toString('latin1').replaceAll('\r\n', '')).not.toMatch(/[\r\n\x80-\xff]/);
    expect(message.toString('latin1')).toMatch(/\r\n$/);
  });

  test('D-16: no line begins with a dot, so no transport has to add one', () => {
    const dots = '.\n..\n.com\n' + 'x'.repeat(72) + '.'.repeat(300);
    const message = compose({ email: { text: dots, html: dots }, reader: { name: '.' } });
    expect(rawLines(message).filter((line) => line.startsWith('.'))).toEqual([]);
  });

  test('D-18: the Message-ID is the same for a delivery and different for another', () => {
    const [first] = rawValues(compose(), 'Message-ID');
    expect(first).toMatch(/^<v1\.2023-09-w3\.4711\.[0-9a-v]{8}@news\.example\.com>$/);
    expect(rawValues(compose({ reader: { name: 'other', token: 'other' } }), 'Message-ID')).toEqual(
      [first],
    );
    expect(rawValues(compose({ reader: { delivery: 4712 } }), 'Message-ID')).not.toEqual([first]);
  });

  test('D-18: nobody without the salt can make one', () => {
    const other = compile(EMAIL, { ...HEAD, identity: { ...HEAD.identity, salt: 'another' } });
    expect(messageId(other, READER)).not.toBe(messageId(compile(EMAIL, HEAD), READER));
  });

  test('D-18: what proves one delivery does not prove another', () => {
    const program = compile(EMAIL, HEAD);
    const proofs = [1, 2, 3].map((delivery) => messageId(program, { delivery }).split(/[.@]/)[3]);
    expect(new Set(proofs).size).toBe(3);
  });

  test('D-18: the salt may be given as bytes', () => {
    const bytes = compile(EMAIL, {
      ...HEAD,
      identity: { ...HEAD.identity, salt: Buffer.from(HEAD.identity.salt as string) },
    });
    expect(messageId(bytes, READER)).toBe(messageId(compile(EMAIL, HEAD), READER));
  });

  test('D-22: the message names one recipient and has no Cc or Bcc', () => {
    expect(rawValues(compose(), 'To')).toEqual(['<Reader@example.net>']);
    expect([...rawValues(compose(), 'Cc'), ...rawValues(compose(), 'Bcc')]).toEqual([]);
  });

  test('D-23: multipart/alternative, text first, HTML last, both UTF-8', () => {
    expect(rawValues(compose(), 'Content-Type')[0]).toMatch(/^multipart\/alternative;/);
    const types = rawParts(compose()).map(({ header }) => /Content-Type: (.*)/.exec(header)?.[1]);
    expect(types).toEqual(['text/plain; charset=utf-8', 'text/html; charset=utf-8']);
  });

  test('D-23: the boundary occurs in no part, even when the text has it', () => {
    const first = /boundary="([^"]+)"/.exec(compose().toString())?.[1];
    const message = compose({ reader: { name: `--${first}` } });
    expect(rawLines(message).filter((line) => line.startsWith(`--${first}`))).toHaveLength(3);
  });

  test('D-24: Chinese goes as base64, mostly ASCII as quoted-printable', () => {
    const encodings = (text: string) =>
      rawParts(compose({ email: { text, html: text } })).map(
        ({ header }) => /Content-Transfer-Encoding: (.*)/.exec(header)?.[1],
      );
    expect(encodings('大模型周报'.repeat(100))).toEqual(['base64', 'base64']);
    expect(encodings('<td style="color:#333333;font-size:16px">大模型</td>'.repeat(100))).toEqual([
      'quoted-printable',
      'quoted-printable',
    ]);
  });

  test('D-24: in quoted-printable ASCII words stay readable, and only slots are broken out', () => {
    const [text] = rawParts(
      compose({
        email: { text: `Dear ${slotMarker('name', 1)}, hello\n` },
        reader: { name: 'Jo' },
      }),
    );
    expect(text?.body).toBe('Dear=20=\r\nJo=\r\n, hello\r\n\r\n');
  });

  test('D-26: a domain outside ASCII is written as A-labels, the local part stays as typed', () => {
    expect(rawValues(compose({ reader: { address: 'Some.One+x@例え.jp' } }), 'To')).toEqual([
      '<Some.One+x@xn--r8jz45g.jp>',
    ]);
  });

  test('D-26: a local part outside ASCII goes out as UTF-8, in the To field only', () => {
    const message = compose({ reader: { address: '用户@example.net' } });
    expect(Buffer.from(rawValues(message, 'To')[0] as string, 'latin1').toString()).toBe(
      '<用户@example.net>',
    );
    expect(message.toString('latin1').match(/[\x80-\xff]+/g)).toHaveLength(1);
  });

  test('the wire form is what DKIM signs: no tab, no two spaces, no space at the end of a line', () => {
    const untidy = 'a  b\tc \n\t\n   \nx\u00a0 \n'.repeat(3) + `${slotMarker('name', 1)}  \n\n\n`;
    const message = compose({ email: { html: untidy, text: untidy } });
    const body = message.toString('latin1').slice(message.indexOf('\r\n\r\n'));
    expect(body).not.toMatch(/\t| {2}| \r\n/);
    expect(body).not.toMatch(/\r\n\r\n$/);
  });
});

describe('the program', () => {
  test('I11: the same input gives the same bytes', () => {
    expect(compose()).toEqual(compose());
    expect(programHash(compile(EMAIL, HEAD))).toBe(programHash(compile(EMAIL, HEAD)));
  });

  test('its hash names what is sent: any change of content, header or identity gives another', () => {
    const hashes = [
      compile(EMAIL, HEAD),
      compile({ ...EMAIL, text: `${EMAIL.text}.` }, HEAD),
      compile({ ...EMAIL, html: `${EMAIL.html}.` }, HEAD),
      compile({ ...EMAIL, subject: 'Other' }, HEAD),
      compile(EMAIL, { ...HEAD, date: HEAD.date + 1000 }),
      compile(EMAIL, { ...HEAD, identity: { ...HEAD.identity, salt: 'another' } }),
    ].map(programHash);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashes[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('serialised and read back it composes the same bytes for anybody', () => {
    const content = fc.array(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('大模型', '🎉', '\n', '.', '  ', '=', ...Array(3).fill(null)),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(content, fc.string({ unit: 'grapheme' }), (pieces, name) => {
        let n = 0;
        const text = pieces.map((piece) => piece ?? slotMarker('name', ++n)).join('');
        const program = compile({ ...EMAIL, text, html: text }, HEAD);
        const again = deserialise(serialise(program));
        expect(again).toEqual(program);
        expect(fill(again, { ...READER, name })).toEqual(fill(program, { ...READER, name }));
        expect(programHash(again)).toBe(programHash(program));
      }),
    );
  });

  test('one that another version wrote is refused', () => {
    const newer = serialise(compile(EMAIL, HEAD)).toString().replace('"format":1', '"format":2');
    expect(() => deserialise(Buffer.from(newer))).toThrow('has the format 2; this version knows 1');
  });
});
