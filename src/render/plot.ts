/** Two small plots as SVG, of our own: bars and a line. Colours come from the page's style sheet. */

const WIDTH = 720;
const HEIGHT = 160;
/** Room for the figures at the left and the labels below. */
const LEFT = 64;
const BELOW = 22;

export interface Point {
  label: string;
  value: number;
}

/** @param name what is shown, for those who do not see it */
export function barPlot(points: readonly Point[], name: string): string {
  const most = Math.max(1, ...points.map(({ value }) => value));
  const step = (WIDTH - LEFT) / Math.max(1, points.length);
  const bars = points.map(({ label, value }, at) => {
    const height = (value / most) * HEIGHT;
    const x = LEFT + at * step + step * 0.15;
    const place = `x="${round(x)}" y="${round(HEIGHT - height)}" width="${round(step * 0.7)}" height="${round(height)}"`;
    return `<rect class="bar" ${place}><title>${escaped(`${label}: ${figure(value)}`)}</title></rect>`;
  });
  return framed(name, [...bars, ...scale(0, most), ...labels(points)]);
}

/** The scale begins where the values do: what is shown is how they change. */
export function linePlot(points: readonly Point[], name: string): string {
  const values = points.map(({ value }) => value);
  const [least, most] = [Math.min(...values, values[0] ?? 0), Math.max(1, ...values)];
  const range = Math.max(1, most - least);
  const step = (WIDTH - LEFT) / Math.max(1, points.length);
  const places = points.map(({ value }, at) => {
    const y = HEIGHT - ((value - least) / range) * (HEIGHT - 8) - 4;
    return `${round(LEFT + (at + 0.5) * step)},${round(y)}`;
  });
  const line = `<polyline class="line" points="${places.join(' ')}"/>`;
  return framed(name, [line, ...scale(least, Math.max(most, least + 1)), ...labels(points)]);
}

function framed(name: string, parts: string[]): string {
  const axis = `<path class="axis" d="M${LEFT} 0V${HEIGHT}H${WIDTH}"/>`;
  return `<svg role="img" aria-label="${escaped(name)}" viewBox="0 -10 ${WIDTH} ${HEIGHT + BELOW + 12}">${axis}${parts.join('')}</svg>`;
}

function scale(least: number, most: number): string[] {
  return [
    `<text x="${LEFT - 8}" y="6" text-anchor="end">${figure(most)}</text>`,
    `<text x="${LEFT - 8}" y="${HEIGHT}" text-anchor="end">${figure(least)}</text>`,
  ];
}

/** As many labels as have room. */
function labels(points: readonly Point[]): string[] {
  const every = Math.max(1, Math.ceil(points.length / 8));
  const step = (WIDTH - LEFT) / Math.max(1, points.length);
  return points.flatMap(({ label }, at) =>
    at % every === 0
      ? [
          `<text x="${round(LEFT + (at + 0.5) * step)}" y="${HEIGHT + 16}" text-anchor="middle">${escaped(label)}</text>`,
        ]
      : [],
  );
}

function figure(value: number): string {
  return value.toLocaleString('en');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
