/** Slips in the domain of an address that many people make: a question is asked, nothing is changed (W-18). */

/** What many addresses end with, so what a slip was probably meant to be. */
const FREQUENT = [
  'gmail.com',
  'googlemail.com',
  'yahoo.com',
  'outlook.com',
  'hotmail.com',
  'live.com',
  'icloud.com',
  'qq.com',
  'foxmail.com',
  '163.com',
  '126.com',
  'yeah.net',
  'sina.com',
  'sohu.com',
  'aliyun.com',
  'proton.me',
];

/** Real domains that look like slips. */
const REAL = new Set([
  ...FREQUENT,
  'mail.com',
  'email.com',
  'ymail.com',
  'gmx.com',
  'gmx.net',
  'me.com',
  'mac.com',
  'aol.com',
  'aim.com',
  'msn.com',
  'qq.cn',
  '139.com',
  '189.cn',
  '188.com',
  '123.com',
  'sina.cn',
  'hotmail.co',
  'live.cn',
  'outlook.cn',
  'yahoo.cn',
]);

/** Endings that exist nowhere, or hardly, in the place of `.com` and `.net`. */
const ENDINGS: [RegExp, string][] = [
  [/\.(con|cmo|ocm|comm|vom|xom|cpm|coim|cim|c0m|comn)$/, '.com'],
  [/\.(nte|ent|nett|met)$/, '.net'],
];

/** The address that was probably meant; null where nothing looks wrong. @param address as `parseAddress` gives it */
export function suggestAddress(address: string): string | null {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  const meant = REAL.has(domain) ? null : (nearest(domain) ?? otherEnding(domain));
  return meant ? `${address.slice(0, at)}@${meant}` : null;
}

/** A frequent domain that one slip of a finger makes into this one. */
function nearest(domain: string): string | null {
  return FREQUENT.find((frequent) => isOneSlip(domain, frequent)) ?? null;
}

function otherEnding(domain: string): string | null {
  for (const [wrong, right] of ENDINGS) {
    if (wrong.test(domain)) return domain.replace(wrong, right);
  }
  return null;
}

/** One letter too many, too few, another, or two in each other's place. Short names: only the last two. */
function isOneSlip(given: string, meant: string): boolean {
  const [short, long] = given.length < meant.length ? [given, meant] : [meant, given];
  if (long.length - short.length > 1) return false;
  let from = 0;
  while (from < short.length && short[from] === long[from]) from += 1;
  if (long.length > short.length) {
    return meant.length > 7 && short.slice(from) === long.slice(from + 1);
  }
  const swapped = given[from] === meant[from + 1] && given[from + 1] === meant[from];
  if (swapped && given.slice(from + 2) === meant.slice(from + 2)) return true;
  return meant.length > 7 && given.slice(from + 1) === meant.slice(from + 1);
}
