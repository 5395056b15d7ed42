/** The template files of a newsletter, read once and then plain data. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inputError } from '../errors.ts';

/** What one template file may weigh, bytes. The largest that ships has a few thousand. */
const LARGEST_FILE = 256 * 1024;

const NAME = /^[a-z0-9][a-z0-9-]*$/;

export interface TemplateFile {
  /** Path from the newsletter's directory, with `/`: what a message names. */
  file: string;
  source: string;
}

export interface Templates {
  /** `templates/NAME.mjml.hbs` */
  mjml: TemplateFile;
  /** `templates/NAME.txt.hbs` */
  text: TemplateFile;
  /** `templates/partials/NAME.hbs`, by name. */
  partials: Record<string, TemplateFile>;
  /** `templates/pages/NAME.hbs`, by name. */
  pages: Record<string, TemplateFile>;
  /** `templates/notices/NAME.hbs`, by name: mails to one person. */
  notices: Record<string, TemplateFile>;
}

/**
 * Reads a template and everything it may draw on.
 * @param dir the newsletter's directory, the one that holds `templates/`
 * @param name of the two files, such as `weekly`
 * @throws BroadsheetError `template-missing`, `template-invalid` for a file above 256 KB
 */
export function loadTemplates(dir: string, name: string): Templates {
  if (!NAME.test(name)) throw badName(name);
  return {
    mjml: readTemplate(dir, `templates/${name}.mjml.hbs`),
    text: readTemplate(dir, `templates/${name}.txt.hbs`),
    partials: readFolder(dir, 'templates/partials'),
    pages: readFolder(dir, 'templates/pages'),
    notices: readFolder(dir, 'templates/notices'),
  };
}

/**
 * One value for all that shapes a mail: changes when any file of it does. Pages and notices are no part of it.
 * @returns SHA-256, hex
 */
export function templateFingerprint(templates: Templates): string {
  const files = [templates.mjml, templates.text, ...Object.values(templates.partials)];
  const contents = files.map(({ file, source }) => [file, source]).sort(byFile);
  return createHash('sha256').update(JSON.stringify(contents)).digest('hex');
}

function byFile([a = '']: string[], [b = '']: string[]): number {
  return a < b ? -1 : 1;
}

function readFolder(dir: string, folder: string): Record<string, TemplateFile> {
  const files = listFolder(join(dir, folder)).filter((file) => file.endsWith('.hbs'));
  return Object.fromEntries(
    files
      .sort()
      .map((file) => [file.slice(0, -'.hbs'.length), readTemplate(dir, `${folder}/${file}`)]),
  );
}

/** A template without partials or pages has no such folder. */
function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Line ends are made `\n`, so that a checkout on Windows gives the same bytes and fingerprint. */
function readTemplate(dir: string, file: string): TemplateFile {
  const bytes = readBytes(join(dir, file), file);
  if (bytes.length > LARGEST_FILE) throw tooLarge(file, bytes.length);
  const source = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n');
  return { file, source };
}

function readBytes(path: string, file: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missing(file);
    throw error;
  }
}

function badName(name: string) {
  return inputError('template-missing', `"${name}" cannot be the name of a template`, {
    file: 'config/newsletter.yaml',
    hint: 'Small letters, digits and hyphens, such as weekly for templates/weekly.mjml.hbs.',
  });
}

function missing(file: string) {
  return inputError('template-missing', 'There is no such template file', {
    file,
    hint: 'See "template" in config/newsletter.yaml; `broadsheet init` writes the usual files.',
  });
}

function tooLarge(file: string, bytes: number) {
  return inputError('template-invalid', `${bytes} bytes; a template may have ${LARGEST_FILE}`, {
    file,
    hint: 'Pictures belong on the web, not into the template.',
  });
}
