/** The pictures beside an issue: read, made fit for the mail once, and kept under the address that readers fetch. */
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { BroadsheetError, type Problem } from '../errors.ts';
import { type Image, imagesOf, isPicturePath, type ShownPicture } from '../issue/markdown.ts';
import { fitPicture, HEAVIEST, shownSize } from '../render/picture.ts';
import { type Asset, assetBase, keepAsset } from './assets.ts';
import type { IssueFile } from './issues.ts';
import type { Newsletter } from './newsletter.ts';

export interface KeptPicture extends Asset {
  /** As the issue names it. */
  source: string;
  /** In the issue file, from 1. */
  line: number;
}

export interface KeptPictures {
  pictures: KeptPicture[];
  /** What the mail says of each. */
  shown: Map<string, ShownPicture>;
}

/** Bytes that are read at most: a camera's largest. */
const LARGEST_SOURCE = 30_000_000;
/** Bytes that the pictures of a mail may weigh together (H-13). */
const HEAVIEST_SUM = 2 * HEAVIEST;

/** Raising it makes every picture anew: to be done with a change of what `fitPicture` does. */
const RECIPE = 1;

/**
 * Keeps every picture that the issue names by a path.
 * @throws BroadsheetError `picture-invalid` with file and line of each that is missing, unreadable, too large or
 *   not in the issue's folder
 */
export async function keepPictures(
  newsletter: Pick<Newsletter, 'stateDir' | 'settings'>,
  { text, path, file }: Pick<IssueFile, 'text' | 'path' | 'file'>,
): Promise<KeptPictures> {
  const kept: KeptPictures = { pictures: [], shown: new Map() };
  const problems: Problem[] = [];
  const refuse = ({ src, line }: Image, message: string) =>
    problems.push({ file, line, message: `The picture "${src}": ${message}`, hint: HINT });
  for (const image of imagesOf(text)) {
    if (!isPicturePath(image.src) || kept.shown.has(image.src)) continue;
    const source = readBeside(dirname(path), image.src);
    if (typeof source === 'string') {
      refuse(image, source);
      continue;
    }
    const hash = hashOf(source);
    const asset = await keepAsset(newsletter, hash, () => fitPicture(source));
    if (typeof asset === 'string') refuse(image, asset);
    else keep(kept, image, asset, assetBase(newsletter));
  }
  const sum = kept.pictures.reduce((all, { bytes }) => all + bytes, 0);
  const last = kept.pictures.at(-1);
  if (last && sum > HEAVIEST_SUM)
    refuse({ src: last.source, alt: '', line: last.line }, `All together weigh ${sum} bytes`);
  if (problems.length > 0) throw new BroadsheetError('input', 'picture-invalid', problems);
  return kept;
}

/** One for each picture that the issue names, as it lies in the folder: an approval stands for these. */
export function pictureFingerprints({ text, path }: Pick<IssueFile, 'text' | 'path'>): string[] {
  const sources = new Set(imagesOf(text).map(({ src }) => src));
  return [...sources].filter(isPicturePath).map((src) => {
    const source = readBeside(dirname(path), src);
    return `${src} ${typeof source === 'string' ? 'missing' : hashOf(source)}`;
  });
}

function hashOf(source: Buffer): string {
  return createHash('sha256').update(`${RECIPE} `).update(source).digest('hex');
}

const HINT =
  'A PNG, JPEG, GIF or WebP in the folder of the issue; 1 MB each, 2 MB together when made fit.';

function keep(kept: KeptPictures, image: Image, asset: Asset, base: string): void {
  kept.pictures.push({ ...asset, source: image.src, line: image.line });
  kept.shown.set(image.src, { url: `${base}/${asset.name}`, ...shownSize(asset) });
}

/** Bytes of a file in the folder, or why not. A link that leads out of the folder is not followed. */
function readBeside(folder: string, src: string): Buffer | string {
  try {
    const path = realpathSync(join(folder, decodeURIComponent(src)));
    if (!path.startsWith(realpathSync(folder) + sep)) return "It lies outside the issue's folder";
    const { size } = statSync(path);
    if (size > LARGEST_SOURCE) return `It has ${size} bytes; ${LARGEST_SOURCE} are read at most`;
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'There is no such file' : `It cannot be read (${code ?? error})`;
  }
}
