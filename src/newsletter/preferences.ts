/** What readers settle themselves: language, pause, address, and leaving (W-13, W-14). */
import { maskAddress } from '../audience/address.ts';
import { queueSignup } from '../audience/signup.ts';
import { changeSubscriber, type Subscriber } from '../audience/subscribers.ts';
import { tokenFor, verifyToken } from '../audience/tokens.ts';
import { readerOf } from '../audience/unsubscribe.ts';
import { type Language, languageOf } from '../render/words.ts';
import type { Newsletter } from './newsletter.ts';
import { readAddress } from './subscribe.ts';

export interface Preferences {
  /** Never the whole address: mails are forwarded. */
  maskedAddress: string;
  language: Language;
  state: Subscriber['state'];
  /** For the link that unsubscribes. */
  unsubscribeToken: string;
}

/** What a link to the preferences shows; null for a token that is none. */
export async function preferences(
  newsletter: Newsletter,
  token: string,
): Promise<Preferences | null> {
  const reader = await ownerOf(newsletter, token);
  if (!reader) return null;
  const { keys, settings } = newsletter;
  return {
    maskedAddress: maskAddress(reader.address),
    language: languageOf(reader.language ?? settings.language),
    state: reader.state,
    unsubscribeToken: tokenFor(keys, settings.slug, 'unsubscribe', reader.public_id),
  };
}

/** Sets the language of mails and pages. @returns false for a token that is none */
export async function chooseLanguage(
  newsletter: Newsletter,
  token: string,
  language: Language,
): Promise<boolean> {
  const reader = await ownerOf(newsletter, token);
  if (!reader) return false;
  const tag = language === 'zh' ? 'zh-CN' : 'en';
  await changeSubscriber(newsletter.db, reader, { language: tag }, newsletter.clock());
  return true;
}

/** Asks the new address to confirm; nothing changes before it has (W-13). */
export async function changeAddress(
  { db, keys, settings, clock }: Newsletter,
  { token, address: given, language }: { token: string; address: string; language: Language },
): Promise<'asked' | 'invalid' | 'unknown'> {
  const reader = await ownerOf({ db, keys, settings }, token);
  if (reader?.state !== 'active') return 'unknown';
  const address = readAddress(given);
  if (address === null) return 'invalid';
  await queueSignup(
    db,
    {
      newsletter: settings.slug,
      kind: 'move',
      address,
      subscriber_id: reader.id,
      language,
      source: 'preferences',
    },
    clock(),
  );
  return 'asked';
}

async function ownerOf(
  { db, keys, settings }: Pick<Newsletter, 'db' | 'keys' | 'settings'>,
  token: string,
): Promise<Subscriber | undefined> {
  const verified = verifyToken(keys, settings.slug, 'preferences', token);
  return verified ? readerOf(db, settings.slug, verified.publicId) : undefined;
}
