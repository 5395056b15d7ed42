import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  colourIn,
  contrast,
  formatColour,
  labOf,
  ofLab,
  parseColour,
} from '../../src/render/colour.ts';
import { contentOf } from '../../src/render/content.ts';
import { parseDeclarations, parseSheet, rulesOf } from '../../src/render/css.ts';
import { renderEmail } from '../../src/render/email.ts';
import {
  type Inversion,
  invertColour,
  type Role,
  SCHEMES,
  seenIn,
} from '../../src/render/inversion.ts';
import { chineseIssue, imprint, weekly } from './issues.ts';

const inverted = (colour: string, mode: Inversion, role: Role) =>
  formatColour(invertColour(parseColour(colour) ?? expect.fail(colour), mode, role));

describe('a colour', () => {
  test.each([
    ['#abc', '#aabbcc'],
    ['#AABBCC80', 'rgba(170,187,204,0.502)'],
    ['rgb(1, 2, 3)', '#010203'],
    ['rgb(100% 0% 0% / 50%)', 'rgba(255,0,0,0.5)'],
    ['hsl(120, 100%, 25%)', '#008000'],
    ['hsl(210 50% 40% / 1)', '#336699'],
    ['Navy', '#000080'],
    ['transparent', 'rgba(0,0,0,0)'],
  ])('%s is %s', (written, read) => {
    expect(formatColour(parseColour(written) ?? expect.fail(written))).toBe(read);
  });

  test.each(['inherit', 'currentcolor', 'var(--ink)', '#12345', 'rgb(a, b, c)', ''])(
    '%j is none',
    (written) => expect(parseColour(written)).toBeUndefined(),
  );

  test('is found in a shorthand, not in an address', () => {
    expect(formatColour(colourIn('1px solid red') ?? expect.fail())).toBe('#ff0000');
    expect(colourIn('url(https://example.com/red.png) no-repeat')).toBeUndefined();
  });

  test('WCAG: black on white is 21 to 1, #767676 is just enough', () => {
    const white = parseColour('#fff') ?? expect.fail();
    expect(contrast(white, parseColour('#000') ?? expect.fail())).toBeCloseTo(21, 5);
    expect(contrast(white, parseColour('#767676') ?? expect.fail())).toBeCloseTo(4.54, 2);
  });

  test('goes to CIELAB and back', () => {
    const part = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(part, part, part, (red, green, blue) => {
        const colour = { red, green, blue, alpha: 1 };
        expect(formatColour(ofLab(labOf(colour), 1))).toBe(formatColour(colour));
      }),
    );
  });
});

describe('inversion of a colour', () => {
  test('full: paper turns dark and ink turns light, whatever they are used for', () => {
    expect(
      labOf(invertColour(parseColour('#fff') ?? expect.fail(), 'full', 'ground')).lightness,
    ).toBeCloseTo(10, 0);
    expect(inverted('#000', 'full', 'text')).toBe('#ffffff');
    expect(inverted('#000', 'full', 'ground')).toBe('#ffffff');
  });

  test('partial: what is dark already stays, text and lines as well', () => {
    expect(inverted('#191714', 'partial', 'ground')).toBe('#191714');
    expect(inverted('#ece5d8', 'partial', 'text')).toBe('#ece5d8');
    expect(inverted('#000', 'partial', 'text')).toBe('#ffffff');
    expect(inverted('#000', 'partial', 'line')).toBe('#ffffff');
  });

  test('hue stays: a press red is still red', () => {
    const { red, green, blue } = invertColour(
      parseColour('#a6211b') ?? expect.fail(),
      'full',
      'text',
    );
    expect(red).toBeGreaterThan(green + 40);
    expect(red).toBeGreaterThan(blue + 40);
  });
});

describe('a mail as it is seen', () => {
  const mail = (style: string, sheet = '') =>
    `<!doctype html><html><head><meta name="color-scheme" content="light dark"><style>${sheet}</style></head><body><p style="${style}" bgcolor="#ffffff">Words</p></body></html>`;

  test('in an inverting program: style attributes, sheets and old attributes are recoloured', () => {
    const html = seenIn(
      mail('color:#000;border:1px solid #000', '.a{background:#fff url(/white.png)}'),
      'full',
    );
    expect(html).toContain('color:#ffffff;border:1px solid #ffffff');
    expect(html).toContain('url(/white.png)');
    expect(html).not.toContain('#fff url');
    expect(html).toContain('bgcolor="#1b1b1b"');
  });

  test('what nobody coloured turns with the canvas', () => {
    expect(seenIn(mail(''), 'partial')).toMatch(/<style>html\{background:#1b1b1b;color:#ffffff\}/);
  });

  test.each([
    ['light', '(max-width: 0px)', 'content="light"'],
    ['dark', '(min-width: 0px)', 'content="dark"'],
    ['partial', '(max-width: 0px)', 'content="light"'],
  ] as const)("in %s the author's dark rules have one answer: %s", (scheme, answer, meta) => {
    const html = seenIn(
      mail('', '@media (prefers-color-scheme: dark){p{color:#fff !important}}'),
      scheme,
    );
    expect(html).toContain(`@media ${answer}`);
    expect(html).toContain('!important');
    expect(html).toContain(meta);
    expect(html).not.toContain('prefers-color-scheme');
  });

  test('no word and no link of a real mail is lost, and it is always the same', async () => {
    const { email } = await renderEmail(chineseIssue(), imprint, weekly);
    for (const scheme of SCHEMES) {
      const html = seenIn(email.html, scheme);
      expect(contentOf(html)).toEqual(contentOf(email.html));
      expect(seenIn(email.html, scheme)).toBe(html);
    }
  });
});

describe('a style sheet', () => {
  test('is read with its conditions and what is important', () => {
    const sheet = parseSheet(
      '@import url("a;b.css"); .a, p:not(.b, .c) { color: red !important; } @media (min-width: 480px) { .d { margin: 0 } }',
    );
    expect(sheet.problems).toEqual([]);
    expect(sheet.statements).toEqual(['@import url("a;b.css")']);
    expect(rulesOf(sheet)).toEqual([
      {
        selectors: ['.a', 'p:not(.b, .c)'],
        declarations: [{ property: 'color', value: 'red', important: true }],
        conditions: [],
      },
      {
        selectors: ['.d'],
        declarations: [{ property: 'margin', value: '0', important: false }],
        conditions: ['@media (min-width: 480px)'],
      },
    ]);
  });

  test.each([
    ['p { color: red', 'A { is not closed', 2],
    ['p { color: red }}', 'A } closes nothing', 16],
    ['p { color }', '"color" is no declaration', 4],
    ['{ color: red }', 'A block has no selector', 0],
    ['p { width: calc(1px }', 'A bracket is not closed: ) is missing', 20],
    ['p { content: "x }', 'A quotation mark is not closed', 13],
    ['p {} /* so', 'A comment is not closed', 5],
  ])('%j: %s', (css, message, at) => {
    expect(parseSheet(css).problems).toContainEqual({ message, at });
  });

  test('a semicolon in an address ends nothing', () => {
    expect(parseDeclarations('background: url(data:image/png;base64,xx); color: red')).toHaveLength(
      2,
    );
  });
});
