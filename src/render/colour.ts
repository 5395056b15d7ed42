/** Colours as CSS writes them, how light they are, and how far apart. */

/** sRGB, each part 0 to 255; alpha 0 to 1. */
export interface Colour {
  red: number;
  green: number;
  blue: number;
  alpha: number;
}

/** The named colours of CSS Color 4 that mails use; a name and its `rrggbb`. */
const NAMED = new Map(
  (
    'black 000000 silver c0c0c0 gray 808080 grey 808080 white ffffff maroon 800000 red ff0000 ' +
    'purple 800080 fuchsia ff00ff magenta ff00ff green 008000 lime 00ff00 olive 808000 ' +
    'yellow ffff00 navy 000080 blue 0000ff teal 008080 aqua 00ffff cyan 00ffff orange ffa500 ' +
    'aliceblue f0f8ff antiquewhite faebd7 azure f0ffff beige f5f5dc bisque ffe4c4 ' +
    'blanchedalmond ffebcd brown a52a2a coral ff7f50 cornflowerblue 6495ed cornsilk fff8dc ' +
    'crimson dc143c darkblue 00008b darkcyan 008b8b darkgray a9a9a9 darkgrey a9a9a9 ' +
    'darkgreen 006400 darkorange ff8c00 darkred 8b0000 darkslategray 2f4f4f deeppink ff1493 ' +
    'deepskyblue 00bfff dimgray 696969 dimgrey 696969 dodgerblue 1e90ff firebrick b22222 ' +
    'floralwhite fffaf0 forestgreen 228b22 gainsboro dcdcdc ghostwhite f8f8ff gold ffd700 ' +
    'goldenrod daa520 honeydew f0fff0 hotpink ff69b4 indianred cd5c5c indigo 4b0082 ' +
    'ivory fffff0 khaki f0e68c lavender e6e6fa lightblue add8e6 lightgray d3d3d3 ' +
    'lightgrey d3d3d3 lightgreen 90ee90 lightyellow ffffe0 linen faf0e6 midnightblue 191970 ' +
    'mintcream f5fffa mistyrose ffe4e1 oldlace fdf5e6 orangered ff4500 orchid da70d6 ' +
    'palegreen 98fb98 papayawhip ffefd5 peru cd853f pink ffc0cb plum dda0dd rosybrown bc8f8f ' +
    'royalblue 4169e1 saddlebrown 8b4513 salmon fa8072 seagreen 2e8b57 seashell fff5ee ' +
    'sienna a0522d skyblue 87ceeb slateblue 6a5acd slategray 708090 slategrey 708090 ' +
    'snow fffafa steelblue 4682b4 tan d2b48c thistle d8bfd8 tomato ff6347 turquoise 40e0d0 ' +
    'violet ee82ee wheat f5deb3 whitesmoke f5f5f5'
  )
    .split(' ')
    .reduce<[string, string][]>((pairs, word, at, words) => {
      if (at % 2 === 0) pairs.push([word, words[at + 1] as string]);
      return pairs;
    }, []),
);

