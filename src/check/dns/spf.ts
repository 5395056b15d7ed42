/** SPF (RFC 7208): whether the domain of the return path has a record that receivers can evaluate. */
import { type Examination, examining } from '../examination.ts';
import { askText, type DnsResolver, publish, unanswered } from './ask.ts';

/** RFC 7208 4.6.4: terms that make a receiver ask the DNS again. */
const MOST_LOOKUPS = 10;

const MECHANISMS = new Set(['all', 'include', 'a', 'mx', 'ptr', 'ip4', 'ip6', 'exists']);
const ASKING = new Set(['include', 'a', 'mx', 'ptr', 'exists', 'redirect']);

export interface SpfTerm {
  /** Of a mechanism; a modifier has none. */
  qualifier?: '+' | '-' | '~' | '?';
  /** Lower case: `include`, `redirect`, … */
  name: string;
  /** What stands behind `:` or `=`; empty where nothing does. */
  value: string;
}

/** True of a TXT record that is meant as SPF (RFC 7208 4.5). */
export function isSpf(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

/** The terms of a record, or the term that receivers do not understand (RFC 7208 4.6.1). */
export function readSpf(text: string): { terms: SpfTerm[]; wrong?: string } {
  const terms: SpfTerm[] = [];
  for (const term of text.split(/ +/).slice(1).filter(Boolean)) {
    const [, modifier, target] = /^([a-z][\w.-]*)=(.*)$/i.exec(term) ?? [];
    if (modifier !== undefined) {
      if (modifier.toLowerCase() === 'redirect' && !target) return { terms, wrong: term };
      terms.push({ name: modifier.toLowerCase(), value: target ?? '' });
      continue;
    }
    const [, sign, name = '', value = ''] = /^([-+~?]?)([a-z0-9]+)(?::?(.*))$/i.exec(term) ?? [];
    const known = name.toLowerCase();
    const lacksName = (known === 'include' || known === 'exists') && value === '';
    if (!MECHANISMS.has(known) || lacksName) return { terms, wrong: term };
    terms.push({ qualifier: (sign || '+') as '+', name: known, value });
  }
  return { terms };
}

/** What following a record leads to. */
export interface SpfWalk {
  lookups: number;
  /** The domain's own record. */
  record: string;
  /** Names of all records that were read, the first one included. */
  read: string[];
  /** The qualifier of `all` at the end; undefined where there is none. */
  ending?: SpfTerm['qualifier'];
  /** Why receivers give up (permerror). */
  broken?: string;
  /** Why nobody knows. */
  silent?: string;
}

/** Follows `include` and `redirect` as a receiver would whose sender matches nothing (RFC 7208 5.2, 6.1). */
export async function walkSpf(resolver: DnsResolver, domain: string): Promise<SpfWalk | null> {
  const walk: SpfWalk = { lookups: 0, record: '', read: [] };
  const record = await recordOf(resolver, domain, walk);
  if (record === null && !walk.broken && !walk.silent) return null;
  walk.record = record ?? '';
  if (record !== null) walk.ending = await follow(resolver, domain, record, walk);
  return walk;
}

/** The record of a domain; null where there is none, or not one. */
async function recordOf(
  resolver: DnsResolver,
  domain: string,
  walk: SpfWalk,
): Promise<string | null> {
  const answer = await askText(resolver, domain);
  if (answer.silent !== undefined) {
    walk.silent = `${domain}: ${answer.silent}`;
    return null;
  }
  const records = answer.records.filter(isSpf);
  if (records.length > 1)
    walk.broken = `${domain} has ${records.length} SPF records, one is allowed`;
  walk.read.push(domain);
  return records.length === 1 ? (records[0] as string) : null;
}

async function follow(
  resolver: DnsResolver,
  domain: string,
  record: string,
  walk: SpfWalk,
): Promise<SpfTerm['qualifier']> {
  const { terms, wrong } = readSpf(record);
  if (wrong !== undefined) walk.broken = `"${wrong}" in the record of ${domain} is no term of SPF`;
  const end = terms.findIndex(({ name }) => name === 'all');
  const all = terms[end];
  // What stands behind `all` is never asked, nor is a `redirect` beside it (RFC 7208 5.1).
  const asking = (all ? terms.slice(0, end) : terms).filter(
    ({ name }) => ASKING.has(name) && !(name === 'redirect' && all),
  );
  let ending = all?.qualifier;
  for (const { name, value } of asking) {
    walk.lookups += 1;
    if (walk.lookups > MOST_LOOKUPS)
      walk.broken = `it takes more than ${MOST_LOOKUPS} look-ups, the most that receivers make`;
    if (walk.broken || walk.silent) return ending;
    // A macro stands for something else in each mail.
    if ((name !== 'include' && name !== 'redirect') || value.includes('%')) continue;
    const next = await recordOf(resolver, value, walk);
    if (next === null && !walk.broken && !walk.silent)
      walk.broken = `${name} leads to ${value}, which has no SPF record`;
    if (next === null) return ending;
    const inner = await follow(resolver, value, next, walk);
    if (name === 'redirect') ending = inner;
  }
  return ending;
}

/** Names that relays ask to be included, by the end of their host's name. */
const RELAYS: Record<string, string> = {
  'amazonaws.com': 'amazonses.com',
  'mailgun.org': 'mailgun.org',
  'sendgrid.net': 'sendgrid.net',
  'postmarkapp.com': 'spf.mtasv.net',
  'gmail.com': '_spf.google.com',
  'office365.com': 'spf.protection.outlook.com',
  'smtpdm.aliyun.com': 'spf1.dm.aliyun.com',
};

/**
 * SPF of the domain in MAIL FROM (D-34, D-35).
 * @param relay host of SMTP_URL; undefined: not known
 */
export async function examineSpf(
  resolver: DnsResolver,
  domain: string,
  relay: string | undefined,
): Promise<Examination> {
  const says = examining('spf', `SPF of ${domain}`);
  const walk = await walkSpf(resolver, domain);
  const wanted = includeOf(relay);
  const suggestion = publish(domain, `v=spf1 ${wordsFor(domain, relay, wanted)} ~all`);
  if (walk === null) return says('fail', 'There is no record', suggestion);
  const { lookups, record, broken, silent, ending, read } = walk;
  if (broken) return says('fail', `Receivers cannot evaluate it: ${broken}`, MEND);
  if (silent) return says('warn', unanswered(silent));
  if (ending !== '-' && ending !== '~') {
    const all = ending === undefined ? 'nothing' : `${ending}all`;
    return says(
      'fail',
      `The record ends in ${all}: it forbids nobody`,
      publish(domain, endedBy(record, '~all')),
    );
  }
  const well = `One record, ${lookups} of at most ${MOST_LOOKUPS} look-ups, ends in ${ending}all`;
  if (wanted && !read.includes(wanted)) {
    const found = `${well}; it does not include ${wanted}, which ${relay} asks for`;
    const value = endedBy(record, `include:${wanted} ${ending}all`);
    return says('warn', found, publish(domain, value));
  }
  if (wanted) return says('ok', `${well}, includes ${wanted} of ${relay}`);
  const covers = relay ? `; whether it covers what ${relay} sends from cannot be known here` : '';
  return says('ok', `${well}${covers}`);
}

/** A record with another end. */
function endedBy(record: string, end: string): string {
  const terms = record.split(/ +/).filter((term) => !/^[-+~?]?all$|^redirect=|^$/i.test(term));
  return [...terms, end].join(' ');
}

const MEND =
  'Mend it: one record, at most ten include, a, mx, exists, redirect and ptr altogether.';

function includeOf(relay = ''): string | undefined {
  const end = Object.keys(RELAYS).find((name) => `.${relay}`.endsWith(`.${name}`));
  return end && RELAYS[end];
}

/** What lets the relay send, as far as it can be known. */
function wordsFor(domain: string, relay: string | undefined, include: string | undefined): string {
  if (include) return `include:${include}`;
  if (relay && `.${relay}`.endsWith(`.${domain}`)) return `a:${relay}`;
  return 'include:THE-NAME-THAT-YOUR-RELAY-GIVES';
}
