/** Whether an address on the web answers, asked as politely as can be: HEAD, and GET where that is refused. */
import { lookup } from 'node:dns';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isPrivateAddress } from '../config/private-addresses.ts';
import { BroadsheetError } from '../errors.ts';
import { allowedUrl, type DownloadOptions, guardedLookup } from './download.ts';

/** ms; hops. */
const PATIENCE = 10_000;
const MOST_REDIRECTS = 5;

export interface Probe {
  /** The last answer's; null where there was none. */
  status: number | null;
  /** Where it leads in the end. */
  url: string;
  /** Addresses on the way, the first one included. */
  hops: string[];
  /** Says of itself; absent where it says nothing. */
  type?: string | undefined;
  bytes?: number | undefined;
  /** Why there was no answer. */
  problem?: string;
}

interface Answer {
  status: number;
  location: string | undefined;
  type: string | undefined;
  bytes: number | undefined;
}

/**
 * Asks; nothing in a private network is talked to, at no redirect. Reads no body. Never throws.
 * @param address `http:` or `https:`
 */
export async function probe(address: string, options: DownloadOptions = {}): Promise<Probe> {
  const hops = [address];
  try {
    for (;;) {
      const url = hops.at(-1) as string;
      const head = await ask('HEAD', url, options);
      // Many servers know no HEAD, or answer it wrongly; only what GET says counts against a link.
      const answer = head.status >= 400 ? await ask('GET', url, options) : head;
      const { status, location, type, bytes } = answer;
      if (status < 300 || status >= 400 || !location) return { status, url, hops, type, bytes };
      if (hops.length > MOST_REDIRECTS)
        return { status, url, hops, problem: `leads on more than ${MOST_REDIRECTS} times` };
      hops.push(new URL(location, url).href);
    }
  } catch (error) {
    return { status: null, url: hops.at(-1) as string, hops, problem: wordsFor(error as Error) };
  }
}

function ask(
  method: 'HEAD' | 'GET',
  address: string,
  { isForbidden = isPrivateAddress, resolve = lookup as LookupFunction }: DownloadOptions,
): Promise<Answer> {
  const url = allowedUrl(address, isForbidden);
  const request = url.protocol === 'https:' ? requestSecure : requestPlain;
  const options = {
    method,
    lookup: guardedLookup(isForbidden, resolve),
    headers: { Accept: '*/*', 'User-Agent': 'Mozilla/5.0 (compatible; Broadsheet)' },
    signal: AbortSignal.timeout(PATIENCE),
    agent: false,
  } as const;
  return new Promise((give, fail) => {
    const asked = request(url, options, (response) => {
      const { statusCode: status = 0, headers } = response;
      const length = Number(headers['content-length']);
      response.on('error', () => {});
      response.destroy();
      give({
        status,
        location: headers.location,
        type: headers['content-type']?.replace(/;.*/s, '').trim().toLowerCase(),
        bytes: headers['content-length'] && length > 0 ? length : undefined,
      });
    });
    asked.on('error', fail).end();
  });
}

function wordsFor(error: Error): string {
  if (error instanceof BroadsheetError) return lowerFirst(error.problems[0]?.message ?? '');
  const { code, name } = error as NodeJS.ErrnoException;
  if (code === 'EFORBIDDEN') return 'lies in a private network, which readers cannot reach';
  if (name === 'AbortError' || name === 'TimeoutError')
    return `gives no answer within ${PATIENCE / 1000} seconds`;
  if (code === 'ENOTFOUND') return 'has a name that does not exist';
  return `cannot be reached (${code ?? error.message})`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
