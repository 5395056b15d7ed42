/** The command line as people and programs use it: real processes. */

import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { broadsheet, start } from '../support/command.ts';
import { newsletterDirectory, temporaryDirectory, writeIssue } from '../support/newsletter.ts';

const COMMANDS = [
  'init',
  'draft',
  'check',
  'approve',
  'render',
  'preview',
  'send',
  'campaigns list',
  'campaigns show',
  'campaigns pause',
  'campaigns resume',
  'campaigns cancel',
  'campaigns amend',
  'campaigns resolve',
  'schedule next',
  'schedule run-due',
  'schedule adopt',
  'subscribers list',
  'subscribers show',
  'subscribers add',
  'subscribers remove',
  'subscribers count',
  'subscribers tag',
  'subscribers forget',
  'subscribers import',
  'subscribers export',
  'bounces read',
  'bounces list',
  'report',
  'metrics',
  'database migrate',
  'database copy',
  'database backup',
  'database restore',
  'glossary learn',
  'doctor',
  'serve',
  'worker',
  'demo',
];

let dir: string;
beforeAll(() => {
  dir = newsletterDirectory();
  writeIssue(dir, 'good');
  writeIssue(dir, 'unfinished', { body: '<!-- check: sure? -->\n\nWords.' });
});

describe('every command', () => {
  test.concurrent.each(COMMANDS)('%s explains itself, with the shared options', async (command) => {
    const { code, stdout } = await broadsheet(dir, [...command.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`broadsheet ${command}`);
    for (const option of ['--dir <dir>', '--json', '--quiet', '--help'])
      expect(stdout).toContain(option);
  });

  test('is listed by --help', async () => {
    const { code, stdout } = await broadsheet(dir, ['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS)
      expect(stdout).toMatch(new RegExp(`^ +${command.split(' ')[0]}`, 'm'));
  });

  test('--version is the package’s', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect((await broadsheet(dir, ['--version'])).stdout.trim()).toBe(version);
  });
});

describe('exit codes', () => {
  test.concurrent.each<[string, string[], number]>([
    ['0 done', ['check', 'good'], 0],
    ['2 no command', [], 2],
    ['2 an unknown command', ['bogus'], 2],
    ['2 an unknown option', ['check', 'good', '--bogus'], 2],
    ['2 a missing argument', ['check'], 2],
    ['2 an unknown issue', ['check', 'none'], 2],
    ['2 no newsletter there', ['check', 'good', '--dir', '/nowhere'], 2],
    ['3 a check', ['check', 'unfinished'], 3],
    ['3 a check in the way', ['send', 'unfinished', '--yes'], 3],
    ['3 nobody to say yes', ['send', 'good'], 3],
    ['3 nobody to send to', ['send', 'good', '--yes'], 3],
  ])('%s', async (_, args, expected) => {
    const { code, stdout, stderr } = await broadsheet(dir, args);
    expect(code, stderr).toBe(expected);
    if (expected !== 0) expect(stdout + stderr).not.toMatch(/\n\s+at /);
  });
});

describe('--json', () => {
  test('is one object for a failure, with code, place and what to do', async () => {
    const { code, stdout } = await broadsheet(dir, ['--json', 'send', 'unfinished', '--yes']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'checks-failed', file: 'issues/unfinished/issue.md', line: 11 },
    });
  });

  test('is one object for wrong use', async () => {
    const { stdout } = await broadsheet(dir, ['check', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'usage', message: expect.stringContaining('issue') },
    });
  });

  test('is one object per line for a list', async () => {
    const { stdout } = await broadsheet(dir, ['schedule', 'next', '--json']);
    const slots = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(slots).toHaveLength(5);
    expect(slots[0]).toMatchObject({
      zone: 'Asia/Shanghai',
      local: expect.stringMatching(/T09:00$/),
    });
  });

  test('of draft tiles the source and writes nothing', async () => {
    const source = join(temporaryDirectory(), 'talk.txt');
    const text = '微软推出新模型phi-1.5。腾讯健康公布医疗大模型。';
    writeFileSync(source, `\uFEFF${text}`);
    const { code, stdout } = await broadsheet(dir, ['draft', source, '--json']);
    expect(code).toBe(0);
    const { sources, items } = JSON.parse(stdout);
    const [first] = sources[0].segments;
    expect(first.start).toBe(0);
    expect(sources[0].segments.at(-1).end).toBe(text.length);
    expect(items[0]).toMatchObject({ source: { name: 'talk.txt' }, also: [] });
    expect(readdirSync(join(dir, 'issues')).sort()).toEqual(['good', 'unfinished']);
  });
});

test('--quiet leaves data and errors only', async () => {
  const { stdout, stderr } = await broadsheet(dir, ['check', 'good', '--quiet']);
  expect(stdout + stderr).toBe('');
});

