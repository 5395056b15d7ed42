/** DMARC (RFC 9989): the policy and the organisation of a domain by walking up the tree of names. */
import { isAligned } from '../../message/dkim.ts';
import { type Examination, examining } from '../examination.ts';
import { askText, type DnsResolver, publish, unanswered } from './ask.ts';
import { readTags } from './tags.ts';

/** RFC 9989 4.10: so many queries at most. */
const MOST_QUERIES = 8;

/** Tags of RFC 7489 that mean nothing any more (D-36). */
const GONE = ['pct', 'rf', 'ri'];

export type DmarcTags = ReadonlyMap<string, string>;

/** The tags of a record; null where it is no DMARC record (RFC 9989 4.7). */
export function readDmarc(text: string): DmarcTags | null {
  return /^\s*v\s*=\s*DMARC1\s*(?:;|$)/.test(text) ? readTags(text) : null;
}

/** The names that are asked for a domain: itself, then upwards from seven labels (RFC 9989 4.10). */
export function treeNames(domain: string): string[] {
  const labels = domain.split('.');
  const above = labels.slice(Math.max(1, labels.length - (MOST_QUERIES - 1)));
  return [domain, ...above.map((_, at) => above.slice(at).join('.'))];
}

export interface Walk {
  domain: string;
  /** From the domain upwards to where the walk ends. */
  records: { domain: string; tags: DmarcTags }[];
  /** Why nobody knows. */
  silent?: string;
}

/** Asks for all names at once, and reads the answers in their order. */
export async function walkTree(resolver: DnsResolver, domain: string): Promise<Walk> {
  const names = treeNames(domain);
  const answers = await Promise.all(names.map((name) => askText(resolver, `_dmarc.${name}`)));
  const walk: Walk = { domain, records: [] };
  for (const [at, answer] of answers.entries()) {
    if (answer.silent !== undefined) return { ...walk, silent: answer.silent };
    const read = answer.records.map(readDmarc).filter((tags) => tags !== null);
    // Of several at one name none counts.
    const [tags] = read.length === 1 ? read : [];
    if (!tags) continue;
    walk.records.push({ domain: names[at] as string, tags });
    const psd = tags.get('psd');
    if (psd === 'n' || (psd === 'y' && at > 0)) break;
  }
  return walk;
}

/** The organisational domain (RFC 9989 4.10.2). */
export function organisationOf({ domain, records }: Walk): string {
  const own = records.find(({ tags }) => tags.get('psd') === 'n');
  if (own) return own.domain;
  const suffix = records.find((each) => each.tags.get('psd') === 'y' && each.domain !== domain);
  if (suffix) {
    const below = domain.slice(0, -suffix.domain.length - 1).split('.');
    return `${below.at(-1)}.${suffix.domain}`;
  }
  return records.at(-1)?.domain ?? domain;
}

/** The record that decides for a domain: its own, else that of the organisation, else of the suffix (RFC 9989 4.10.1). */
export function policyOf(walk: Walk): Policy | null {
  const at = (name: string) => walk.records.find(({ domain }) => domain === name);
  const suffix = walk.records.find(({ tags }) => tags.get('psd') === 'y');
  const record = at(walk.domain) ?? at(organisationOf(walk)) ?? suffix;
  if (!record) return null;
  return { ...record, policy: policyIn(record.tags, record.domain === walk.domain) };
}

export interface Policy {
  /** Where the record stands. */
  domain: string;
  tags: DmarcTags;
  /** `none`, `quarantine` or `reject`; null: the record is of no effect. */
  policy: string | null;
}

const POLICIES = ['none', 'quarantine', 'reject'];

/** A record that asks for something unknown asks for reports alone, or for nothing. */
function policyIn(tags: DmarcTags, isOwn: boolean): string | null {
  const [p, sp, np] = ['p', 'sp', 'np'].map((name) => tags.get(name)?.toLowerCase());
  const isKnown = (policy: string | undefined) => policy === undefined || POLICIES.includes(policy);
  if (p === undefined || ![p, sp, np].every(isKnown)) return tags.has('rua') ? 'none' : null;
  return isOwn ? p : (sp ?? p);
}

