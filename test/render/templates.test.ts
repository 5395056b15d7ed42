import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadTemplates, templateFingerprint } from '../../src/render/templates.ts';
import { root, weekly } from './issues.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'templates-'));
  write('weekly.mjml.hbs', '<mjml></mjml>\n');
  write('weekly.txt.hbs', 'text\n');
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(file: string, source: string): void {
  const path = join(dir, 'templates', file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, source);
}

const fingerprint = () => templateFingerprint(loadTemplates(dir, 'weekly'));

describe('loading templates', () => {
  test('gives both parts, partials, pages and notices by name, each with its file', () => {
    write('partials/item.hbs', 'one item');
    write('pages/layout.hbs', 'a page');
    write('pages/page.css', 'p {}');
    write('notices/confirm.hbs', 'a mail');
    expect(loadTemplates(dir, 'weekly')).toEqual({
      mjml: { file: 'templates/weekly.mjml.hbs', source: '<mjml></mjml>\n' },
      notices: { confirm: { file: 'templates/notices/confirm.hbs', source: 'a mail' } },
      text: { file: 'templates/weekly.txt.hbs', source: 'text\n' },
      partials: { item: { file: 'templates/partials/item.hbs', source: 'one item' } },
      pages: { layout: { file: 'templates/pages/layout.hbs', source: 'a page' } },
    });
  });

  test('a template without partials and pages is one', () => {
    expect(loadTemplates(dir, 'weekly')).toMatchObject({ partials: {}, pages: {} });
  });

  test('a missing file is named', () => {
    expect(() => loadTemplates(dir, 'monthly')).toThrow(/^templates\/monthly\.mjml\.hbs: /);
  });

  test.each(['../weekly', '/etc/passwd', 'a/b', '', 'Weekly'])(
    '"%s" is refused as a name',
    (name) => {
      expect(() => loadTemplates(dir, name)).toThrow(/cannot be the name of a template/);
    },
  );

  test('a file may have 256 KB, not more', () => {
    write('partials/large.hbs', 'x'.repeat(256 * 1024));
    expect(() => loadTemplates(dir, 'weekly')).not.toThrow();
    write('partials/large.hbs', 'x'.repeat(256 * 1024 + 1));
    expect(() => loadTemplates(dir, 'weekly')).toThrow(/partials\/large\.hbs: 262145 bytes/);
  });

  test('line ends and a byte order mark make no difference', () => {
    const before = fingerprint();
    write('weekly.txt.hbs', '\uFEFFtext\r\n');
    expect(fingerprint()).toBe(before);
  });
});

describe('the fingerprint', () => {
  test('is the same for the same files, wherever they lie', () => {
    expect(fingerprint()).toMatch(/^[0-9a-f]{64}$/);
    expect(templateFingerprint(loadTemplates(root, 'weekly'))).toBe(templateFingerprint(weekly));
  });

  test.each(['weekly.mjml.hbs', 'weekly.txt.hbs', 'partials/new.hbs'])(
    'changes with %s',
    (file) => {
      const before = fingerprint();
      write(file, 'changed');
      expect(fingerprint()).not.toBe(before);
    },
  );

  test('does not change with a page, which is no part of a mail', () => {
    const before = fingerprint();
    write('pages/layout.hbs', 'changed');
    expect(fingerprint()).toBe(before);
  });
});
