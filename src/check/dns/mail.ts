/** Whether a domain takes mail and has a zone: providers look both up before they believe a sender. */
import { type Examination, examining } from '../examination.ts';
import { ask, askAddresses, type DnsResolver, unanswered } from './ask.ts';

/** MX, or an address in its place (RFC 5321 5.1), of a domain that answers and bounces go to (D-34). */
export async function examineMx(resolver: DnsResolver, domain: string): Promise<Examination> {
  const says = examining('mx', `Mail to ${domain}`);
  const [exchanges, addresses] = await Promise.all([
    ask(resolver.resolveMx(domain)),
    askAddresses(resolver, domain),
  ]);
  if (exchanges.silent !== undefined) return says('warn', unanswered(exchanges.silent));
  const hosts = exchanges.records.map(({ exchange }) => exchange).filter(Boolean);
  if (hosts.length > 0) return says('ok', `goes to ${hosts.join(', ')}`);
  const fix = `Publish: ${domain}. MX 10 THE-HOST-THAT-TAKES-YOUR-MAIL.`;
  if (exchanges.records.length > 0)
    return says('fail', 'The domain says that it takes none (null MX, RFC 7505)', fix);
  if (addresses.silent !== undefined) return says('warn', unanswered(addresses.silent));
  if (addresses.records.length > 0)
    return says('ok', `goes to its address ${addresses.records[0]}; there is no MX`);
  return says('fail', 'There is neither MX nor address: answers and reports are lost', fix);
}

/** SOA of the zone that a domain lies in, its own or one above, below the top (Yahoo looks it up, D-34). */
export async function examineSoa(resolver: DnsResolver, domain: string): Promise<Examination> {
  const says = examining('soa', `Zone of ${domain}`);
  const labels = domain.split('.');
  const names = labels.slice(0, -1).map((_, at) => labels.slice(at).join('.'));
  const answers = await Promise.all(
    names.map((name) => ask(resolver.resolveSoa(name).then((soa) => [soa]))),
  );
  const at = answers.findIndex(
    (answer) => answer.silent === undefined && answer.records.length > 0,
  );
  if (at >= 0) return says('ok', `${names[at]} has an SOA record`);
  const silent = answers.find((answer) => answer.silent !== undefined)?.silent;
  if (silent !== undefined) return says('warn', unanswered(silent));
  return says('fail', 'There is no SOA record: no zone', 'Look whether the domain is registered.');
}
