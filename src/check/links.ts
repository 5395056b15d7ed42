/** Links: whether they can work, whether they say where they lead, and, on demand, whether they answer. */
import { isIP } from 'node:net';
import { isPrivateAddress } from '../config/private-addresses.ts';
import { type Reference, referencesOf } from '../issue/markdown.ts';
import { languageOf } from '../render/words.ts';
import { type Check, type Context, type Found, OWN_PAGE } from './check.ts';
import { inTemplate, placeOf } from './place.ts';

const SENDER_GUIDELINES = 'https://support.google.com/mail/answer/81126';

/** They hide where a link leads, and filters judge all by the worst of their users (D-51). */
const SHORTENERS = new Set(
  'bit.ly t.co tinyurl.com goo.gl ow.ly is.gd buff.ly rebrand.ly cutt.ly t.cn url.cn dwz.cn suo.im u6v.cn w.url.cn'.split(
    ' ',
  ),
);

/** Often not to be reached from mainland China (D-51). */
const BLOCKED_IN_CHINA =
  /(^|\.)(googleapis\.com|gstatic\.com|googleusercontent\.com|githubusercontent\.com|imgur\.com|drive\.google\.com|docs\.google\.com|photos\.google\.com|fbcdn\.net|twimg\.com|ytimg\.com|wp\.com|medium\.com|blogspot\.com|dropboxusercontent\.com)$/i;

/** Says nothing of the target, in either language. */
const EMPTY_WORDS =
  /^(?:(?:click|tap)(?: here)?|here|this|link|this link|read more|more|点击(?:这里|此处|查看)?|点这里|这里|此处|链接|更多|查看|详情)[.…。>»→]*$/i;

/** Requests at a time: one issue shall not look like an attack. */
const AT_ONCE = 6;

/** Bytes of a picture, and of all together (H-13). */
const HEAVY_PICTURE = 1_000_000;
const HEAVY_MAIL = 2_000_000;

export const LINK_CHECKS: Check[] = [
  {
    id: 'link-broken',
    severity: 'error',
    reason: 'The address leads nowhere, whoever clicks on it.',
    source: 'H-12',
    url: OWN_PAGE,
    find: (context) =>
      linksIn(context)
        .map((link) => ({ ...link, problem: problemOf(link.url) }))
        .filter(({ problem }) => problem)
        .map(({ url, line, problem }) => ({
          message: `The link ${url} ${problem}`,
          line,
          hint: 'Open the page in a browser and copy its address from there.',
        })),
  },
  {
    id: 'link-not-secure',
    severity: 'warning',
    reason: 'Browsers warn of http: pages, and anybody on the way can change them.',
    source: 'H-12',
    url: OWN_PAGE,
    find: (context) =>
      linksIn(context)
        .filter(({ url }) => /^http:/i.test(url) && !problemOf(url))
        .map(({ url, line }) => ({
          message: `The link ${url} is not https:`,
          line,
          hint: 'Nearly every site answers to https: as well.',
        })),
  },
  {
    id: 'link-words',
    severity: 'warning',
    reason: 'Who hears the links read out, or sees only them, learns nothing from "here".',
    source: 'H-12',
    url: 'https://www.w3.org/TR/WCAG22/#link-purpose-in-context',
    find: (context) =>
      linksIn(context)
        .filter(({ text }) => EMPTY_WORDS.test(text.trim()))
        .map(({ text, url, line }) => ({
          message: `The link "${text.trim()}" does not say where it leads (${url})`,
          line,
          hint: 'Let the words name what is there: [the paper](https://…)',
        })),
  },
  {
    id: 'link-shortened',
    severity: 'warning',
    reason: 'Filters distrust shortened links, because spam hides behind the same names.',
    source: 'D-51',
    url: SENDER_GUIDELINES,
    find: (context) =>
      linksIn(context)
        .filter(({ url }) => SHORTENERS.has(hostOf(url).replace(/^www\./, '')))
        .map(({ url, line }) => ({
          message: `The link ${url} hides where it leads`,
          line,
          hint: 'Write the address that it leads to.',
        })),
  },
  {
    id: 'link-within',
    severity: 'warning',
    reason: 'Links to a place in the same mail do nothing in Gmail on iOS and some others.',
    source: 'H-12',
    url: 'https://www.caniemail.com/features/html-anchor-links/',
    find: (context) =>
      context.html.elements
        .filter(({ tag, attributes }) => tag === 'a' && attributes.href?.startsWith('#'))
        .map((element) => ({
          message: `The link ${element.attributes.href} leads to a place in the same mail`,
          ...placeOf(context, element),
          hint: "Lead to the web version instead: {{slot 'web'}}#…",
        })),
  },
  {
    id: 'china-unreachable',
    severity: 'warning',
    reason:
      'Readers in mainland China see a gap where a picture or typeface comes from a blocked host.',
    source: 'D-51',
    url: OWN_PAGE,
    find: (context) => {
      if (languageOf(context.issue.language) !== 'zh') return [];
      const fetched = [...new Set(remoteOf(context).map((url) => hostOf(url)))];
      return fetched
        .filter((host) => BLOCKED_IN_CHINA.test(host))
        .map((host) => ({
          message: `Something is fetched from ${host}, which is often unreachable in mainland China`,
          ...placeOfAddress(context, host),
          hint: 'Put the picture on a host of your own.',
        }));
    },
  },
  {
    id: 'link-unreachable',
    severity: 'error',
    reason: 'The page did not answer, or is not there.',
    source: 'H-27',
    url: OWN_PAGE,
    find: (context) =>
      probed(context, httpLinks(context), (link, { status, problem }) => {
        if (!problem && status !== null && status < 400) return undefined;
        // Some sites turn programs away, and would let a reader in.
        const refused = status === 401 || status === 403 || status === 429 || (status ?? 0) >= 500;
        return {
          message: `The link ${link.url} ${problem ?? `answers ${status}`}`,
          line: link.line,
          severity: refused ? 'warning' : 'error',
          hint: refused
            ? 'Look at it in a browser: some sites turn programs away.'
            : 'Look for where the page is now.',
        };
      }),
  },
  {
    id: 'link-redirects',
    severity: 'info',
    reason: 'A link that leads on is slower, and may some day lead elsewhere.',
    source: 'H-27',
    url: OWN_PAGE,
    find: (context) =>
      probed(context, httpLinks(context), (link, { hops, url, status }) => {
        if (hops.length < 2 || (status ?? 500) >= 400) return undefined;
        return {
          message: `The link ${link.url} leads on to ${url}`,
          line: link.line,
          hint: 'Write that address, if it is meant to last.',
        };
      }),
  },
  {
    id: 'image-unreachable',
    severity: 'error',
    reason: 'Readers see an empty frame where the picture should be.',
    source: 'H-27',
    url: OWN_PAGE,
    find: (context) =>
      probed(context, pictures(context), (picture, { status, problem, type }) => {
        const isPicture = !type || type.startsWith('image/');
        if (!problem && status === 200 && isPicture) return undefined;
        return {
          message: `The picture ${picture.url} ${problem ?? (status === 200 ? `is no picture but ${type}` : `answers ${status}`)}`,
          ...placeOfAddress(context, picture.url),
          hint: 'Open its address in a private window: readers are not logged in anywhere.',
        };
      }),
  },
  {
    id: 'image-heavy',
    severity: 'warning',
    reason: 'On a phone a heavy mail is left before it has loaded.',
    source: 'H-13',
    url: OWN_PAGE,
    find: async (context) => {
      let sum = 0;
      const heavy = await probed(context, pictures(context), (picture, { bytes = 0 }) => {
        sum += bytes;
        if (bytes < HEAVY_PICTURE) return undefined;
        return {
          message: `The picture ${picture.url} has ${bytes} bytes; ${HEAVY_PICTURE} is much`,
          ...placeOfAddress(context, picture.url),
          hint: 'Save it 1200 pixels wide, as JPEG where it is a photograph.',
        };
      });
      if (heavy.length > 0 || sum < HEAVY_MAIL) return heavy;
      return [{ message: `All pictures together have ${sum} bytes; ${HEAVY_MAIL} is much` }];
    },
  },
];

