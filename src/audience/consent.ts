/** What files say of a reader: whether there is consent, and since when. */
import type { SuppressionTable } from '../store/schema.ts';

/** `suppressed`: must not be mailed by anybody, for the reason. */
export type Standing =
  | { state: 'active' | 'pending' | 'unsubscribed' }
  | { state: 'suppressed'; reason: SuppressionTable['reason'] };

const standing = (state: 'active' | 'pending' | 'unsubscribed'): Standing => ({ state });
const suppressed = (reason: SuppressionTable['reason']): Standing => ({
  state: 'suppressed',
  reason,
});

/** What the export writes, and the words of other tools and of tables kept by hand. */
const STANDINGS: Record<string, Standing> = {
  active: standing('active'),
  subscribed: standing('active'),
  confirmed: standing('active'),
  enabled: standing('active'),
  pending: standing('pending'),
  unconfirmed: standing('pending'),
  nonsubscribed: standing('pending'),
  transactional: standing('pending'),
  unsubscribed: standing('unsubscribed'),
  disabled: standing('unsubscribed'),
  archived: standing('unsubscribed'),
  removed: standing('unsubscribed'),
  inactive: standing('unsubscribed'),
  suppressed: suppressed('manual'),
  blocklisted: suppressed('manual'),
  blacklisted: suppressed('manual'),
  manual: suppressed('manual'),
  erased: suppressed('erased'),
  bounced: suppressed('hard-bounce'),
  cleaned: suppressed('hard-bounce'),
  'hard-bounce': suppressed('hard-bounce'),
  'soft-bounces': suppressed('soft-bounces'),
  complained: suppressed('complaint'),
  complaint: suppressed('complaint'),
  spam: suppressed('complaint'),
};

export const ACTIVE = standing('active');
export const PENDING = standing('pending');
export const UNSUBSCRIBED = standing('unsubscribed');

/** The standing that a word stands for; undefined for a word that is none. */
export function standingOf(word: string): Standing | undefined {
  const key = word.trim().toLowerCase();
  return Object.hasOwn(STANDINGS, key) ? STANDINGS[key] : undefined;
}

/** The higher, the less may be mailed. What two files or rows say differently, the higher decides. */
const STRICTNESS = { active: 0, pending: 1, unsubscribed: 2, suppressed: 3 };

export function stricter(a: Standing, b: Standing): Standing {
  return STRICTNESS[b.state] > STRICTNESS[a.state] ? b : a;
}

/** ISO 8601; a blank for the T; Go's `2023-05-01 10:00:00.123456 +0200 CEST`. Without a zone: UTC. */
const TIME =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?(?:\s+[A-Z]{1,5}|\s+[+-]\d{2,4})?$/;

/** When somebody agreed, ms; undefined where no time can be read. */
export function timeOf(text: string): number | undefined {
  const [whole, day, clock = '00:00', fraction = '', zone = 'Z'] = TIME.exec(text.trim()) ?? [];
  if (whole === undefined) return undefined;
  const seconds = clock.length === 5 ? `${clock}:00` : clock;
  const ms = fraction.slice(0, 3).padEnd(3, '0');
  const offset = zone === 'UTC' ? 'Z' : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const at = Date.parse(`${day}T${seconds}.${ms}${offset}`);
  return Number.isNaN(at) ? undefined : at;
}
