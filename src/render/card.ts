/** The picture that stands for an issue where it is shared (Open Graph): the head of the paper, 1200 × 630. */
import type { Picture } from './picture.ts';
import { columns } from './preheader.ts';
import { masthead } from './view.ts';
import { languageOf } from './words.ts';

export interface CardText {
  /** The newsletter's name. */
  name: string;
  /** Subject of the issue. */
  title: string;
  preheader: string;
  /** BCP 47. */
  language: string;
  /** ms. */
  sentAt: number;
  /** IANA time zone of the date. */
  zone: string;
}

const SERIF =
  "'Songti SC', 'Source Han Serif SC', 'Noto Serif CJK SC', Georgia, 'DejaVu Serif', serif";

/** Columns of a Latin letter that a line of the headline holds, and lines that there is room for. */
const WIDTH = 34;
const LINES = 3;

/** The drawing of a card; where the machine has no letters for it, only its rules. */
export async function cardSvg(text: CardText): Promise<string> {
  const words = text.name + text.title + text.preheader;
  const letters = /\p{Script=Han}/u.test(words) ? '一' : '—';
  return drawing((await canDraw(letters)) ? lettering(text) : '');
}

/** A drawing of ours as a picture. Same drawing and fonts, same bytes. */
export async function drawCard(svg: string): Promise<Picture> {
  const { default: sharp } = await import('sharp');
  const { data, info } = await sharp(Buffer.from(svg))
    .png({ palette: true, compressionLevel: 9 })
    .toBuffer({ resolveWithObject: true });
  return { bytes: data, ending: 'png', width: info.width, height: info.height };
}

function drawing(letters: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="630" viewBox="0 0 1200 630">
<rect width="1200" height="630" fill="#faf6ee"/>
<g fill="#1c1a17"><rect x="70" y="56" width="1060" height="8"/><rect x="70" y="70" width="1060" height="2"/><rect x="70" y="212" width="1060" height="2"/><rect x="70" y="270" width="1060" height="2"/></g>
<rect x="70" y="566" width="120" height="8" fill="#a6211b"/>
${letters}</svg>
`;
}

function lettering({ name, title, preheader, language, sentAt, zone }: CardText): string {
  const { edition, heading } = masthead({ title }, { name });
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: zone });
  const folio = [edition, date.format(sentAt)].filter(Boolean).join(' · ');
  const size = Math.min(92, Math.floor(1_900 / Math.max(1, columns(name))));
  const lines = wrapped(heading || preheader, language);
  return [
    `<text x="600" y="${140 + size * 0.36}" text-anchor="middle" ${face(size)}>${escaped(name)}</text>`,
    `<text x="600" y="251" text-anchor="middle" font-family="${SERIF}" font-size="26" fill="#5f584e">${escaped(folio)}</text>`,
    ...lines.map(
      (line, at) => `<text x="70" y="${356 + at * 76}" ${face(58)}>${escaped(line)}</text>`,
    ),
    '',
  ].join('\n');
}

function face(size: number): string {
  return `font-family="${SERIF}" font-size="${size}" font-weight="bold" fill="#1c1a17"`;
}

/** Lines of whole words; no line begins with a mark that ends a phrase. */
function wrapped(text: string, language: string): string[] {
  const words = new Intl.Segmenter(language, { granularity: 'word' });
  const lines = [''];
  for (const { segment, isWordLike } of words.segment(text)) {
    const line = lines.at(-1) ?? '';
    const fits = columns(line + segment) <= WIDTH || (!isWordLike && segment.trim() !== '');
    if (fits) lines[lines.length - 1] = line + segment;
    else lines.push(segment.trimStart());
  }
  if (lines.length <= LINES) return lines;
  const last = (lines[LINES - 1] ?? '').replace(/[\s\p{P}]+$/u, '');
  return [...lines.slice(0, LINES - 1), `${last}${languageOf(language) === 'zh' ? '……' : '…'}`];
}

/** Control characters do not exist in XML. */
function escaped(text: string): string {
  return text
    .replace(/[\x00-\x1f]/g, ' ')
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

const drawable = new Map<string, Promise<boolean>>();

/** A stroke such as 一 or — is flat; the box that stands for a letter without a font is not. */
function canDraw(stroke: '一' | '—'): Promise<boolean> {
  const known = drawable.get(stroke) ?? isFlat(stroke);
  drawable.set(stroke, known);
  return known;
}

async function isFlat(stroke: string): Promise<boolean> {
  const { default: sharp } = await import('sharp');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"><rect width="200" height="200" fill="#fff"/><text x="40" y="140" font-size="120" font-family="${SERIF}">${stroke}</text></svg>`;
  const { info } = await sharp(Buffer.from(svg))
    .trim({ threshold: 10 })
    .toBuffer({ resolveWithObject: true });
  return info.height * 3 < info.width;
}
