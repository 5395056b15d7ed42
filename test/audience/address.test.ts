import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressHash, maskAddress, parseAddress, providerOf } from '../../src/audience/address.ts';

describe('an address', () => {
  test.each([
    ['anna@example.net', 'anna@example.net'],
    ['  anna@example.net\n', 'anna@example.net'],
    ['Anna.B+news@Example.NET', 'Anna.B+news@example.net'],
    ["o'brien@example.ie", "o'brien@example.ie"],
    ['用户@例子.中国', '用户@xn--fsqu00a.xn--fiqs8s'],
    ['a@bücher.example.de', 'a@xn--bcher-kva.example.de'],
    ['1@a.co', '1@a.co'],
  ])('%j is kept as %s', (given, address) => {
    expect(parseAddress(given).address).toBe(address);
  });

  test.each([
    '',
    'anna',
    '@example.net',
    'anna@',
    'anna@localhost',
    'anna@@example.net',
    'a b@example.net',
    'anna@exam ple.net',
    '.anna@example.net',
    'anna.@example.net',
    'an..na@example.net',
    'anna@-example.net',
    'anna@example..net',
    'anna@example.net.',
    'anna@127.0.0.1',
    'anna@[127.0.0.1]',
    '"anna b"@example.net',
    'Anna <anna@example.net>',
    'anna@example.net, ben@example.net',
    'anna\0@example.net',
    'anna@example.net\r\nBcc: x@example.net',
    'anna\u2028@example.net',
    `${'a'.repeat(65)}@example.net`,
    `anna@${'a'.repeat(64)}.net`,
    `anna@${'a.'.repeat(130)}net`,
  ])('%j is none', (given) => {
    expect(() => parseAddress(given)).toThrow(
      expect.objectContaining({ kind: 'input', code: 'address-invalid' }),
    );
  });

  test('is the same reader in whatever case, and hashes alike', () => {
    const [a, b] = ['Anna@Example.net', 'anna@EXAMPLE.NET'].map((given) => parseAddress(given).key);
    expect(a).toBe(b);
    expect(addressHash(a as string)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('whatever was typed, is read the same when it is read again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'grapheme' })), (text) => {
        let once: ReturnType<typeof parseAddress>;
        try {
          once = parseAddress(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'address-invalid' });
          return;
        }
        expect(parseAddress(once.address)).toEqual(once);
        expect(once.address).not.toMatch(/[\s<>,;\p{Cc}]/u);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['anna@example.net', 'a•••@example.net'],
    ['用户@xn--fsqu00a.cn', '用•••@xn--fsqu00a.cn'],
  ])('%s is shown as %s', (address, masked) => {
    expect(maskAddress(address)).toBe(masked);
  });
});

test.each([
  ['a@gmail.com', 'gmail'],
  ['a@GOOGLEMAIL.com', 'gmail'],
  ['a@yahoo.co.jp', 'yahoo'],
  ['a@hotmail.fr', 'microsoft'],
  ['a@vip.qq.com', 'qq'],
  ['a@126.com', 'netease'],
  ['a@notgmail.com', 'other'],
  ['a@gmail.com.evil.example', 'other'],
])('D-44: %s is with %s', (address, provider) => {
  expect(providerOf(address)).toBe(provider);
});
