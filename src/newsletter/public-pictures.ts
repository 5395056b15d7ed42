/** Before a campaign over SMTP begins: every picture of the mail answers to anybody. */
import { BroadsheetError } from '../errors.ts';
import { HEAVIEST, pictureUrls } from '../render/picture.ts';
import { type DownloadOptions, downloadTyped } from '../sources/download.ts';
import { assetBase, readAsset } from './assets.ts';
import type { Composed } from './compose.ts';
import type { Newsletter } from './newsletter.ts';

/**
 * Fetches each as a mailbox provider would: 200, a picture by its type, of 1 MB at most, and our own ones byte for byte.
 * Addresses in private networks do not count as public.
 * @throws BroadsheetError `pictures-not-public` that names each picture which does not
 */
export async function requirePublicPictures(
  newsletter: Newsletter,
  { email, file, pictures }: Pick<Composed, 'email' | 'file' | 'pictures'>,
  options: DownloadOptions = {},
): Promise<void> {
  const urls = pictureUrls(email.html);
  const answers = await Promise.all(urls.map((url) => problemOf(newsletter, url, options)));
  const problems = urls.flatMap((url, at) => {
    const message = answers[at];
    if (message === undefined) return [];
    const own = pictures.find(({ name }) => url.endsWith(`/${name}`));
    return [
      {
        file,
        line: own?.line,
        message: `${own?.source ?? ''} ${url}: ${message}`.trim(),
        hint: HINT,
      },
    ];
  });
  if (problems.length > 0) throw new BroadsheetError('blocked', 'pictures-not-public', problems);
}

const HINT =
  '`broadsheet serve` gives our own pictures at /assets; for another host, upload what `render --archive` writes into assets/.';

async function problemOf(
  newsletter: Newsletter,
  url: string,
  options: DownloadOptions,
): Promise<string | undefined> {
  if (!url.startsWith('https:')) return 'It is not on https:';
  try {
    const { body, type } = await downloadTyped(url, options);
    if (!type.startsWith('image/')) return `The server calls it ${type || 'nothing'}, no picture`;
    if (body.length > HEAVIEST) return `It has ${body.length} bytes; ${HEAVIEST} are allowed`;
    const own = ownAsset(newsletter, url);
    if (!own) return undefined;
    if (type !== own.type) return `The server calls it ${type} instead of ${own.type}`;
    return own.bytes.equals(body)
      ? undefined
      : `The server gives ${body.length} other bytes instead of our ${own.bytes.length}`;
  } catch (error) {
    if (error instanceof BroadsheetError) return error.problems[0]?.message;
    throw error;
  }
}

function ownAsset(newsletter: Newsletter, url: string) {
  const base = `${assetBase(newsletter)}/`;
  return url.startsWith(base) ? readAsset(newsletter, url.slice(base.length)) : null;
}
