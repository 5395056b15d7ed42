/** Relays that are a person's own mailbox: what they refuse, and what they are not made for (D-49). */
import { type Check, type Found, OWN_PAGE } from './check.ts';

/** Hosts of SMTP_URL that mail for one mailbox. */
const PERSONAL = new Set(['smtp.qq.com', 'smtp.163.com', 'smtp.126.com']);

/** More readers than that are no private mail. Their limits for a day are small and not published. */
export const MOST_READERS = 50;

export interface PersonalAccount {
  host: string;
  /** Its mail address: the only one that it may mail from. */
  address: string;
  /** Whether the list has more than `MOST_READERS`. */
  hasMany: boolean;
}

/**
 * The account in SMTP_URL, where it is a person's own.
 * @returns its address, from a login such as `12345` as well as `12345@qq.com`
 */
export function personalLogin(smtpUrl: string): { host: string; address: string } | null {
  const { hostname: host, username } = new URL(smtpUrl);
  if (!PERSONAL.has(host)) return null;
  const user = decodeURIComponent(username);
  return { host, address: user.includes('@') ? user : `${user}@${host.replace(/^smtp\./, '')}` };
}

/** @param sender address in From */
export function accountProblems({ host, address, hasMany }: PersonalAccount, sender: string) {
  const problems: { message: string; hint: string }[] = [];
  if (address.toLowerCase() !== sender.toLowerCase())
    problems.push({
      message: `${host} mails from ${address} alone, the sender is ${sender}`,
      hint: 'Set sender.address to the address of the account.',
    });
  if (hasMany)
    problems.push({
      message: `${host} is for personal mail, the list has more than ${MOST_READERS} readers`,
      hint: 'Take a service for lists, such as Aliyun DirectMail or Tencent SES.',
    });
  return problems;
}

export const ACCOUNT_CHECKS: Check[] = [
  {
    id: 'personal-account',
    severity: 'warning',
    reason:
      'A personal mailbox at QQ or NetEase mails from its own address only, and is closed when it mails a list.',
    source: 'D-49',
    url: OWN_PAGE,
    find: ({ account, settings: { sender } }): Found[] =>
      account === undefined
        ? []
        : accountProblems(account, sender.address).map((problem) => ({
            ...problem,
            file: 'config/newsletter.yaml',
          })),
  },
];
