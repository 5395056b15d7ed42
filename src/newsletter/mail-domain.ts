/** Whether a domain takes mail: asked of the DNS in the background, never while a visitor waits (W-18). */
import { Resolver } from 'node:dns/promises';
import { saysNothingIsThere } from '../check/dns/ask.ts';

/** The part of a resolver that is needed. */
export type MailResolver = Pick<Resolver, 'resolveMx' | 'resolve4' | 'resolve6'>;

/** How long an answer is remembered, ms; how many are. */
const REMEMBERED = 600_000;
const MOST = 1_000;

export function systemResolver(): MailResolver {
  return new Resolver({ timeout: 3_000, tries: 2 });
}

/**
 * False where the domain says that it takes no mail: a null MX (RFC 7505), or neither MX nor address (RFC 5321 5.1).
 * Where the DNS does not answer it is true: a mail that cannot be delivered comes back.
 */
export async function takesMail(resolver: MailResolver, domain: string): Promise<boolean> {
  try {
    const exchanges = await resolver.resolveMx(domain);
    if (exchanges.length > 0) return exchanges.some(({ exchange }) => exchange !== '');
  } catch (error) {
    if (!saysNothingIsThere(error)) return true;
  }
  const addresses = await Promise.allSettled([
    resolver.resolve4(domain),
    resolver.resolve6(domain),
  ]);
  return addresses.some((answer) =>
    answer.status === 'fulfilled' ? answer.value.length > 0 : !saysNothingIsThere(answer.reason),
  );
}

/** `takesMail` that remembers for ten minutes. */
export function rememberingDomains(resolver: MailResolver, clock: () => number) {
  const known = new Map<string, { at: number; answer: Promise<boolean> }>();
  return (domain: string): Promise<boolean> => {
    const before = known.get(domain);
    if (before && clock() - before.at < REMEMBERED) return before.answer;
    if (known.size >= MOST) known.clear();
    const answer = takesMail(resolver, domain);
    known.set(domain, { at: clock(), answer });
    return answer;
  };
}
