/** A name server in this process: it knows the names it is given, and asks nobody. */
import type { DnsResolver } from '../../src/check/dns/ask.ts';

export interface Records {
  TXT?: string[];
  /** Hosts; an empty one is a null MX. */
  MX?: string[];
  A?: string[];
  AAAA?: string[];
  SOA?: true;
}

/** Records by name; `silent`: the name server does not answer. */
export type Zone = Record<string, Records | 'silent'>;

export interface ZoneResolver extends DnsResolver {
  /** `TXT _dmarc.example.com`, … */
  asked: string[];
}

export function resolverOf(zone: Zone): ZoneResolver {
  const asked: string[] = [];
  const answer = async (type: keyof Records, name: string) => {
    asked.push(`${type} ${name}`);
    const records = zone[name];
    if (records === 'silent') throw Object.assign(new Error(name), { code: 'ETIMEOUT' });
    const found = records?.[type];
    if (found) return found === true ? [name] : found;
    throw Object.assign(new Error(name), { code: records ? 'ENODATA' : 'ENOTFOUND' });
  };
  const strings = (text: string) => text.match(/.{1,255}/g) ?? [''];
  return {
    asked,
    resolveTxt: async (name) => (await answer('TXT', name)).map(strings),
    resolveMx: async (name) =>
      (await answer('MX', name)).map((exchange) => ({ exchange, priority: 10 })),
    resolve4: ((name: string) => answer('A', name)) as DnsResolver['resolve4'],
    resolve6: ((name: string) => answer('AAAA', name)) as DnsResolver['resolve6'],
    resolveSoa: async (name) => {
      await answer('SOA', name);
      return {
        nsname: `ns.${name}`,
        hostmaster: `hostmaster.${name}`,
        serial: 1,
        refresh: 1,
        retry: 1,
        expire: 1,
        minttl: 1,
      };
    },
  };
}
