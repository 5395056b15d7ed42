/** Signing up by the form, up to the click in the mail (double opt-in). */
import { maskAddress, parseAddress } from '../audience/address.ts';
import { type Limit, take } from '../audience/buckets.ts';
import { networkOf, networkScope } from '../audience/network.ts';
import * as audience from '../audience/signup.ts';
import { readTimeStamp, timeStamp } from '../audience/tokens.ts';
import { suggestAddress } from '../audience/typos.ts';
import { BroadsheetError } from '../errors.ts';
import { type Language, word } from '../render/words.ts';
import { inTransaction } from '../store/transaction.ts';
import type { Newsletter } from './newsletter.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

/** A form that is sent back sooner was not filled in by a person; later, it is a stored one, ms (W-10). */
const SOONEST = 3 * SECOND;
const LATEST = DAY;

/** Within so long as many sign-ups come from one network as `limits.network.atOnce` says, ms (W-09). */
const AT_ONCE = 600 * SECOND;

export interface Filled {
  address: string;
  /** The field that people do not see. */
  trap: string;
  /** From the form, as `formTime` gave it; empty in a form on another site. */
  issued: string;
  /** The question about a slip has been answered: it is none. */
  isMeant: boolean;
  /** Posted from a page of another site. */
  isForeign: boolean;
  language: Language;
  /** Where the visitor comes from; forgotten again, but for a hash that limits count by. */
  ip: string;
}

/**
 * `asked`: what has to be done will be. `again`: the form is to be shown with the address in it. `typo`: did they mean
 * that address? `too-many` from this network.
 */
export type Answer =
  | { result: 'asked' | 'again' | 'invalid' | 'too-many' }
  | { result: 'typo'; suggestion: string };

/** What the form carries, so that it is known when it was shown. */
export function formTime({ keys, settings, clock }: Newsletter): string {
  return timeStamp(keys, settings.slug, clock());
}

/** Takes in a form. The list is not looked at before the answer: it is the same for every address (W-04). */
export async function subscribe(newsletter: Newsletter, filled: Filled): Promise<Answer> {
  // Before anything else, and with every sign of success (W-10).
  if (filled.trap !== '') return { result: 'asked' };
  const address = readAddress(filled.address);
  if (address === null) return { result: 'invalid' };
  if (filled.isForeign || !isInTime(newsletter, filled.issued)) return { result: 'again' };
  const suggestion = filled.isMeant ? null : suggestAddress(address);
  if (suggestion) return { result: 'typo', suggestion };
  const { language } = filled;
  const wording = JSON.stringify(wordingOf(newsletter, language));
  const request = { kind: 'subscribe' as const, address, language, source: 'form', wording };
  return { result: await ask(newsletter, request, networkLimits(newsletter, filled.ip)) };
}

/** Puts a request aside, within the limits of who asks; both or neither, and with one commit. */
export function ask(
  { db, settings, clock }: Newsletter,
  request: Omit<audience.Request, 'newsletter'>,
  limits: readonly Limit[],
): Promise<'asked' | 'too-many'> {
  return inTransaction(db, async (trx) => {
    if (!(await take(trx, settings.slug, limits, clock()))) return 'too-many';
    await audience.queueSignup(trx, { newsletter: settings.slug, ...request }, clock());
    return 'asked';
  });
}

function isInTime({ keys, settings, clock }: Newsletter, issued: string): boolean {
  const time = readTimeStamp(keys, settings.slug, issued);
  if (time === null) return false;
  const age = clock() - time;
  return age >= SOONEST && age <= LATEST;
}

/** Whether a form's time is ours and not yet too old: then it goes on counting. */
export function isFormTime({ keys, settings, clock }: Newsletter, issued: string): boolean {
  const time = readTimeStamp(keys, settings.slug, issued);
  return time !== null && clock() - time <= LATEST - HOUR;
}

/** Mails a link for leaving and for preferences to whoever is on the list. */
export async function mailLink(
  newsletter: Newsletter,
  { address: given, trap, language, ip }: Pick<Filled, 'address' | 'trap' | 'language' | 'ip'>,
): Promise<Exclude<Answer['result'], 'again' | 'typo'>> {
  if (trap !== '') return 'asked';
  const address = readAddress(given);
  if (address === null) return 'invalid';
  const request = { kind: 'link' as const, address, language, source: 'form' };
  return ask(newsletter, request, networkLimits(newsletter, ip));
}

/** W-09: by network, which the database knows only as a hash. */
export function networkLimits({ settings, keys }: Newsletter, ip: string): Limit[] {
  const network = networkOf(ip);
  if (!network) return [];
  const scope = networkScope(keys, network);
  const { atOnce, perDay } = settings.site.subscribe.limits.network;
  return [
    { scope, capacity: atOnce, refill: AT_ONCE },
    { scope: `${scope}:day`, capacity: perDay, refill: DAY },
  ];
}

/** The address as mail is sent to it; null where it is none. */
export function readAddress(text: string): string | null {
  try {
    return parseAddress(text).address;
  } catch (error) {
    if (error instanceof BroadsheetError) return null;
    throw error;
  }
}

/** What whoever signs up agrees to, in the words and the version that go into the consent log (D-72). */
export function wordingOf({ settings }: Newsletter, language: Language) {
  const { wording, version } = settings.site.subscribe;
  const own = wording?.[language];
  const text = own ?? word(language, 'consent', { name: settings.name });
  return { wording: text, version: own && version ? version : 'broadsheet-1', language };
}

/** A link to confirm, as its page shows it. */
export interface Confirmation {
  state: 'open' | 'used' | 'expired';
  kind: 'subscribe' | 'move';
  maskedAddress: string;
}

/** What a link is for; null for a token that is none. Changes nothing (W-02). */
export async function confirmation(
  { db, settings, clock }: Newsletter,
  token: string,
): Promise<Confirmation | null> {
  const found = await audience.findConfirmation(db, settings.slug, token);
  if (!found) return null;
  const isOpen = found.expires_at > clock();
  return {
    state: found.used_at !== null ? 'used' : isOpen ? 'open' : 'expired',
    kind: found.kind,
    maskedAddress: maskAddress(found.address),
  };
}

/** Uses a link (W-03). A replay changes nothing. */
export function confirm({ db, settings, clock }: Newsletter, token: string) {
  return audience.confirm(db, settings.slug, token, clock());
}

/** Asks for a fresh mail in the place of a link that has expired; the limits are those of the form. */
export async function confirmAnew(
  newsletter: Newsletter,
  { token, language, ip }: { token: string; language: Language; ip: string },
): Promise<'asked' | 'too-many' | 'unknown'> {
  const found = await audience.findConfirmation(newsletter.db, newsletter.settings.slug, token);
  if (!found || found.used_at !== null) return 'unknown';
  const request = {
    kind: found.kind,
    address: found.address,
    subscriber_id: found.kind === 'move' ? found.subscriber_id : null,
    language,
    source: 'confirmation',
    wording: JSON.stringify(wordingOf(newsletter, language)),
  };
  return ask(newsletter, request, networkLimits(newsletter, ip));
}
