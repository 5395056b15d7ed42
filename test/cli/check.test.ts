/** `check`, `send --allow` and the rehearsal as a person at a terminal meets them: real processes. */
import { beforeAll, describe, expect, test } from 'vitest';
import { broadsheet } from '../support/command.ts';
import { newsletterDirectory, writeIssue } from '../support/newsletter.ts';

const PLAIN = { NO_COLOR: '1', FORCE_COLOR: '' };

let dir: string;
beforeAll(() => {
  dir = newsletterDirectory();
  writeIssue(dir, 'good');
  writeIssue(dir, 'bad', {
    body: `${'Words and more words. '.repeat(20)}\n\n![](https://example.com/a.png)`,
  });
  writeIssue(dir, 'doubtful', { body: 'Read [more](https://example.com/a).' });
});

describe('check', () => {
  test('says place, matter, remedy, reason and rule, and how to override', async () => {
    const { code, stdout, stderr } = await broadsheet(dir, ['check', 'bad'], PLAIN);
    expect(code).toBe(3);
    expect(stdout).toContain('error   issues/bad/issue.md:13\n');
    expect(stdout).toContain(
      'The picture https://example.com/a.png has no description [image-without-alt]',
    );
    expect(stdout).toContain('H-13, https://www.w3.org/TR/WCAG22/#non-text-content');
    expect(stderr).toContain('1 error, 1 warning');
    expect(stderr).toContain('--allow image-without-alt');
  });

  test('--allow lets pass by name, --strict takes warnings for errors', async () => {
    expect((await broadsheet(dir, ['check', 'bad', '--allow', 'image-without-alt'])).code).toBe(0);
    expect((await broadsheet(dir, ['check', 'bad', '--allow', 'image'])).code).toBe(2);
    expect((await broadsheet(dir, ['check', 'doubtful'])).code).toBe(0);
    expect((await broadsheet(dir, ['check', 'doubtful', '--strict'])).code).toBe(3);
  });

  test('--json prints one finding a line', async () => {
    const { stdout } = await broadsheet(dir, ['check', 'bad', '--json']);
    const findings = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(findings.map(({ id }) => id)).toEqual(['image-without-alt', 'image-without-size']);
  });
});

test('a rehearsal says what a send would be, and the campaign compares itself with it', async () => {
  for (const address of ['ana@gmail.com', 'li@qq.com'])
    await broadsheet(dir, ['subscribers', 'add', address]);
  const dry = await broadsheet(dir, ['send', 'good', '--dry-run', '--full']);
  expect(dry.code).toBe(0);
  expect(dry.stdout).toMatch(/Readers {5}2 {2}\(gmail 1, qq 1\)/);
  expect(dry.stdout).toMatch(/the largest has \d+, for [al]•••@/);
  expect((await broadsheet(dir, ['send', 'good', '--yes'])).code).toBe(0);
  const { stdout } = await broadsheet(dir, ['campaigns', 'show', '1']);
  expect(stdout).toContain('2 readers, the same readers');
  expect(stdout).toContain('qq         rehearsed 1, planned 1, accepted 1');
});
