/** Addresses: what may be one, what makes two the same, what of one may be shown. */
import { hash } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { inputError } from '../errors.ts';

export interface Address {
  /** What mail is sent to: as typed, in NFC, the domain as lower-case A-label. */
  address: string;
  /** What makes two addresses one reader: the same in lower case. */
  key: string;
}

/** RFC 5321 4.5.3.1, octets. */
const LONGEST_LOCAL = 64;
const LONGEST = 254;

/** Local part without quotes: RFC 5322 atext and dots, and what RFC 6531 adds. */
const LOCAL = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
/** Letters, digits, hyphens and the dots of all scripts (UTS #46); a URL parser would take far more. */
const NAME = /^[\p{L}\p{M}\p{N}.。．｡-]+$/u;
const DOMAIN =
  /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{2,59})$/;

/**
 * Reads an address strictly: what it refuses would be refused, misread or abused later (D-21, D-26).
 * @throws BroadsheetError `address-invalid`
 */
export function parseAddress(text: string): Address {
  const trimmed = text.trim();
  if (trimmed.length <= LONGEST_LOCAL && PLAIN.test(trimmed)) return plainAddress(trimmed);
  const given = trimmed.normalize('NFC');
  const at = given.lastIndexOf('@');
  const local = given.slice(0, at);
  const domain = asciiDomain(given.slice(at + 1));
  const address = `${local}@${domain}`;
  const good = at > 0 && !local.includes('@') && LOCAL.test(local) && DOMAIN.test(domain);
  if (!good || Buffer.byteLength(local) > LONGEST_LOCAL || Buffer.byteLength(address) > LONGEST) {
    throw inputError('address-invalid', `"${shown(given)}" is no email address`, {
      hint: 'Write it like anna@example.net.',
    });
  }
  return { address, key: address.toLowerCase().normalize('NFC') };
}

/** Nearly every address: short, of ASCII letters, and no A-label that would have to be checked. */
const PLAIN =
  /^[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?!.*[Xx][Nn]--)(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$/;

/** The same as the long way gives, in a fifth of the time: it counts in a million rows. */
function plainAddress(text: string): Address {
  const at = text.indexOf('@');
  const key = text.toLowerCase();
  return { address: text.slice(0, at) + key.slice(at), key };
}

/** Lower-case A-labels (RFC 5890); empty where it is no domain name. */
function asciiDomain(text: string): string {
  return NAME.test(text) ? domainToASCII(text) : '';
}

/** `anna@example.net` → `a•••@example.net`: enough for its owner to know it. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@');
  return `${[...address.slice(0, at)][0] ?? ''}•••${address.slice(at)}`;
}

/**
 * What counts as one mailbox where mails to it are counted, and only there: without `+tag`, and without dots where
 * the provider does not see them.
 * @param key as `parseAddress` gives it
 */
export function mailboxKey(key: string): string {
  const at = key.lastIndexOf('@');
  const local = key.slice(0, at).replace(/\+.*$/, '') || key.slice(0, at);
  const isDotless = providerOf(key) === 'gmail';
  return isDotless ? `${local.replaceAll('.', '')}@gmail.com` : `${local}${key.slice(at)}`;
}

/** The same, so that nobody reads it. */
export function mailboxHash(key: string): string {
  return addressHash(mailboxKey(key));
}

/** SHA-256 of the key, hex: keeps an address suppressed after the address itself is gone. */
export function addressHash(key: string): string {
  return hash('sha256', key, 'hex');
}

/** Mailbox providers that share limits and rules (D-44), by domain. */
const PROVIDERS = {
  gmail: ['gmail.com', 'googlemail.com'],
  yahoo: ['yahoo.com', 'ymail.com', 'rocketmail.com', 'aol.com', 'aim.com'],
  microsoft: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com'],
  apple: ['icloud.com', 'me.com', 'mac.com'],
  qq: ['qq.com', 'foxmail.com', 'vip.qq.com'],
  netease: ['163.com', '126.com', 'yeah.net', 'vip.163.com', '188.com'],
};
export type Provider = keyof typeof PROVIDERS | 'other';

export const PROVIDER_GROUPS = [...Object.keys(PROVIDERS), 'other'] as Provider[];

/** QQ and NetEase have no feedback loop (standards 1.5, 1.6); neither has Apple, nor Gmail for single mails. */
export const SILENT: readonly string[] = ['qq', 'netease', 'apple', 'gmail'];

const PROVIDER_OF = new Map(
  Object.entries(PROVIDERS).flatMap(([provider, domains]) =>
    domains.map((domain) => [domain, provider as Provider]),
  ),
);

/** Brands with a domain in many countries: `yahoo.co.jp`, `hotmail.fr`, `live.cn`. */
const NATIONAL = /^(yahoo|hotmail|live|outlook)\.((com|co)\.)?[a-z]{2}$/;

/** The provider group of an address; `other` where it is none of the large ones. */
export function providerOf(address: string): Provider {
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  const brand = NATIONAL.exec(domain)?.[1];
  return PROVIDER_OF.get(brand ? `${brand}.com` : domain) ?? 'other';
}

function shown(text: string): string {
  const printable = JSON.stringify(text).slice(1, -1);
  return printable.length > 80 ? `${printable.slice(0, 79)}…` : printable;
}
