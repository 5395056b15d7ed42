/** A picture of one document: what speaks for and against a boundary at each of its gaps. */
import type { Settings } from '../src/config/settings.ts';
import { draftSources } from '../src/editorial/draft.ts';
import { gapValuesOf } from '../src/editorial/stories.ts';
import { boundariesOf, type GoldDocument } from './document.ts';

const WIDTH = 960;
const HEIGHT = 300;
const MIDDLE = 170;
const LEFT = 40;
/** Pixels for one unit of value, and the values beyond which a bar is cut. */
const UNIT = 16;
const MOST = 7;

/** SVG, light and dark: a bar for each gap, red where a story begins, a dot where the draft says so. */
export function drawGaps(
  { name, language, text, segments }: GoldDocument,
  settings: Settings,
): string {
  const source = { name, language, text };
  const gold = new Set(boundariesOf(segments));
  const [draft] = draftSources([source], settings).sources;
  const found = new Set(boundariesOf(draft?.segments ?? []));
  const x = (offset: number) => LEFT + (offset / text.length) * (WIDTH - LEFT - 10);
  const bars = gapValuesOf(source, settings)
    .filter(({ start }) => start > 0)
    .map(({ start, value }) => {
      const height = Math.min(MOST, Math.abs(value)) * UNIT;
      const top = value > 0 ? MIDDLE - height : MIDDLE;
      const kind = gold.has(start) ? 'story' : 'inside';
      const bar = `<rect class="${kind}" x="${x(start).toFixed(1)}" y="${top.toFixed(1)}" width="5" height="${height.toFixed(1)}"/>`;
      const dot = `<circle class="found" cx="${(x(start) + 2.5).toFixed(1)}" cy="22" r="4"/>`;
      return found.has(start) ? bar + dot : bar;
    });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Value of a boundary at each gap of the seed">
<style>
  text { font: 13px sans-serif; fill: #5c574f }
  .story { fill: #a3161b } .inside { fill: #b9b2a6 } .found { fill: #1c1a17 } line { stroke: #5c574f }
  @media (prefers-color-scheme: dark) { text { fill: #b9b2a6 } .story { fill: #ef8079 } .inside { fill: #5c574f } .found { fill: #f2ece1 } line { stroke: #b9b2a6 } }
</style>
<text x="0" y="26">draft</text><text x="0" y="${MIDDLE - 60}">for</text><text x="0" y="${MIDDLE + 70}">against</text>
<line x1="${LEFT}" x2="${WIDTH - 10}" y1="${MIDDLE}" y2="${MIDDLE}"/>
${bars.join('\n')}
<text x="${LEFT}" y="${HEIGHT - 6}">gaps between sentences, along the transcript · red: a story really begins there</text>
</svg>
`;
}
