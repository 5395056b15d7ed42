import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { approve } from '../../src/newsletter/approve.ts';
import { compose } from '../../src/newsletter/compose.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const ID = '2026-11-w4';
let newsletter: TestNewsletter;
let file: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  writeIssue(newsletter.dir, ID);
  file = join(newsletter.dir, 'issues', ID, 'issue.md');
});

const isApproved = async (on = newsletter) => (await compose(on, ID, 0)).approved;

test('an approval is one line of the front matter; nothing else in the file changes', async () => {
  const before = readFileSync(file, 'utf8').split('\n');
  const approval = await approve(newsletter, ID, 'li@example.com');
  const after = readFileSync(file, 'utf8').split('\n');
  const added = after.filter((line) => !before.includes(line));
  expect(added).toEqual([`approved: li@example.com 2026-11-20T16:00+08:00 ${approval.hash}`]);
  expect(after.filter((line) => !added.includes(line))).toEqual(before);
  expect(await isApproved()).toBe(true);
});

test('approving again replaces the line', async () => {
  await approve(newsletter, ID, 'a@example.com');
  await approve(newsletter, ID, 'b@example.com');
  expect(readFileSync(file, 'utf8').match(/^approved:/gm)).toHaveLength(1);
  expect(readFileSync(file, 'utf8')).toContain('approved: b@example.com');
});

describe('an approval is withdrawn by a change of', () => {
  beforeEach(async () => {
    await approve(newsletter, ID);
    expect(await isApproved()).toBe(true);
  });

  test('one letter of the text', async () => {
    writeFileSync(file, readFileSync(file, 'utf8').replace('Words.', 'Words!'));
    expect(await isApproved()).toBe(false);
  });

  test('a template', async () => {
    appendFileSync(join(newsletter.dir, 'templates/partials/footer.hbs'), '\n');
    expect(await isApproved()).toBe(false);
  });

  test('the sender', async () => {
    const { settings } = newsletter;
    const sender = { ...settings.sender, name: 'Somebody else' };
    expect(await isApproved({ ...newsletter, settings: { ...settings, sender } })).toBe(false);
  });
});

describe('an approval is refused', () => {
  test('with a mark left to check, which is named with its line', async () => {
    writeIssue(newsletter.dir, ID, { body: '<!-- check: is it 180B? -->\n\nWords.' });
    const before = readFileSync(file, 'utf8');
    await expect(approve(newsletter, ID)).rejects.toMatchObject({
      kind: 'blocked',
      problems: [{ message: expect.stringContaining('is it 180B?'), line: 11 }],
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('when nobody is named', async () => {
    const { editor: _, ...settings } = newsletter.settings;
    await expect(approve({ ...newsletter, settings }, ID)).rejects.toMatchObject({
      code: 'approver-unknown',
    });
  });

  test('when the template has a mistake, which is named with file and line', async () => {
    const template = join(newsletter.dir, 'templates/weekly.mjml.hbs');
    writeFileSync(template, readFileSync(template, 'utf8').replace('</mjml>', '{{#if}</mjml>'));
    await expect(approve(newsletter, ID)).rejects.toMatchObject({
      kind: 'input',
      problems: [{ file: 'templates/weekly.mjml.hbs', line: expect.any(Number) }],
    });
  });

  test('when a byte of the file is no UTF-8, with its line', async () => {
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from([0xc4, 0xe3, 0x0a])]));
    await expect(approve(newsletter, ID)).rejects.toMatchObject({
      kind: 'input',
      code: 'issue-encoding',
      problems: [{ line: 14 }],
    });
  });
});
