/** The account that mails, where it is a person's own mailbox (D-49). */
import { reachable } from '../audience/reachable.ts';
import { MOST_READERS, type PersonalAccount, personalLogin } from '../check/account.ts';
import type { Newsletter } from './newsletter.ts';

/** Undefined where mail goes another way: then nothing is counted. */
export async function personalAccountOf({
  db,
  settings,
  secrets,
}: Pick<Newsletter, 'db' | 'settings' | 'secrets'>): Promise<PersonalAccount | undefined> {
  const isSmtp = settings.delivery.channel === 'smtp';
  const login = isSmtp && secrets.smtpUrl ? personalLogin(secrets.smtpUrl) : null;
  if (!login) return undefined;
  const readers = await db
    .selectFrom('subscribers')
    .select('id')
    .where('newsletter', '=', settings.slug)
    .where(reachable())
    .limit(MOST_READERS + 1)
    .execute();
  return { ...login, hasMany: readers.length > MOST_READERS };
}
