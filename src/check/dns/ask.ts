/** Questions to the DNS with three answers: there it is, there is nothing, nobody answered. */
import type { Resolver } from 'node:dns/promises';

/** The part of a resolver that is needed. */
export type DnsResolver = Pick<
  Resolver,
  'resolveTxt' | 'resolveMx' | 'resolve4' | 'resolve6' | 'resolveSoa'
>;

/** Records; none where the DNS says so. `silent`: why nobody knows. */
export type Answer<Item> = { records: Item[]; silent?: undefined } | { silent: string };

/** Answers of the DNS that say that there is nothing. Any other failure says nothing. */
const NOTHING = new Set(['ENOTFOUND', 'ENODATA']);

export function saysNothingIsThere(error: unknown): boolean {
  return NOTHING.has((error as NodeJS.ErrnoException).code ?? '');
}

/** Never throws. */
export async function ask<Item>(query: Promise<Item[]>): Promise<Answer<Item>> {
  try {
    return { records: await query };
  } catch (error) {
    if (saysNothingIsThere(error)) return { records: [] };
    return { silent: (error as NodeJS.ErrnoException).code ?? (error as Error).message };
  }
}

/** TXT records, the strings of each joined (RFC 7208 3.3, RFC 6376 3.6.2.2). */
export async function askText(resolver: DnsResolver, name: string): Promise<Answer<string>> {
  return ask(resolver.resolveTxt(name).then((records) => records.map((parts) => parts.join(''))));
}

/** IPv4 and IPv6 addresses. Silent where neither is known and one was not answered. */
export async function askAddresses(resolver: DnsResolver, name: string): Promise<Answer<string>> {
  const answers = await Promise.all([ask(resolver.resolve4(name)), ask(resolver.resolve6(name))]);
  const records = answers.flatMap((answer) => (answer.silent === undefined ? answer.records : []));
  const silent = answers.find((answer) => answer.silent !== undefined);
  return silent && records.length === 0 ? silent : { records };
}

/** Found of what nobody answered: it is neither right nor wrong. */
export function unanswered(why: string): string {
  return `could not be asked: no answer from the DNS (${why})`;
}

/**
 * A TXT record as zone files and most forms of providers take it: longer values in strings of 255 characters
 * (RFC 1035 3.3.14).
 */
export function publish(name: string, value: string): string {
  const strings = value.match(/.{1,255}/g) ?? [''];
  return `Publish: ${name}. TXT ${strings.map((part) => `"${part}"`).join(' ')}`;
}
