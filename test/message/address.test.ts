import { describe, expect, test } from 'vitest';
import { addrSpec, needsSmtpUtf8 } from '../../src/message/address.ts';

describe('addresses', () => {
  test.each([
    'a@b\r\nBcc: e@x',
    'a@example.net, eve@example.com',
    'a@example.net>, <eve@example.com',
    'Eve <eve@example.com>',
    'a@b@example.net',
    '@example.net',
    'a@',
    'a b@example.net',
    'a..b@example.net',
    'group:a@example.net;',
    'a@exa mple.net',
    'a@example..net',
    'a@[127.0.0.1]',
    `${'a'.repeat(65)}@example.net`,
    `a@${'b'.repeat(63)}.${'b'.repeat(63)}.${'b'.repeat(63)}.${'b'.repeat(63)}.net`,
    'a\u202e@example.net',
    'a\u200b@example.net',
    'a\ud800@example.net',
    '"a@example.net',
    'a@%65xample.net',
  ])('D-21: %j is not one address', (address) => {
    expect(() => addrSpec(address)).toThrow(
      expect.objectContaining({ kind: 'input', code: 'address-invalid' }),
    );
  });

  test.each([
    "o'neil+tag@example.net",
    '"a b"@example.net',
    '"a@b"@example.net',
    'a_b-c/d=e@example.net',
  ])('%s is one', (address) => {
    expect(addrSpec(address)).toBe(address);
  });

  test('D-26: the domain becomes A-labels in small letters, the local part stays as typed', () => {
    expect(addrSpec('Some.One+x@例え.JP')).toBe('Some.One+x@xn--r8jz45g.jp');
    expect(addrSpec('用户@Example.net')).toBe('用户@example.net');
  });

  test('D-26: only a local part outside ASCII needs SMTPUTF8', () => {
    expect(needsSmtpUtf8('用户@example.net')).toBe(true);
    expect(needsSmtpUtf8('user@例え.jp')).toBe(false);
    expect(needsSmtpUtf8('user@example.net')).toBe(false);
  });
});
