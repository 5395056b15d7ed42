/** What a link in a mail may do, and what it says of whom it is for. */
import { maskAddress } from '../audience/address.ts';
import { tokenFor, verifyToken } from '../audience/tokens.ts';
import * as audience from '../audience/unsubscribe.ts';
import type { Newsletter } from './newsletter.ts';

export interface LinkOwner {
  /** Never the whole address: mails are forwarded (W-13, W-14). */
  maskedAddress: string;
  subscribed: boolean;
  /** Opens the preferences; empty where the link was signed by a key that is gone (W-12). */
  preferencesToken: string;
  /** Takes the unsubscribing back, for ten minutes; else empty (W-05). */
  undoToken: string;
}

/** Whose link it is; null for a token that is none. Changes nothing. */
export async function linkOwner(newsletter: Newsletter, token: string): Promise<LinkOwner | null> {
  const { db, keys, settings, clock } = newsletter;
  const verified = verifyToken(keys, settings.slug, 'unsubscribe', token);
  const reader = verified && (await audience.readerOf(db, settings.slug, verified.publicId));
  if (!reader) return null;
  const isSure = verified.by === 'mac';
  const mayUndo = isSure && (await audience.mayReturn(db, reader, clock()));
  const mint = (purpose: 'preferences' | 'undo') =>
    tokenFor(keys, settings.slug, purpose, reader.public_id);
  return {
    maskedAddress: maskAddress(reader.address),
    subscribed: reader.state !== 'unsubscribed',
    preferencesToken: isSure ? mint('preferences') : '',
    undoToken: mayUndo ? mint('undo') : '',
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

/**
 * Takes an unsubscribing back that was a slip; ten minutes after it no more (W-05).
 * @returns the masked address; null for a token that is none or comes too late
 */
export async function undoUnsubscribe(
  { db, keys, settings, clock }: Newsletter,
  token: string,
): Promise<string | null> {
  const verified = verifyToken(keys, settings.slug, 'undo', token);
  if (!verified) return null;
  const reader = await audience.comeBack(db, settings.slug, verified.publicId, clock());
  return reader ? maskAddress(reader.address) : null;
}
