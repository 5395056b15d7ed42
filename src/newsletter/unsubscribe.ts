/** What a link in a mail may do, and what it says of whom it is for. */
import { maskAddress } from '../audience/address.ts';
import { verifyToken } from '../audience/tokens.ts';
import * as audience from '../audience/unsubscribe.ts';
import type { Newsletter } from './newsletter.ts';

export interface LinkOwner {
  /** Never the whole address: mails are forwarded (W-13, W-14). */
  maskedAddress: string;
  subscribed: boolean;
}

/** Whose link it is; null for a token that is none. Changes nothing. */
export async function linkOwner(newsletter: Newsletter, token: string): Promise<LinkOwner | null> {
  const { db, keys, settings } = newsletter;
  const verified = verifyToken(keys, settings.slug, 'unsubscribe', token);
  const reader = verified && (await audience.readerOf(db, settings.slug, verified.publicId));
  if (!reader) return null;
  return {
    maskedAddress: maskAddress(reader.address),
    subscribed: reader.state !== 'unsubscribed',
  };
}

/** Unsubscribes the reader whose link it is from this newsletter. @returns null for a token that is none */
export async function unsubscribe(
  newsletter: Newsletter,
  { token, via }: { token: string; via: 'one-click' | 'page' },
): Promise<LinkOwner | null> {
  const { db, keys, settings, clock } = newsletter;
  const verified = verifyToken(keys, settings.slug, 'unsubscribe', token);
  if (!verified) return null;
  const leaving = { newsletter: settings.slug, publicId: verified.publicId, via };
  await audience.unsubscribe(db, leaving, clock());
  return linkOwner(newsletter, token);
}