type Link = Pick<Reference, 'url' | 'text' | 'line'>;

/** Links of the issue's own text, with their lines. */
function linksIn({ text }: Context): Link[] {
  return referencesOf(text).filter(({ kind }) => kind === 'link');
}

function httpLinks(context: Context): Link[] {
  const links = linksIn(context).filter(({ url }) => /^https?:/i.test(url) && !problemOf(url));
  return [...new Map(links.map((link) => [link.url, link])).values()];
}

function pictures({ html }: Context): Link[] {
  const sources = html.elements.flatMap(({ tag, attributes }) =>
    tag === 'img' && /^https?:/i.test(attributes.src ?? '') ? [attributes.src as string] : [],
  );
  return [...new Set(sources)].map((url) => ({ url, text: '', line: 0 }));
}

/** Everything that a program fetches to show the mail. */
function remoteOf({ html }: Context): string[] {
  const own = html.elements.flatMap(({ tag, attributes }) => {
    const { src, href, background } = attributes;
    return [src, background, tag === 'link' ? href : undefined].filter((url) => url !== undefined);
  });
  const styles = [...html.html.matchAll(/url\(\s*["']?([^"')\s]+)/gi)].map(
    ([, url]) => url as string,
  );
  return [...own, ...styles].filter((url) => URL.canParse(url));
}

function placeOfAddress(
  context: Context,
  address: string,
): Pick<Found, 'file' | 'line' | 'column'> {
  const line = context.text.split('\n').findIndex((each) => each.includes(address)) + 1;
  return line > 0 ? { file: context.file, line } : (inTemplate(context, address) ?? {});
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
}

/** What is wrong with an address that can be seen without asking anybody. */
function problemOf(address: string): string | undefined {
  if (/^mailto:/i.test(address))
    return /^mailto:[^\s@]+@[^\s@]+\.[^\s@?]+(\?.*)?$/i.test(address)
      ? undefined
      : 'holds no mail address';
  if (!URL.canParse(address)) return 'is no address';
  if (/^https?:\/\/[^/]*https?:?\/\//i.test(address)) return 'has two beginnings';
  const { username, password } = new URL(address);
  if (username || password) return 'holds a user name or password';
  const host = hostOf(address);
  if (isIP(host)) return isPrivateAddress(host) ? 'lies in a private network' : undefined;
  if (/(^|\.)(localhost|local|internal|test|invalid|lan)$/i.test(host))
    return 'can be reached only from your own machine or network';
  return /^[^.]+(\.[^.]+)+\.?$/.test(host) ? undefined : `has no complete host name ("${host}")`;
}

/** Asks each address once, a few at a time. Without somebody to ask, there is nothing to find. */
async function probed(
  { probe }: Context,
  links: Link[],
  judge: (
    link: Link,
    answer: Awaited<ReturnType<NonNullable<Context['probe']>>>,
  ) => Found | undefined,
): Promise<Found[]> {
  if (!probe) return [];
  const found: Found[] = [];
  for (let at = 0; at < links.length; at += AT_ONCE) {
    const some = links.slice(at, at + AT_ONCE);
    const answers = await Promise.all(some.map(({ url }) => probe(url)));
    for (const [n, link] of some.entries()) {
      const one = judge(link, answers[n] as (typeof answers)[number]);
      if (one) found.push(one);
    }
  }
  return found;
}
