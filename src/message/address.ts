/** Mail addresses and links as they stand in a header: ASCII, or refused. */
import { domainToASCII } from 'node:url';
import { inputError } from '../errors.ts';

/** RFC 5321 4.5.3.1, octets. */
export const LOCAL_PART = 64;
const ADDRESS = 254;

/** RFC 5322 3.2.3 with the letters of RFC 6532; nothing invisible. */
const ATOM = "(?:[\\w!#$%&'*+/=?^`{|}~-]|(?![\\x00-\\x7f])[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}])+";
const DOT_ATOM = new RegExp(`^${ATOM}(\\.${ATOM})*$`, 'u');
const QUOTED_STRING = /^"(?:[ !#-[\]-~]|\\[ -~])*"$/;
/** Is its own A-label form: lower-case letters, digits and single hyphens, and at its end no number. */
const PLAIN_DOMAIN = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)*[a-z]+$/;
/** What a URL parser would take for something other than a name. */
const NOT_A_NAME = /[\s\p{Cc}()<>@,;:\\"/[\]%?#]/u;

/**
 * An address for a header or an envelope: the local part as typed, the domain as A-labels (D-26).
 * @throws BroadsheetError `address-invalid` for whatever could stand for more than one mailbox (D-21)
 */
export function addrSpec(address: string): string {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = asciiDomain(address.slice(at + 1));
  const result = `${local}@${domain}`;
  const possible = at > 0 && domain && (DOT_ATOM.test(local) || QUOTED_STRING.test(local));
  const short = Buffer.byteLength(local) <= LOCAL_PART && Buffer.byteLength(result) <= ADDRESS;
  if (possible && short) return result;
  throw addressInvalid(address);
}

/** The local part is not ASCII: only a server that offers SMTPUTF8 may be given it (RFC 6531). */
export function needsSmtpUtf8(address: string): boolean {
  return /[^\x00-\x7f]/.test(address.slice(0, address.lastIndexOf('@')));
}

/** Lower-case A-labels (RFC 5890); empty where it is no domain. */
export function asciiDomain(domain: string): string {
  if (PLAIN_DOMAIN.test(domain)) return domain;
  if (NOT_A_NAME.test(domain)) return '';
  const ascii = domainToASCII(domain);
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(ascii) ? ascii : '';
}

/**
 * An absolute link, percent-encoded and with the host as A-labels; `{token}` stays.
 * @throws BroadsheetError `header-invalid` where it is none, or could end the header
 */
export function headerUrl(label: string, link: string): string {
  const url = URL.parse(refuseControls(label, link));
  if (url && /^https?:$/.test(url.protocol)) {
    return url.href.replaceAll('%7Btoken%7D', '{token}');
  }
  throw headerInvalid(label, link, 'is no web address', 'Write it as https://example.com/…');
}

/** @throws BroadsheetError `header-invalid` for line breaks, NUL and other control characters (D-21) */
export function refuseControls(label: string, value: string): string {
  if (!/\p{Cc}/u.test(value)) return value;
  const hint = 'Take line breaks and other control characters out.';
  throw headerInvalid(label, value, 'has a control character in it', hint);
}

/** `label "value" what`, e.g. `The subject "" is empty`. */
export function headerInvalid(label: string, value: string, what: string, hint: string) {
  return inputError('header-invalid', `${label} ${JSON.stringify(shorten(value))} ${what}`, {
    hint,
  });
}

function addressInvalid(address: string) {
  const message = `${JSON.stringify(shorten(address))} is not one mail address`;
  return inputError('address-invalid', message, {
    hint: 'An address looks like reader@example.net.',
  });
}

function shorten(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}…` : value;
}
