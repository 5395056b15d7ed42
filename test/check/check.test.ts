import { readFileSync } from 'node:fs';
import { caniemail } from 'caniemail';
import { describe, expect, test } from 'vitest';
import { BREAKAGES } from '../../src/check/broken.ts';
import { type Look, looksIn } from '../../src/check/contrast.ts';
import { checksManual } from '../../src/check/manual.ts';
import { CHECKS, runChecks } from '../../src/check/run.ts';
import { essenceOf } from '../../src/check/support.ts';
import { contextOf } from '../../src/newsletter/check.ts';
import { compose } from '../../src/newsletter/compose.ts';
import { formatColour } from '../../src/render/colour.ts';
import { readDocument } from '../../src/render/document.ts';
import { SCHEMES, seenIn } from '../../src/render/inversion.ts';
import { FIXTURES, type Fixture } from './fixtures.ts';
import { ID, type Language, newsletterWith } from './good.ts';

async function findingsAfter({ context: change, ...changes }: Fixture) {
  const newsletter = await newsletterWith(changes);
  const composed = await compose(newsletter, ID[changes.language ?? 'en'], newsletter.clock());
  const context = await contextOf(newsletter, composed);
  return runChecks(change ? change(context) : context);
}

test.each<Language>(['en', 'zh'])('H-26: a good issue (%s) has no findings', async (language) => {
  expect(await findingsAfter({ language })).toEqual([]);
});

test.each([
  ['http://localhost:8080', 'warning'],
  ['https://weekly.mailer.org', 'error'],
])('H-10: a picture of our own over http: with the site at %s is a %s', async (url, severity) => {
  const found = await findingsAfter({
    ...FIXTURES['image-address'],
    context: (context) => ({
      ...context,
      settings: { ...context.settings, site: { ...context.settings.site, url } },
      html: readDocument(
        context.html.html.replace('http://example.com/', 'http://localhost:8080/'),
      ),
    }),
  });
  const own = found.filter(({ id }) => id === 'image-address');
  expect(own.map((finding) => finding.severity)).toEqual([severity]);
});

test('P-08: contrasts are judged as the simulation shows them', async () => {
  const newsletter = await newsletterWith({});
  const { email } = await compose(newsletter, ID.en, newsletter.clock());
  const document = readDocument(email.html);
  for (const scheme of SCHEMES) {
    const shown = looksIn(readDocument(seenIn(email.html, scheme)), 'light');
    const judged = looksIn(document, scheme);
    const words = ({ text, ground }: Look) => [text, ground].map(formatColour).join(' on ');
    expect(judged.map(words)).toEqual(shown.map(words));
  }
});

test('H-24: support is judged by one element of each kind, and that is as good as all of them', async () => {
  const newsletter = await newsletterWith({ language: 'zh' });
  const { email } = await compose(newsletter, ID.zh, newsletter.clock());
  const [all, essence] = [email.html, essenceOf(readDocument(email.html))].map((html) => {
    const { errors } = caniemail({ clients: ['gmail.android', 'outlook.windows'], html }).issues;
    const pairs = [...errors].flatMap(([client, found]) =>
      found.map(({ title }) => `${title} ${client}`),
    );
    return [...new Set(pairs)].sort();
  });
  expect(essence).toEqual(all);
});

describe('every check', () => {
  test('has an id of its own, a reason that is a sentence, and a rule', () => {
    const ids = CHECKS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, reason, source, url } of CHECKS) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(reason).toMatch(/^[A-Z].*\.$/);
      expect(source).toMatch(/^[DHW]-\d\d$/);
      expect(url).toMatch(/^https:\/\/|^docs\/checks\.md$/);
    }
  });

  test('stands in docs/checks.md, which is made from them', () => {
    expect(readFileSync('docs/checks.md', 'utf8')).toBe(checksManual());
  });

  test('has words for the studio in Chinese, as has every mistake for which no mail can be made', async () => {
    // Plain JavaScript of the studio's page.
    const asset = '../../src/web/assets/check-words.js';
    const { CHECK_WORDS } = (await import(asset)) as { CHECK_WORDS: Record<string, string[]> };
    for (const { id } of [...CHECKS, ...BREAKAGES]) {
      const words = CHECK_WORDS[id] ?? [];
      expect(words, id).toHaveLength(2);
      for (const each of words) expect(each, id).toMatch(/\p{Script=Han}/u);
    }
  });

  test('has a fixture', () => {
    expect(Object.keys(FIXTURES).sort()).toEqual(CHECKS.map(({ id }) => id).sort());
  });

  test.each(CHECKS.map(({ id, source }) => [source, id] as const))(
    '%s: %s is found where it is broken, and nothing else is',
    async (_, id) => {
      const fixture = FIXTURES[id] as Fixture;
      const findings = await findingsAfter(fixture);
      const found = [...new Set(findings.map((finding) => finding.id))].sort();
      expect(found).toEqual([id, ...(fixture.also ?? [])].sort());
      for (const { message, file, line } of findings) {
        expect(message).toMatch(/^\S.*[^.\s]$/);
        expect(file).toMatch(/^(issues|templates|config)\/[\w./-]+$/);
        expect(line ?? 1).toBeGreaterThan(0);
      }
    },
  );
});