test('NO_COLOR leaves no escapes', async () => {
  const { stderr } = await broadsheet(dir, ['check', 'none'], { NO_COLOR: '1', FORCE_COLOR: '' });
  expect(stderr).not.toContain('\u001b');
});

test('secrets appear in no output', async () => {
  const env = {
    SMTP_URL: 'smtp://user:hunter2@relay.example.com:99999',
    SECRET_KEYS: 'k1:short-secret',
  };
  const { code, stdout, stderr } = await broadsheet(dir, ['send', 'good', '--yes'], env);
  expect(code).toBe(2);
  expect(stderr).toMatch(/SMTP_URL|SECRET_KEYS/);
  expect(stdout + stderr).not.toMatch(/hunter2|short-secret/);
});

describe('doctor', () => {
  test('D-34: examines a new newsletter, and fails nothing that mails nobody', async () => {
    const { code, stdout } = await broadsheet(dir, ['doctor', '--json']);
    expect(code).toBe(0);
    const ids = JSON.parse(stdout).map(({ id }: { id: string }) => id);
    expect(ids).toEqual(expect.arrayContaining(['settings', 'database', 'spf', 'dmarc', 'site']));
    expect(ids).not.toContain('relay');
  });

  test('exit 3: every mistake in the settings is a line, with its place', async () => {
    const home = newsletterDirectory();
    const path = join(home, 'config/newsletter.yaml');
    const broken = readFileSync(path, 'utf8')
      .replace('language: zh-CN', 'language: "?"')
      .replace('signer: none', 'signer: me');
    writeFileSync(path, broken);
    const { code, stdout, stderr } = await broadsheet(home, ['doctor'], { FORCE_COLOR: '' });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^fail {2}Settings config\/newsletter\.yaml:4:\d+: .*language/m);
    expect(stdout.match(/^fail/gm)).toHaveLength(2);
    expect(stderr).toContain('2 failures');
  });

  test('a secret that cannot be read is a failure, and is not shown', async () => {
    const { code, stdout, stderr } = await broadsheet(dir, ['doctor'], { SMTP_URL: 'hunter2' });
    expect(code).toBe(3);
    expect(stdout).toContain('SMTP_URL is no smtp://');
    expect(stdout + stderr).not.toContain('hunter2');
  });

  test('D-49: check warns of a personal mailbox as well', async () => {
    const home = newsletterDirectory();
    writeIssue(home, 'good');
    const path = join(home, 'config/newsletter.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('channel: outbox', 'channel: smtp'));
    const env = { SMTP_URL: 'smtps://weekly:hunter2@smtp.qq.com' };
    const { code, stdout } = await broadsheet(home, ['check', 'good'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('smtp.qq.com mails from weekly@qq.com alone');
    expect(stdout).not.toContain('hunter2');
  });
});

test('from init to outbox: a new newsletter in six commands', async () => {
  const home = join(temporaryDirectory(), 'my-weekly');
  const ran = async (...args: string[]) => {
    const { code, stdout, stderr } = await broadsheet(home, args);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  expect((await broadsheet('.', ['init', home])).code).toBe(0);
  expect(readdirSync(home).sort()).toEqual(['.gitignore', 'config', 'issues', 'templates']);
  expect((await broadsheet('.', ['init', home])).code).toBe(3);

  cpSync('issues/2023-09-w3/transcript.txt', join(home, 'talk.txt'));
  expect(await ran('draft', 'talk.txt', '--issue', '2023-09-w3')).toContain('16 items');
  cpSync('issues/2023-09-w3/issue.md', join(home, 'issues/2023-09-w3/issue.md'));
  await ran('check', '2023-09-w3');
  await ran('render', '2023-09-w3', '--out', 'out');
  expect(readdirSync(join(home, 'out')).length).toBeGreaterThanOrEqual(4);
  writeFileSync(join(home, 'list.csv'), 'email,name\nana@example.com,Ana\nben@example.com,Ben\n');
  await ran('subscribers', 'import', 'list.csv');
  expect(await ran('send', '2023-09-w3', '--yes')).toMatch(/accepted +2/);
  expect(readdirSync(join(home, 'var/outbox/campaign-1'))).toHaveLength(2);
  expect(existsSync(join(home, 'var/broadsheet.db'))).toBe(true);
  expect(await ran('subscribers', 'show', 'ana@example.com')).toContain('2023-09-w3  accepted');
  expect(await ran('subscribers', 'export')).toContain('ana@example.com,Ana');
});

test('a reader that has enough, as `| head` has, is no failure', async () => {
  const home = newsletterDirectory();
  cpSync('issues/2023-09-w3/transcript.txt', join(home, 'talk.txt'));
  const child = start(home, ['draft', 'talk.txt', '--json']);
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout?.destroy();
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(stderr).not.toContain('EPIPE');
});
