/** The list for a site with a form of its own: the rules of consent and the limits are the same (W-10). */
import { changeSubscriber, findSubscriber, type Subscriber } from '../audience/subscribers.ts';
import { suggestAddress } from '../audience/typos.ts';
import { readerOf, removeSubscriber } from '../audience/unsubscribe.ts';
import type { ApiKey } from '../config/secrets.ts';
import { BroadsheetError } from '../errors.ts';
import { languageOf } from '../render/words.ts';
import type { Newsletter } from './newsletter.ts';
import { type ApiAnswer, refused } from './once.ts';
import { ask, networkLimits, readAddress, wordingOf } from './subscribe.ts';

const HOUR = 3_600_000;

type Fields = Record<string, unknown>;

/**
 * Asks for a subscription, as the form does: who is new gets a mail to confirm, and the answer is the same for
 * everybody (W-04). `client` is the visitor's IP address, which only limits count by.
 */
export async function apiSubscribe(
  newsletter: Newsletter,
  { name }: ApiKey,
  { address: given, language, client, wording, wordingVersion, source }: Fields,
): Promise<ApiAnswer> {
  const address = typeof given === 'string' ? readAddress(given) : null;
  if (address === null) return refused(400, 'address-invalid', '"address" is no email address');
  const tag = isLanguage(language) ? language : newsletter.settings.language;
  const limits =
    typeof client === 'string'
      ? networkLimits(newsletter, client)
      : [{ scope: `api:${name}`, capacity: perHour(newsletter), refill: HOUR }];
  const own =
    typeof wording === 'string'
      ? { wording: wording.slice(0, 1_000), version: versionOf(wordingVersion), language: tag }
      : wordingOf(newsletter, languageOf(tag));
  const page = typeof source === 'string' ? { page: source.slice(0, 200) } : {};
  const request = {
    kind: 'subscribe' as const,
    address,
    language: tag,
    source: `api:${name}`,
    wording: JSON.stringify({ ...own, ...page }),
  };
  if ((await ask(newsletter, request, limits)) === 'too-many')
    return refused(429, 'too-many', 'Too many sign-ups; try again later');
  const suggestion = suggestAddress(address);
  return { status: 202, body: { status: 'asked', ...(suggestion ? { suggestion } : {}) } };
}

/** Changes name, language or tags. Nobody is put on the list this way, and no address is changed. */
export async function apiChange(
  newsletter: Newsletter,
  who: string,
  fields: Fields,
): Promise<ApiAnswer> {
  const wrong = mistakeIn(fields);
  if (wrong) return refused(422, 'field-invalid', wrong);
  const reader = await find(newsletter, who);
  if (!reader) return unknownReader();
  const { name, language, tags } = fields as { name?: string; language?: string; tags?: string[] };
  try {
    const changed = await changeSubscriber(
      newsletter.db,
      reader,
      { name, language, tags },
      newsletter.clock(),
    );
    return { status: 200, body: shown(changed) };
  } catch (error) {
    if (error instanceof BroadsheetError) return refused(422, error.code, error.message);
    throw error;
  }
}

/** Unsubscribes; the row stays, so that no import brings the address back. */
export async function apiRemove(
  newsletter: Newsletter,
  { name }: ApiKey,
  who: string,
): Promise<ApiAnswer> {
  const { db, settings, clock } = newsletter;
  const reader = await find(newsletter, who);
  if (!reader) return unknownReader();
  const { address } = reader;
  await removeSubscriber(db, { newsletter: settings.slug, address, via: `api:${name}` }, clock());
  return { status: 200, body: shown({ ...reader, state: 'unsubscribed' }) };
}

/** By id or address. */
async function find({ db, settings }: Newsletter, who: string): Promise<Subscriber | undefined> {
  if (!who.includes('@')) return readerOf(db, settings.slug, who);
  const address = readAddress(who);
  return address === null ? undefined : findSubscriber(db, settings.slug, address);
}

function mistakeIn({ name, language, tags, address, state }: Fields): string | null {
  if (address !== undefined) return 'A new address has to confirm itself: by the preferences page';
  if (state !== undefined) return 'Only readers themselves confirm; DELETE unsubscribes';
  if (name !== undefined && typeof name !== 'string') return '"name" has to be text';
  if (language !== undefined && !isLanguage(language))
    return '"language" has to be a tag such as en';
  const areTags =
    tags === undefined ||
    (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && /^\S{1,64}$/.test(tag)));
  return areTags ? null : '"tags" has to be a list of words without spaces';
}

function isLanguage(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(value);
}

function versionOf(given: unknown): string {
  return typeof given === 'string' && given ? given.slice(0, 40) : 'unnamed';
}

function perHour({ settings }: Newsletter): number {
  return settings.site.subscribe.limits.overall.perHour;
}

function shown({ public_id: id, address, state, name, language, tags }: Subscriber) {
  return { id, address, state, name, language, tags: JSON.parse(tags) as string[] };
}

function unknownReader(): ApiAnswer {
  return refused(404, 'reader-unknown', 'No such reader is on the list');
}