/** Domains of one mail, A-labels. */
export interface Identities {
  from: string;
  /** Of MAIL FROM. */
  envelope: string;
  /** `d=` of the signature; absent: not known, or nobody signs. */
  signature?: string | undefined;
  /** The relay signs: also where it is not known as what. */
  relaySigns: boolean;
  /** Gets the reports (`rua=`). */
  reportsTo: string;
}

/** The policy for From, and whether what SPF and DKIM prove counts for it (D-34, D-35, D-36). */
export async function examineDmarc(
  resolver: DnsResolver,
  identities: Identities,
): Promise<Examination[]> {
  const { from, envelope, signature } = identities;
  const domains = [...new Set([from, envelope, signature ?? from])];
  const walks = await Promise.all(domains.map((domain) => walkTree(resolver, domain)));
  const walkOf = (domain: string) => walks.find((walk) => walk.domain === domain) as Walk;
  return [
    policyExamined(walkOf(from), identities),
    alignmentExamined(walkOf(from), identities, walkOf),
  ];
}

function policyExamined(walk: Walk, identities: Identities): Examination {
  const says = examining('dmarc', `DMARC of ${walk.domain}`);
  const found = policyOf(walk);
  if (walk.silent && !found) return says('warn', unanswered(walk.silent));
  const suggestion = (name: string, value: string) => publish(`_dmarc.${name}`, value);
  const first = `v=DMARC1; p=none; rua=mailto:${identities.reportsTo}`;
  if (!found) {
    return says('fail', 'There is no record', suggestion(highest(identities), first));
  }
  const { domain, tags, policy } = found;
  if (policy === null) {
    return says('fail', `_dmarc.${domain} has no valid p=`, suggestion(domain, first));
  }
  const testing = tags.get('t') === 'y' ? ', as a test (t=y)' : '';
  const words = `_dmarc.${domain} asks receivers for "${policy}"${testing}`;
  const gone = GONE.filter((tag) => tags.has(tag));
  if (gone.length === 0) return says('ok', words);
  const kept = [...tags].filter(([name]) => !GONE.includes(name));
  const value = kept.map(([name, text]) => `${name}=${text}`).join('; ');
  const found9989 = `${words}; ${gone.join(', ')} ${gone.length === 1 ? 'means' : 'mean'} nothing since RFC 9989`;
  return says('warn', found9989, suggestion(domain, value));
}

/** A record at the highest of a mail's own domains covers those below it as well. */
function highest({ from, envelope, signature }: Identities): string {
  const above = [from, envelope, signature ?? from].filter((name) =>
    `.${from}`.endsWith(`.${name}`),
  );
  return above.reduce((a, b) => (b.length < a.length ? b : a));
}

function alignmentExamined(
  walk: Walk,
  { from, envelope, signature, relaySigns }: Identities,
  walkOf: (domain: string) => Walk,
): Examination {
  const says = examining('alignment', `Alignment with ${from}`);
  const policy = policyOf(walk);
  const proofs = [
    { by: 'SPF', tag: 'aspf', domain: envelope },
    ...(signature === undefined ? [] : [{ by: 'DKIM', tag: 'adkim', domain: signature }]),
  ];
  const silent = proofs.map(({ domain }) => walkOf(domain).silent).find(Boolean) ?? walk.silent;
  if (silent && proofs.some(({ domain }) => domain !== from))
    return says('warn', unanswered(silent));
  const counts = ({ tag, domain }: (typeof proofs)[number]) => {
    if (domain === from) return true;
    // Without any record it is what it will be once `highest` has one.
    if (!policy) return isAligned(domain, from);
    const isStrict = policy.tags.get(tag) === 's';
    return !isStrict && organisationOf(walkOf(domain)) === organisationOf(walk);
  };
  const words = proofs.map((proof) => {
    const verdict = counts(proof) ? 'counts for' : 'does not count for';
    return `${proof.by} (${proof.domain}) ${verdict} From`;
  });
  const isOpen = relaySigns && signature === undefined;
  if (isOpen) words.push('what the relay signs as is not known (dkim.domain)');
  const found = words.join(', ');
  const aligned = proofs.filter(counts).length;
  if (aligned === proofs.length) return says('ok', found);
  const fix =
    'Take domains of one organisation for sender.address, bounces.address and dkim.domain.';
  return says(aligned > 0 || isOpen ? 'warn' : 'fail', found, fix);
}
