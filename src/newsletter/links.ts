/** The addresses of the public pages, and what a mail to one person says with them. */
import { maskAddress } from '../audience/address.ts';
import type { Claimed } from '../audience/notices.ts';
import { tokenFor, unsubscribeToken } from '../audience/tokens.ts';
import type { NoticeData } from '../render/notice.ts';
import type { Newsletter } from './newsletter.ts';

/** Base address of the public pages, without a slash at its end. */
export function siteBase({ settings }: Pick<Newsletter, 'settings'>): string {
  return settings.site.url.replace(/\/$/, '');
}

/** Nothing that a visitor has typed stands in it (W-10). */
export async function noticeData(newsletter: Newsletter, notice: Claimed): Promise<NoticeData> {
  const { settings, keys, db } = newsletter;
  const base = siteBase(newsletter);
  const { public_id: publicId } = await db
    .selectFrom('subscribers')
    .select('public_id')
    .where('id', '=', notice.subscriber_id)
    .executeTakeFirstOrThrow();
  const { to = '' } = JSON.parse(notice.detail ?? '{}') as { to?: string };
  const { sender } = settings;
  return {
    name: settings.name,
    confirm: notice.token ? `${base}/confirm/${notice.token}` : '',
    unsubscribe: `${base}/u/${unsubscribeToken(keys, settings.slug, publicId)}`,
    preferences: `${base}/p/${tokenFor(keys, settings.slug, 'preferences', publicId)}`,
    newAddress: to && maskAddress(to),
    sender: {
      name: sender.name,
      postalAddress: sender.postalAddress ?? '',
      contact: sender.replyTo ?? sender.address,
    },
  };
}