/** A colour somewhere in a value such as `1px solid #ccc`. */
const ANYWHERE = /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl)a?\([^()]*\)|(?<![\w#.-])[a-z]+(?![\w(.-])/gi;

/** @returns undefined for what is no colour of its own: `inherit`, `currentcolor`, `var(…)` */
export function parseColour(text: string): Colour | undefined {
  const word = text.trim().toLowerCase();
  if (word === 'transparent') return { red: 0, green: 0, blue: 0, alpha: 0 };
  const hex = NAMED.get(word) ?? /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/.exec(word)?.[1];
  if (hex) return ofHex(hex);
  const [, name, inside = ''] = /^(rgb|hsl)a?\(([^()]*)\)$/.exec(word) ?? [];
  const numbers = inside.split(/[\s,/]+/).filter(Boolean);
  if (!name || numbers.length < 3) return undefined;
  const [a = 0, b = 0, c = 0] = numbers.map((each) => Number.parseFloat(each));
  if ([a, b, c].some(Number.isNaN)) return undefined;
  const alpha = numbers[3] === undefined ? 1 : share(numbers[3]);
  if (name === 'hsl') return ofHsl(a, b / 100, c / 100, alpha);
  const scale = numbers[0]?.endsWith('%') ? 2.55 : 1;
  return { red: a * scale, green: b * scale, blue: c * scale, alpha };
}

/** `#rrggbb`, or `rgba(…)` where it is not opaque. */
export function formatColour({ red, green, blue, alpha }: Colour): string {
  const parts = [red, green, blue].map((part) => Math.round(Math.min(255, Math.max(0, part))));
  if (alpha < 1) return `rgba(${parts.join(',')},${Number(alpha.toFixed(3))})`;
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** The value with each colour in it replaced; other words stay. */
export function mapColours(value: string, change: (colour: Colour) => Colour): string {
  return value
    .split(/(url\([^)]*\)|"[^"]*"|'[^']*')/)
    .map((part, at) =>
      at % 2 === 1
        ? part
        : part.replace(ANYWHERE, (word) => {
            const colour = parseColour(word);
            return colour && colour.alpha > 0 ? formatColour(change(colour)) : word;
          }),
    )
    .join('');
}

/** The first colour in a value such as `1px solid #ccc`. */
export function colourIn(value: string): Colour | undefined {
  for (const [word] of value.replace(/url\([^)]*\)/g, '').matchAll(ANYWHERE)) {
    const colour = parseColour(word);
    if (colour) return colour;
  }
  return undefined;
}

/** What is seen of a colour that lies on an opaque one. */
export function over(top: Colour, ground: Colour): Colour {
  const mix = (a: number, b: number) => a * top.alpha + b * (1 - top.alpha);
  return {
    red: mix(top.red, ground.red),
    green: mix(top.green, ground.green),
    blue: mix(top.blue, ground.blue),
    alpha: 1,
  };
}

/** Contrast by WCAG 2.2, 1 to 21. */
export function contrast(one: Colour, other: Colour): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** CIELAB (D65): lightness 0 to 100, and two axes of hue. */
export interface Lab {
  lightness: number;
  a: number;
  b: number;
}

/** White point D65, and the bend of CIE 1976. */
const WHITE = { x: 0.95047, z: 1.08883 };
const BEND = 216 / 24389;
const SLOPE = 24389 / 27;

export function labOf(colour: Colour): Lab {
  const [r = 0, g = 0, b = 0] = [colour.red, colour.green, colour.blue].map(linear);
  const bent = (t: number) => (t > BEND ? Math.cbrt(t) : (SLOPE * t + 16) / 116);
  const x = bent((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / WHITE.x);
  const y = bent(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = bent((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / WHITE.z);
  return { lightness: 116 * y - 16, a: 500 * (x - y), b: 200 * (y - z) };
}

/** The colour of this lightness and hue; its chroma is taken back until sRGB can show it. */
export function ofLab({ lightness, a, b }: Lab, alpha: number): Colour {
  for (let chroma = 1; chroma > 0; chroma -= 0.05) {
    const parts = partsOf(lightness, a * chroma, b * chroma);
    if (parts.every((part) => part >= -0.5 && part <= 255.5)) return toColour(parts, alpha);
  }
  return toColour(partsOf(lightness, 0, 0), alpha);
}

function partsOf(lightness: number, a: number, b: number): number[] {
  const fy = (lightness + 16) / 116;
  const unbent = (t: number) => (t ** 3 > BEND ? t ** 3 : (116 * t - 16) / SLOPE);
  const x = unbent(fy + a / 500) * WHITE.x;
  const y = lightness > 8 ? fy ** 3 : lightness / SLOPE;
  const z = unbent(fy - b / 200) * WHITE.z;
  return [
    3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
    -0.969266 * x + 1.8760108 * y + 0.041556 * z,
    0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
  ].map((part) => 255 * (part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055));
}

function toColour([red = 0, green = 0, blue = 0]: number[], alpha: number): Colour {
  return { red, green, blue, alpha };
}

function luminance({ red, green, blue }: Colour): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(part: number): number {
  const value = part / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function ofHex(hex: string): Colour {
  const long = hex.length < 6 ? hex.replace(/./g, '$&$&') : hex;
  const [red = 0, green = 0, blue = 0, alpha = 255] = (long.match(/../g) ?? []).map((part) =>
    Number.parseInt(part, 16),
  );
  return { red, green, blue, alpha: alpha / 255 };
}

function ofHsl(hue: number, saturation: number, lightness: number, alpha: number): Colour {
  const part = (n: number) => {
    const k = (n + hue / 30 + 12) % 12;
    const reach = saturation * Math.min(lightness, 1 - lightness);
    return 255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return { red: part(0), green: part(8), blue: part(4), alpha };
}

function share(text: string): number {
  return text.endsWith('%') ? Number.parseFloat(text) / 100 : Number.parseFloat(text);
}
