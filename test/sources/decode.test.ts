import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode } from '../../src/sources/decode.ts';
import { detectLanguage } from '../../src/sources/language.ts';

const CHINESE = '大家好，这里是AI大模型周报2023年9月的第三期。英伟达将发布TensorRT-LLM。';
const ENGLISH = 'Hello and welcome to the weekly. Nvidia will release a library.';

/** 「微软推出新模型。腾讯健康公布医疗大模型。」 in GBK. */
const GBK = Buffer.from(
  'cea2c8edcdc6b3f6d0c2c4a3d0cda1a3ccdad1b6bda1bfb5b9abb2bcd2bdc1c6b4f3c4a3d0cda1a3',
  'hex',
);
const GBK_TEXT = '微软推出新模型。腾讯健康公布医疗大模型。';

const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();
const options = { name: 'talk.txt' };

describe('a file is decoded', () => {
  test.each<[string, Buffer, string]>([
    ['UTF-8', Buffer.from(CHINESE), CHINESE],
    ['UTF-8 with a mark, which is removed', Buffer.from(`\uFEFF${CHINESE}`), CHINESE],
    ['UTF-16 with a mark', Buffer.from(`\uFEFF${CHINESE}`, 'utf16le'), CHINESE],
    ['UTF-16 with a mark, the other way round', utf16be(`\uFEFF${CHINESE}`), CHINESE],
    ['UTF-16 without a mark', Buffer.from(CHINESE, 'utf16le'), CHINESE],
    ['UTF-16 without a mark, the other way round', utf16be(ENGLISH), ENGLISH],
    ['English in UTF-16 without a mark', Buffer.from(ENGLISH, 'utf16le'), ENGLISH],
    ['GBK', GBK, GBK_TEXT],
  ])('from %s', (_, bytes, text) => {
    expect(decode(bytes, options)).toBe(text);
  });

  test('from what is declared', () => {
    expect(decode(GBK, { ...options, encoding: 'GBK' })).toBe(GBK_TEXT);
    const big5 = Buffer.from('a4a4a4e5', 'hex');
    expect(decode(big5, { ...options, encoding: 'big5' })).toBe('中文');
  });

  test('and nothing but the mark is changed in it', () => {
    const words = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(words, (text) => {
        fc.pre(text.trim() !== '' && !/[\p{Cc}\uFEFF]/u.test(text));
        expect(decode(Buffer.from(text), options)).toBe(text);
        expect(decode(Buffer.from(`\uFEFF${text}`), options)).toBe(text);
      }),
    );
  });
});

describe('a file is refused by name', () => {
  test.each<[string, Buffer, string | undefined, string]>([
    ['empty', Buffer.alloc(0), undefined, 'source-empty'],
    ['only a mark', Buffer.from([0xef, 0xbb, 0xbf]), undefined, 'source-empty'],
    ['only blanks', Buffer.from(' \r\n\t\u3000'), undefined, 'source-empty'],
    [
      'a picture',
      Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
      undefined,
      'source-binary',
    ],
    ['zero bytes', Buffer.alloc(100), undefined, 'source-binary'],
    ['text with a NUL in it', Buffer.from('some words\0more words'), undefined, 'source-binary'],
    [
      'half a character at its end',
      Buffer.from(CHINESE).subarray(0, -1),
      undefined,
      'encoding-mismatch',
    ],
    [
      'Latin-1',
      Buffer.from('Caf\xe9 cr\xe8me br\xfbl\xe9e', 'latin1'),
      undefined,
      'encoding-mismatch',
    ],
    ['not what is declared', GBK, 'utf-8', 'encoding-mismatch'],
    ['declared as nothing that exists', GBK, 'klingon', 'encoding-unknown'],
  ])('that is %s', (_, bytes, encoding, code) => {
    expect(() => decode(bytes, { ...options, encoding })).toThrow(
      expect.objectContaining({
        kind: 'input',
        code,
        problems: [expect.objectContaining({ file: 'talk.txt' })],
      }),
    );
  });

  test('or decoded, whatever its bytes: never does anything else happen', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          expect(decode(bytes, options)).not.toMatch(/\0/);
        } catch (error) {
          expect(error).toMatchObject({ kind: 'input' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['Chinese', CHINESE, 'zh-CN'],
  ['Chinese full of Latin names', 'OpenAI 发布 GPT-4 Turbo，Meta 发布 Llama 2。', 'zh-CN'],
  ['English', ENGLISH, 'en'],
  ['English with a Chinese name', `${ENGLISH} It is called 悟空.`, 'en'],
  ['no letters at all', '123 456', 'en'],
])('%s is recognised', (_, text, language) => {
  expect(detectLanguage(text)).toBe(language);
});
