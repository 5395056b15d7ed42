/** Pictures made fit for a mail: not too large, in a format that every program shows. The owner of sharp. */
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import type { Sharp } from 'sharp';

export interface Picture {
  bytes: Buffer;
  /** Outlook for Windows shows no WebP. */
  ending: 'png' | 'jpg';
  /** Pixels. */
  width: number;
  height: number;
}

/** Twice the column of the mail, pixels. */
const WIDEST = 1_200;
/** Bytes that one picture may weigh in a mail (H-13). */
export const HEAVIEST = 1_000_000;
/** Text column of the mail, CSS pixels: Outlook takes the attribute `width` at its word. */
const COLUMN = 560;
/** What is decoded at most, so that a small file cannot fill the memory. */
const MOST_PIXELS = 50_000_000;

const FORMATS = new Set(['png', 'jpeg', 'gif', 'webp']);

/**
 * Turns it upright, takes it down to 1200 pixels of width and 1 MB, and leaves out what a camera writes into it
 * (place, device). Of a moving picture the first frame stays. Same bytes, same result.
 * @param source PNG, JPEG, GIF or WebP
 * @returns the picture, or in words why it cannot be one
 */
export async function fitPicture(source: Buffer): Promise<Picture | string> {
  try {
    // Loaded when there is a picture: most issues have none.
    const { default: sharp } = await import('sharp');
    const { format = '', hasAlpha } = await sharp(source).metadata();
    if (!FORMATS.has(format)) return 'It is no PNG, JPEG, GIF or WebP';
    const fitted = sharp(source, { limitInputPixels: MOST_PIXELS })
      .autoOrient()
      .resize({ width: WIDEST, withoutEnlargement: true });
    const drawn = format === 'png' || format === 'gif' || hasAlpha === true;
    return (await lightest(fitted, drawn)) ?? 'It stays above 1 MB, however it is packed';
  } catch (error) {
    return `It cannot be read (${(error as Error).message})`;
  }
}

/** A drawing keeps its exact colours while it can; a photograph is a JPEG. */
async function lightest(fitted: Sharp, drawn: boolean): Promise<Picture | undefined> {
  const exact = drawn ? await packed(fitted.clone().png({ compressionLevel: 9 })) : undefined;
  if (exact && exact.bytes.length <= HEAVIEST) return exact;
  // A palette takes a quarter of the bytes at best, and a while to find.
  if (exact && exact.bytes.length <= 4 * HEAVIEST) {
    const indexed = await packed(fitted.clone().png({ palette: true, compressionLevel: 9 }));
    if (indexed.bytes.length <= HEAVIEST) return indexed;
  }
  const opaque = fitted.clone().flatten({ background: '#fff' });
  for (const quality of [82, 60, 40]) {
    const photograph = await packed(opaque.clone().jpeg({ quality }));
    if (photograph.bytes.length <= HEAVIEST) return photograph;
  }
  return undefined;
}

async function packed(picture: Sharp): Promise<Picture> {
  const { data: bytes, info } = await picture.toBuffer({ resolveWithObject: true });
  const ending = info.format === 'png' ? 'png' : 'jpg';
  return { bytes, ending, width: info.width, height: info.height };
}

/** The size at which a picture is shown in the column, CSS pixels. */
export function shownSize({ width, height }: { width: number; height: number }) {
  const shown = Math.min(width, COLUMN);
  return { width: shown, height: Math.max(1, Math.round((height * shown) / width)) };
}

/** Addresses of all pictures of an HTML document, each once. */
export function pictureUrls(html: string): string[] {
  const found = new Set<string>();
  const walk = (node: Tree.Node): void => {
    if ('tagName' in node && node.tagName === 'img') {
      const src = node.attrs.find(({ name }) => name === 'src')?.value;
      if (src) found.add(src);
    }
    if ('childNodes' in node) for (const child of node.childNodes) walk(child);
  };
  walk(parse(html));
  return [...found];
}
