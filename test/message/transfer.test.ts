import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeText,
  fillSection,
  packSection,
  quotedPrintable,
  type Section,
  type Template,
  unpackSection,
} from '../../src/message/transfer.ts';

const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '大模型',
        '🎉',
        '.',
        '=',
        ' ',
        '  ',
        '\t',
        '\n',
        ' \n',
        'From ',
        'x'.repeat(72),
        'y'.repeat(75),
      ),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join('').toWellFormed().replace(/\r/g, ''));

/** RFC 2045 6.7, read by the book. */
function unquoted(encoded: string): string {
  const bytes = encoded
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

function filled(section: Section, name: string): string {
  const values = { to: '', messageId: '', token: '', name, address: '' };
  return Buffer.concat(fillSection(section, values)).toString('latin1');
}

describe('quoted-printable', () => {
  test('is read back as what it was', () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(unquoted(quotedPrintable(given)).replaceAll('\r\n', '\n')).toBe(given);
      }),
    );
  });

  test('has lines of at most 76 octets that no transport has a reason to change', () => {
    fc.assert(
      fc.property(text, (given) => {
        for (const line of `${quotedPrintable(given)}=`.split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(76);
          expect(line).toMatch(/^[ -~]*$/);
          expect(line).not.toMatch(/^\.|^From | {2}| $/);
        }
      }),
    );
  });

  test('splits no character between two lines', () => {
    fc.assert(
      fc.property(text, (given) => {
        const lines = quotedPrintable(given).split(/=?\r\n/);
        expect(lines.map(unquoted).join('')).toBe(given.replaceAll('\n', ''));
      }),
    );
  });

  test('leaves words alone and uses the line', () => {
    expect(quotedPrintable('Plain words, 1 + 1.')).toBe('Plain words, 1 + 1.');
    expect(quotedPrintable('x'.repeat(100))).toBe(`${'x'.repeat(73)}=\r\n${'x'.repeat(27)}`);
  });
});

describe('a text with slots', () => {
  /** Pieces short and long, so that base64 borrows from stretches of every length. */
  const template: fc.Arbitrary<Template> = fc.array(
    fc.oneof(
      fc.constantFrom('a', 'ab', 'abc', '大', '大模型'.repeat(40)),
      fc.constant({ field: 'name' as const, html: false }),
    ),
    { maxLength: 12 },
  );

  test('in base64 decodes to the text with the values, wherever the slots stand and however long they are', () => {
    fc.assert(
      fc.property(template, fc.string({ unit: 'grapheme', maxLength: 90 }), (pieces, given) => {
        const name = given.toWellFormed();
        const section = encodeText(['大'.repeat(300), ...pieces]);
        expect(section.encoding).toBe('base64');
        const lines = filled(section, name).split('\r\n');
        const plain = pieces.map((piece) => (typeof piece === 'string' ? piece : name)).join('');
        expect(Buffer.from(lines.join(''), 'base64').toString()).toBe('大'.repeat(300) + plain);
        expect(lines.every((line) => line.length <= 76 && line.length % 4 === 0)).toBe(true);
        // Padding ends a base64 text: it may stand at the very end only.
        expect(lines.join('')).toMatch(/^[^=]*={0,2}$/);
      }),
    );
  });

  test('in quoted-printable decodes to the text with the values', () => {
    fc.assert(
      fc.property(template, fc.string({ unit: 'grapheme', maxLength: 90 }), (pieces, given) => {
        const name = given.toWellFormed().replace(/[\r\n]/g, '');
        const section = encodeText(['words '.repeat(2000), ...pieces, 'the end']);
        expect(section.encoding).toBe('quoted-printable');
        const plain = pieces.map((piece) => (typeof piece === 'string' ? piece : name)).join('');
        expect(unquoted(filled(section, name))).toBe(`${'words '.repeat(2000)}${plain}the end`);
      }),
    );
  });

  test('kept and read again is the same', () => {
    fc.assert(
      fc.property(template, (pieces) => {
        const section = encodeText(pieces);
        expect(unpackSection(JSON.parse(JSON.stringify(packSection(section))))).toEqual(section);
      }),
    );
  });

  test('D-24: in base64, lines of the text end with CRLF', () => {
    const section = encodeText(['大\n'.repeat(100)]);
    const decoded = Buffer.from(filled(section, ''), 'base64').toString();
    expect(decoded).toBe('大\r\n'.repeat(100));
  });
});
