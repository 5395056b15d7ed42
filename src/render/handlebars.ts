/** Handlebars on a short lead: strict, an instance per use, and each mistake with its file and line. */
import Handlebars from 'handlebars';
import { BroadsheetError, type Problem } from '../errors.ts';
import { type SlotName, slotMarker } from '../issue/email.ts';
import type { TemplateFile } from './templates.ts';
import { type Language, type Word, word } from './words.ts';

export interface Slot {
  name: SlotName;
  n: number;
}

export interface FillOptions {
  /** Of the words that the template says. */
  language: Language;
  /** BCP 47, of dates. */
  locale: string;
  /** Plain text: nothing is escaped. */
  plain?: boolean;
}

export interface Filled {
  output: string;
  /** Slots printed, in order. */
  slots: Slot[];
}

const OWN_HELPERS = ['slot', 'word', 'date'];
export const HELPERS: ReadonlySet<string> = new Set([
  ...OWN_HELPERS,
  'if',
  'unless',
  'each',
  'with',
  'lookup',
]);

/**
 * Fills in a template that has been checked.
 * @throws BroadsheetError `template-invalid` with file and line, for a field that the data do not have
 */
export function fillTemplate(
  template: TemplateFile,
  partials: Record<string, TemplateFile>,
  data: object,
  options: FillOptions,
): Filled {
  const slots: Slot[] = [];
  const engine = Handlebars.create();
  engine.registerHelper(helpers(options, slots));
  for (const [name, file] of Object.entries(partials)) {
    engine.registerPartial(name, compileTemplate(engine, file, options));
  }
  const fill = compileTemplate(engine, template, options);
  const output = fill(data, {
    allowProtoPropertiesByDefault: false,
    allowProtoMethodsByDefault: false,
  });
  return { output, slots };
}

type Engine = ReturnType<typeof Handlebars.create>;

/** A compiled template whose errors name its file: Handlebars itself knows only the line. */
function compileTemplate(engine: Engine, { file, source }: TemplateFile, { plain }: FillOptions) {
  const compiled = engine.compile(source, {
    strict: true,
    knownHelpersOnly: true,
    knownHelpers: Object.fromEntries(OWN_HELPERS.map((name) => [name, true])),
    preventIndent: true,
    noEscape: plain ?? false,
  });
  return (context: unknown, options?: Handlebars.RuntimeOptions): string => {
    try {
      return compiled(context, options);
    } catch (error) {
      if (error instanceof BroadsheetError) throw error;
      throw new BroadsheetError('input', 'template-invalid', problemOf(error as Error, file));
    }
  };
}

function helpers(
  { language, locale }: FillOptions,
  slots: Slot[],
): Record<string, Handlebars.HelperDelegate> {
  return {
    /** `{{slot 'web'}}` prints the marker of the next use of the slot. */
    slot(name: SlotName) {
      const n = slots.filter((slot) => slot.name === name).length + 1;
      slots.push({ name, n });
      return slotMarker(name, n);
    },
    /** `{{word 'why' name=newsletter}}` */
    word(key: Word, options: Handlebars.HelperOptions) {
      return word(language, key, options.hash);
    },
    /** `{{date issue.date month='long' day='numeric'}}`: options of Intl.DateTimeFormat. */
    date(day: string, options: Handlebars.HelperOptions) {
      const format = new Intl.DateTimeFormat(locale, { ...options.hash, timeZone: 'UTC' });
      return format.format(new Date(`${day}T00:00:00Z`));
    },
  };
}

/** The template as Handlebars' syntax tree, or what it does not understand. */
export function parseTemplate({ file, source }: TemplateFile): hbs.AST.Program | Problem {
  try {
    return Handlebars.parse(source);
  } catch (error) {
    return problemOf(error as Error, file);
  }
}

/** Handlebars puts the place into some errors as fields, into others as words. */
function problemOf(error: Error & { lineNumber?: number; column?: number }, file: string): Problem {
  const [first = '', ...rest] = error.message.split('\n');
  const line =
    error.lineNumber ?? (Number(/^Parse error on line (\d+)/.exec(first)?.[1] ?? 0) || undefined);
  const column = error.column === undefined ? undefined : error.column + 1;
  const message = /^Parse error/.test(first)
    ? `Not understood: ${rest.join(' ')}`
    : first.replace(/ - \d+:\d+$/, '');
  return { message, file, line, column };
}

/** Markup that templates print as it is; only `safeHtml` may have made it. */
export function trusted(html: string): Handlebars.SafeString {
  return new Handlebars.SafeString(html);
}
