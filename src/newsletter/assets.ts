/** Pictures as readers fetch them: files in var/assets, named by the hash of what they hold, never changed. */
import { createHash } from 'node:crypto';
import { constants, cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Picture } from '../render/picture.ts';
import { writeAtomically } from './files.ts';
import type { Newsletter } from './newsletter.ts';

export interface Asset {
  /** `3f…a1.png`: the first half of the SHA-256 of its bytes, hex. */
  name: string;
  /** Pixels. */
  width: number;
  height: number;
  bytes: number;
}

const NAME = /^[0-9a-f]{32}\.(png|jpg)$/;

/** Where the public finds them, without a slash at the end. */
export function assetBase({ settings }: Pick<Newsletter, 'settings'>): string {
  const { url, assetBaseUrl } = settings.site;
  return assetBaseUrl?.replace(/\/$/, '') ?? `${url.replace(/\/$/, '')}/assets`;
}

/**
 * The asset that is made of a source. Made once: a note beside the assets tells what has become of which source.
 * @param source hash of what it is made of, hex
 * @param make gives the picture, or in words why there is none
 */
export async function keepAsset<Failure>(
  { stateDir }: Pick<Newsletter, 'stateDir'>,
  source: string,
  make: () => Promise<Picture | Failure>,
): Promise<Asset | Failure> {
  const note = join(stateDir, 'assets', `${source}.json`);
  const known = noted(note);
  if (known && existsSync(pathOf(stateDir, known.name))) return known;
  const made = await make();
  if (!isPicture(made)) return made;
  const { bytes, ending, width, height } = made;
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  const asset = { name: `${hash}.${ending}`, width, height, bytes: bytes.length };
  writeAtomically(pathOf(stateDir, asset.name), bytes);
  writeAtomically(note, JSON.stringify(asset));
  return asset;
}

/** Bytes of an asset; null where there is none of that name. */
export function readAsset(
  { stateDir }: Pick<Newsletter, 'stateDir'>,
  name: string,
): { bytes: Buffer; type: string } | null {
  if (!NAME.test(name) || !existsSync(pathOf(stateDir, name))) return null;
  const type = name.endsWith('.png') ? 'image/png' : 'image/jpeg';
  return { bytes: readFileSync(pathOf(stateDir, name)), type };
}

/** Copies all assets from a folder, where there is one, to another. What is there already is the same, and stays. */
export function copyAssets(from: string, to: string): void {
  if (existsSync(from))
    cpSync(from, to, { recursive: true, force: false, mode: constants.COPYFILE_FICLONE });
}

/** Where a newsletter's assets are. */
export function assetsOf({ stateDir }: Pick<Newsletter, 'stateDir'>): string {
  return join(stateDir, 'assets');
}

function isPicture(made: unknown): made is Picture {
  return typeof made === 'object' && made !== null && 'ending' in made;
}

function pathOf(stateDir: string, name: string): string {
  return join(stateDir, 'assets', name);
}

/** A note that is missing or damaged counts as none. */
function noted(path: string): Asset | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Asset;
  } catch {
    return undefined;
  }
}
