/** The checks as verb and gate, on real files, keys and servers. */
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { eventsOf } from '../../src/delivery/events.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { checkIssue } from '../../src/newsletter/check.ts';
import { planDue } from '../../src/newsletter/schedule.ts';
import { freeze } from '../../src/newsletter/send.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import type { OpenPages } from '../../src/newsletter/unsubscribe-trial.ts';
import { publicServer } from '../../src/web/public.ts';
import { type Changes, ENGLISH, ID, newsletterWith, replaced } from '../check/good.ts';

const WITHOUT_ALT: Changes = {
  issue: [['### A car', '![](https://pictures.example.com/a.png)\n\n### A car']],
};
const ids = (findings: { id: string }[]) => findings.map(({ id }) => id);

/** The real public pages. */
const openPages: OpenPages = async (newsletter) => {
  const app = await publicServer(newsletter);
  return {
    listen: (host, port) => app.listen({ host, port }),
    close: async () => void (await app.close()),
  };
};

describe('a finding', () => {
  test('is plain data with id, severity, place, reason, rule and what to do', async () => {
    const newsletter = await newsletterWith(WITHOUT_ALT);
    const { findings } = await checkIssue(newsletter, ID.en);
    expect(JSON.parse(JSON.stringify(findings))[0]).toEqual({
      id: 'image-without-alt',
      severity: 'error',
      message: 'The picture https://pictures.example.com/a.png has no description',
      file: `issues/${ID.en}/issue.md`,
      line: ENGLISH.split('\n').findIndex((line) => line.startsWith('### A car')) + 1,
      hint: expect.any(String),
      reason: expect.any(String),
      source: 'H-13',
      url: 'https://www.w3.org/TR/WCAG22/#non-text-content',
    });
  });

  test.each<[string, Changes, string, RegExp]>([
    [
      'an id that stands twice',
      { issue: [['{#lingo}', '{#falcon}']] },
      'issue-invalid',
      /"falcon" is used twice/,
    ],
    [
      'H-31: words that the template drops',
      { templates: [['partials/footer.hbs', '</mj-text>', '']] },
      'template-invalid',
      /Words got lost/,
    ],
    [
      'an unknown word of the template',
      { templates: [['partials/footer.hbs', "{{word 'why'", "{{word 'wyh'"]] },
      'template-invalid',
      /no word "wyh"/,
    ],
    [
      'a template without unsubscribe link',
      { templates: [['partials/footer.hbs', "{{slot 'unsubscribe'}}", 'https://example.com']] },
      'template-invalid',
      /could not unsubscribe/,
    ],
  ])('is also made of %s, though there is no mail', async (_, changes, id, message) => {
    const newsletter = await newsletterWith(changes);
    const { findings, skipped } = await checkIssue(newsletter, ID.en);
    expect(findings).toMatchObject([
      {
        id,
        severity: 'error',
        message: expect.stringMatching(message),
        reason: expect.any(String),
      },
    ]);
    expect(findings[0]?.file).toMatch(/^(issues|templates)\//);
    expect(skipped).toHaveLength(1);
  });

  test('is made of a story that an earlier issue has told, at its line', async () => {
    const newsletter = await newsletterWith({});
    const folder = join(newsletter.dir, 'issues');
    cpSync(join(folder, ID.en), join(folder, 'earlier'), { recursive: true });
    const file = join(folder, 'earlier/issue.md');
    writeFileSync(file, replaced(readFileSync(file, 'utf8'), '2026-11-22', '2026-11-15'));
    const { findings } = await checkIssue(newsletter, ID.en);
    expect(findings).toContainEqual(
      expect.objectContaining({
        id: 'repeated-story',
        message: '"Falcon 180B arrives" was told in earlier: "Falcon 180B arrives"',
        line: ENGLISH.split('\n').findIndex((line) => line.startsWith('### Falcon')) + 1,
      }),
    );
  });
});

describe('the gate', () => {
  const reader = { address: 'ana@example.com', name: null };

  test('stops a send; an override by name lets it pass and is logged', async () => {
    const newsletter = await newsletterWith(WITHOUT_ALT);
    await addSubscriber(newsletter, reader);
    const allow = ['image-without-alt', 'contrast'];
    await expect(approve(newsletter, ID.en)).rejects.toMatchObject({
      kind: 'blocked',
      code: 'checks-failed',
    });
    await approve(newsletter, ID.en, undefined, allow);
    await expect(freeze(newsletter, { issue: ID.en })).rejects.toMatchObject({
      code: 'checks-failed',
    });
    const { campaignId } = await freeze(newsletter, { issue: ID.en, allow });
    expect(await eventsOf(newsletter.db, campaignId)).toContainEqual({
      kind: 'overridden',
      detail: 'image-without-alt',
      at: newsletter.clock(),
    });
  });

  test('asks the settings for the schedule, and logs that as well', async () => {
    const allowing = (settings: Settings): Settings => ({
      ...settings,
      check: { allow: ['image-without-alt'] },
    });
    const strict = await newsletterWith(WITHOUT_ALT);
    const newsletter = { ...strict, settings: allowing(strict.settings) };
    await addSubscriber(newsletter, reader);
    await approve(newsletter, ID.en);
    await planDue(newsletter);
    strict.advance(41 * 3_600_000);
    await expect(planDue(strict)).rejects.toMatchObject({ code: 'checks-failed' });
    const [slot] = await planDue(newsletter);
    expect(slot).toMatchObject({ state: 'sending', issue: ID.en });
    const events = await eventsOf(newsletter.db, slot?.campaign_id ?? 0);
    expect(events.map(({ kind }) => kind)).toContain('overridden');
  });

  test('knows which findings there are', async () => {
    const newsletter = await newsletterWith({});
    await expect(
      approve(newsletter, ID.en, undefined, ['image-without-alts']),
    ).rejects.toMatchObject({
      kind: 'input',
      code: 'finding-unknown',
    });
  });
});

describe('D-39: our own signature', () => {
  const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
  const signing = (settings: Settings): Settings => ({
    ...settings,
    dkim: { signer: 'broadsheet', domain: 'news.example.com', selector: 'k1' },
  });

  test('is made and verified', async () => {
    const newsletter = await newsletterWith({ settings: signing });
    const { findings } = await checkIssue({ ...newsletter, secrets: { dkimKey: pem } }, ID.en);
    expect(findings).toEqual([]);
  });

  test.each([
    ['no key', undefined],
    ['a damaged key', pem.replace(/[A-Z]/g, 'A')],
  ])('with %s is an error', async (_, dkimKey) => {
    const newsletter = await newsletterWith({ settings: signing });
    const secrets = dkimKey ? { dkimKey } : {};
    const { findings } = await checkIssue({ ...newsletter, secrets }, ID.en);
    expect(ids(findings)).toEqual(['dkim-invalid']);
  });
});

describe('D-05: the unsubscribe link is tried on the own pages', () => {
  test('and works; the list is not touched', async () => {
    const newsletter = await newsletterWith({});
    await addSubscriber(newsletter, { address: 'reader@example.net', name: null });
    expect(await checkIssue(newsletter, ID.en, { openPages })).toEqual({
      findings: [],
      skipped: [],
    });
    const readers = await newsletter.db.selectFrom('subscribers').select('state').execute();
    expect(readers).toEqual([{ state: 'active' }]);
  });

  test('a page that is broken is found', async () => {
    const newsletter = await newsletterWith({
      templates: [['pages/unsubscribe.hbs', '<form', '{{nonsense x}}<form']],
    });
    const { findings } = await checkIssue(newsletter, ID.en, { openPages });
    expect(findings).toMatchObject([
      {
        id: 'unsubscribe-fails',
        message: 'Opening the unsubscribe link answers 500 instead of a page',
      },
    ]);
  });

  test('a server that leads elsewhere is found, one that cannot be opened is skipped in words', async () => {
    const newsletter = await newsletterWith({});
    const redirecting: OpenPages = async (trial) => {
      const app = await publicServer(trial);
      app.addHook('onRequest', async (_, reply) => reply.redirect('https://example.com'));
      return {
        listen: (host, port) => app.listen({ host, port }),
        close: async () => void (await app.close()),
      };
    };
    const { findings } = await checkIssue(newsletter, ID.en, { openPages: redirecting });
    expect(findings.map(({ message }) => message)).toContain(
      'One-click unsubscribing answers 302 instead of 200',
    );
    const failing: OpenPages = async () => {
      throw new Error('no socket');
    };
    expect((await checkIssue(newsletter, ID.en, { openPages: failing })).skipped).toEqual([
      { id: 'unsubscribe-fails', why: 'no socket' },
    ]);
  });
});
