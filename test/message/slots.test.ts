import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { slotMarker } from '../../src/issue/email.ts';
import { compose, HEAD, rawParts } from './sample.ts';

describe('slots', () => {
  const lost =
    (email: object, head = {}) =>
    () =>
      compose({ email, head });
  const unsubscribe = (n: number) => `<p>${slotMarker('unsubscribe', n)}</p>`;

  test('a marker that was lost, doubled or damaged stops the compilation', () => {
    expect(lost({ html: unsubscribe(2) })).toThrow(
      'Use 1 of the slot "unsubscribe" is no longer in the HTML',
    );
    expect(lost({ html: unsubscribe(1) + unsubscribe(3) })).toThrow(
      'Use 2 of the slot "unsubscribe" is no longer',
    );
    expect(lost({ text: unsubscribe(1) + unsubscribe(1) })).toThrow(
      'Use 1 of the slot "unsubscribe" is twice in the text',
    );
    expect(lost({ html: 'XSLOT-WEB-1-TOLSX' })).toThrow(
      'A slot was damaged in the HTML: "XSLOT-WEB-1-TOLSX',
    );
    expect(lost({ html: 'xslot-web-1-<wbr>tolsx' })).toThrow('A slot was damaged');
    expect(lost({ subject: `Hello ${slotMarker('name', 1)}` })).toThrow(
      'A slot was damaged in the subject',
    );
  });

  test('uses of different slots are numbered apart, and may stand in any order', async () => {
    const html = `${slotMarker('name', 2)},${slotMarker('web', 1)},${slotMarker('name', 1)}`;
    const message = compose({ email: { html }, reader: { name: 'Jo' } });
    expect((await simpleParser(message)).html).toMatch(/^Jo,https:.*,Jo\n$/);
  });

  test('CRLF, LF and CR all end a line, and the last line is ended', () => {
    const [text] = rawParts(compose({ email: { text: 'one\r\ntwo\nthree\rfour' } }));
    expect(text?.body).toBe('one\r\ntwo\r\nthree\r\nfour\r\n\r\n');
  });

  test('a slot for a link that the newsletter does not have stops the compilation', () => {
    const links = { unsubscribe: HEAD.links.unsubscribe };
    expect(lost({}, { links })).toThrow(
      'The template uses the slot "web", but there is no such link',
    );
  });

  test('values are escaped in HTML and plain in text', async () => {
    const email = { text: `${slotMarker('name', 1)}|${slotMarker('web', 1)}` };
    const message = compose({ email, reader: { name: `<b>"O'Neil" & Sons</b>` } });
    const { html, text } = await simpleParser(message);
    expect(html).toContain('<p>你好 &lt;b&gt;&quot;O&#39;Neil&quot; &amp; Sons&lt;/b&gt;</p>');
    expect(html).toContain(
      '<a href="https://news.example.com/issues/2023-09-w3?from=mail&amp;lang=zh#one">',
    );
    expect(text).toBe(
      `<b>"O'Neil" & Sons</b>|https://news.example.com/issues/2023-09-w3?from=mail&lang=zh\n`,
    );
  });

  test('a reader without a name has nothing there; a name with line breaks is one line', async () => {
    const named = async (name: string | null) =>
      (await simpleParser(compose({ reader: { name } }))).text;
    expect(await named(null)).toMatch(/^你好 \n\n/);
    expect(await named('Jo\r\n\tDoe\0')).toMatch(/^你好 Jo Doe\n\n/);
  });

  test('a value that looks like a marker is a value', async () => {
    const message = compose({ reader: { name: slotMarker('address', 1) } });
    expect((await simpleParser(message)).html).toContain(`<p>你好 ${slotMarker('address', 1)}</p>`);
  });
});
