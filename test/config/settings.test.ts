import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadSettings, openSettings } from '../../src/config/load.ts';
import { schemaFiles } from '../../src/config/schema.ts';
import { temporaryDirectory } from '../support/newsletter.ts';

describe('settings', () => {
  test('of the bundled newsletter are complete: what is left out has its default', () => {
    const settings = loadSettings('.');
    expect(settings).toMatchObject({
      slug: 'ai-weekly',
      listId: 'ai-weekly.news.example.com',
      schedule: { zone: 'Asia/Shanghai', catchUp: 6 * 3_600_000 },
      delivery: {
        channel: 'outbox',
        connections: 10,
        onUnknown: 'resend',
        expireAfter: 48 * 3_600_000,
      },
      dkim: { signer: 'none' },
      template: 'weekly',
    });
    expect(settings.sections.length).toBeGreaterThan(5);
    expect(settings.glossary.entries.length).toBeGreaterThan(200);
  });

  test('of a directory without them say how to get some', () => {
    expect(() => loadSettings('test')).toThrow(
      /no config\/newsletter.yaml\n {2}.*broadsheet init/s,
    );
  });
});

describe('settings of a command that drafts nothing', () => {
  test('are the same, read piece by piece', () => {
    expect({ ...openSettings('.') }).toEqual(loadSettings('.'));
  });

  test('tell a mistake in sections or glossary when these are asked for, each its own', () => {
    const dir = temporaryDirectory();
    cpSync('config', join(dir, 'config'), { recursive: true });
    writeFileSync(join(dir, 'config', 'glossary.yaml'), 'entries: 1\n');
    expect(openSettings(dir).sections).toEqual(loadSettings('.').sections);
    writeFileSync(join(dir, 'config', 'sections.yaml'), 'sections: 1\n');
    const settings = openSettings(dir);
    expect(settings.slug).toBe('ai-weekly');
    expect(() => settings.sections).toThrow(/^config\/sections.yaml:1:\d+: [^\n]*$/);
    expect(() => settings.glossary).toThrow(/^config\/glossary.yaml:1:\d+: [^\n]*$/);
  });

  test('tell every mistake at once when the first file has one', () => {
    const dir = join('test/bad-config', 'mistakes-in-two-files');
    const expected = readFileSync(join(dir, 'expected.txt'), 'utf8').trimEnd();
    expect(() => openSettings(dir)).toThrow(expected);
  });
});

describe('a bad configuration gives its message', () => {
  const cases = readdirSync('test/bad-config').filter((name) =>
    existsSync(`test/bad-config/${name}/expected.txt`),
  );

  test('there is a folder of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(30);
  });

  test.each(cases)('%s', (name) => {
    const dir = join('test/bad-config', name);
    const expected = readFileSync(join(dir, 'expected.txt'), 'utf8').trimEnd();
    let message = 'no error';
    try {
      loadSettings(dir);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toBe(expected);
  });
});

describe('the JSON Schema', () => {
  test.each(Object.entries(schemaFiles()))(
    'config/%s is the one that the code gives',
    (name, text) => {
      expect(readFileSync(join('config', name), 'utf8')).toBe(text);
    },
  );

  test.each(['newsletter', 'sections', 'glossary'])(
    'accepts the bundled config/%s.yaml',
    (name) => {
      const schema = JSON.parse(readFileSync(`config/${name}.schema.json`, 'utf8'));
      const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
      expect(
        validate(parse(readFileSync(`config/${name}.yaml`, 'utf8'))),
        JSON.stringify(validate.errors),
      ).toBe(true);
    },
  );

  test('refuses a misspelt key, as the program does', () => {
    const schema = JSON.parse(readFileSync('config/newsletter.schema.json', 'utf8'));
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    const settings = parse(readFileSync('config/newsletter.yaml', 'utf8'));
    expect(validate({ ...settings, nmae: 'x' })).toBe(false);
  });
});
