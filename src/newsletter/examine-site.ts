/** The site of the reader's pages under examination: its name, and the certificate behind it. */
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { askAddresses, type DnsResolver, unanswered } from '../check/dns/ask.ts';
import { type Examination, examining } from '../check/examination.ts';
import { isPublicSite } from '../config/secrets.ts';

const DAY = 86_400_000;

/** A certificate that ends sooner is told, days. */
const SOON = 14;

/** How long the server may take, ms. */
const PATIENCE = 5_000;

export interface SiteTools {
  resolver: DnsResolver;
  /** Further trusted certificates, PEM; for tests. */
  ca?: string | undefined;
  now: number;
}

/** Addresses of the site's host, and its certificate (D-34). Whether its pages answer is a check of `check`. */
export async function examineSite(url: string, tools: SiteTools): Promise<Examination[]> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const says = examining('site', `Site ${url}`);
  if (!isPublicSite(url))
    return [
      says(
        'warn',
        'No public https: address: readers cannot reach it',
        'Set site.url to where your proxy leads to site.listen.',
      ),
    ];
  const answer = isIP(host) ? { records: [host] } : await askAddresses(tools.resolver, host);
  if (answer.silent !== undefined) return [says('warn', unanswered(answer.silent))];
  const [address] = answer.records;
  if (address === undefined)
    return [says('fail', 'The name has no address', `Publish: ${host}. A YOUR-ADDRESS`)];
  const named = says('ok', `${host} is at ${answer.records.join(', ')}`);
  return [named, await examineCertificate({ host, address, port: Number(port) || 443 }, tools)];
}

async function examineCertificate(
  { host, address, port }: { host: string; address: string; port: number },
  { ca, now }: SiteTools,
): Promise<Examination> {
  const says = examining('certificate', `Certificate of ${host}`);
  const socket = connect({
    host: address,
    port,
    // What is wrong with it shall be told, not thrown.
    rejectUnauthorized: false,
    ...(isIP(host) ? {} : { servername: host }),
    ...(ca === undefined ? {} : { ca }),
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE) });
    return judged(socket, says, now);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    const fix = `Open port ${port}, and see that your proxy runs.`;
    return says('fail', `${address} port ${port} does not answer with TLS (${why})`, fix);
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

function judged(socket: TLSSocket, says: ReturnType<typeof examining>, now: number): Examination {
  const { issuer, valid_to: end } = socket.getPeerCertificate();
  const by = [issuer?.O ?? issuer?.CN].flat()[0] ?? 'nobody';
  const days = Math.floor((Date.parse(end) - now) / DAY);
  const fix = 'Renew it: an unsubscribe link that browsers warn of is none.';
  if (days < 0) return says('fail', `It ended on ${dayOf(end)}`, fix);
  if (!socket.authorized) return says('fail', problemOf(socket.authorizationError, by), fix);
  const found = `By ${by}, until ${dayOf(end)}: ${days} days`;
  return days < SOON ? says('warn', found, 'See that it renews itself.') : says('ok', found);
}

/** @param error of Node: a code, though the types say Error */
function problemOf(error: unknown, by: string): string {
  const code = String(error);
  return code.includes('ALTNAME')
    ? 'It is for another name'
    : `By ${by}, whom browsers do not trust (${code})`;
}

function dayOf(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
