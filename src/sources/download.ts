/** Fetches a feed from the web, and nothing that lies in our own network (SSRF). */
import { lookup } from 'node:dns';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { createGunzip } from 'node:zlib';
import { isPrivateAddress } from '../config/private-addresses.ts';
import { type BroadsheetError, inputError } from '../errors.ts';

/** Bytes, unpacked; ms; hops. */
const LARGEST = 5 * 1024 * 1024;
const PATIENCE = 10_000;
const MOST_REDIRECTS = 5;

export interface DownloadOptions {
  /** Whether an address must not be talked to; tests allow their own server. */
  isForbidden?: (address: string) => boolean;
  resolve?: LookupFunction;
}

/** Whether a source is an address on the web. */
export function isWebAddress(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

export interface Downloaded {
  body: Buffer;
  /** Media type as the server says it, in lower case, without parameters; may be empty. */
  type: string;
}

/** What `downloadTyped` fetches, without its type. */
export async function download(address: string, options: DownloadOptions = {}): Promise<Buffer> {
  return (await downloadTyped(address, options)).body;
}

/**
 * Fetches. The address that was checked is the one that is connected to, at every redirect.
 * @throws BroadsheetError input: forbidden, too large, too slow, not found
 */
export async function downloadTyped(
  address: string,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  let url = address;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const answer = await get(url, options);
    if (!('redirect' in answer)) return answer;
    url = new URL(answer.redirect, url).href;
  }
  throw refused(address, `It leads on more than ${MOST_REDIRECTS} times`);
}

async function get(
  address: string,
  { isForbidden = isPrivateAddress, resolve = lookup as LookupFunction }: DownloadOptions,
): Promise<Downloaded | { redirect: string }> {
  const url = allowedUrl(address, isForbidden);
  const guarded = guardedLookup(isForbidden, resolve);
  const signal = AbortSignal.timeout(PATIENCE);
  const request = url.protocol === 'https:' ? requestSecure : requestPlain;
  return new Promise((give, fail) => {
    const headers = {
      Accept:
        'application/rss+xml, application/atom+xml, application/feed+json, application/xml, */*;q=0.5',
      'Accept-Encoding': 'gzip',
      'User-Agent': 'Broadsheet',
    };
    const asked = request(url, { lookup: guarded, headers, signal, agent: false }, (response) => {
      const { statusCode = 0, headers } = response;
      if (statusCode >= 300 && statusCode < 400 && headers.location) {
        response.destroy();
        return give({ redirect: headers.location });
      }
      if (statusCode !== 200) {
        response.destroy();
        return fail(refused(address, `The server answers ${statusCode}`));
      }
      const body =
        headers['content-encoding'] === 'gzip' ? response.pipe(createGunzip()) : response;
      const chunks: Buffer[] = [];
      let size = 0;
      body.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size <= LARGEST) return;
        response.destroy();
        fail(refused(address, `It is larger than ${LARGEST / 1024 / 1024} MB`));
      });
      const type = String(headers['content-type'] ?? '');
      body.on('end', () => give({ body: Buffer.concat(chunks), type: mediaType(type) }));
      body.on('error', (error) => fail(unreachable(address, error)));
      response.on('error', (error) => fail(unreachable(address, error)));
    });
    asked.on('error', (error) => fail(unreachable(address, error))).end();
  });
}

function mediaType(header: string): string {
  return header.replace(/;.*/s, '').trim().toLowerCase();
}

/** Resolves a name, and fails with `EFORBIDDEN` when any of its addresses must not be talked to. */
export function guardedLookup(
  isForbidden: (address: string) => boolean,
  resolve: LookupFunction,
): LookupFunction {
  return (host, options, done) =>
    resolve(host, options, (error, found, family) => {
      const addresses =
        typeof found === 'string' ? [found] : (found ?? []).map((one) => one.address);
      const forbidden = !error && addresses.some(isForbidden);
      if (forbidden) done(Object.assign(new Error('forbidden'), { code: 'EFORBIDDEN' }), '', 4);
      else done(error, found, family);
    });
}

/** Ports and names that feeds have; the URL parser has turned `0x7f.1` and `2130706433` into what they are. */
export function allowedUrl(address: string, isForbidden: (address: string) => boolean): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw refused(address, 'This is no http or https address');
  if (url.username || url.password)
    throw refused(url.origin, 'An address with a password is not fetched');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && isForbidden(host)) throw forbiddenAddress(address);
  if (isForbidden === isPrivateAddress && url.port !== '') {
    throw refused(address, 'Only the usual ports, 80 and 443, are fetched from');
  }
  return url;
}

function unreachable(address: string, error: Error): BroadsheetError {
  const { code, name } = error as NodeJS.ErrnoException;
  if (code === 'EFORBIDDEN') return forbiddenAddress(address);
  if (name === 'AbortError' || name === 'TimeoutError')
    return refused(address, `No answer within ${PATIENCE / 1000} seconds`);
  return refused(address, `It cannot be reached (${code ?? error.message})`);
}

function forbiddenAddress(address: string): BroadsheetError {
  return refused(address, 'It lies in a private network, which is not fetched from');
}

function refused(address: string, message: string): BroadsheetError {
  return inputError('download-refused', message, {
    file: address,
    hint: 'Save the feed as a file and draft from that.',
  });
}
