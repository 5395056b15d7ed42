/** Custom fields of readers: what an owner writes down beside name, language and tags, by the settings. */
import type { FieldKind, Fields } from '../config/settings.ts';
import { inputError } from '../errors.ts';

/** By the name of the field; days as `2026-11-25`, true and false as `yes` and `no`. */
export type FieldValues = Record<string, string | number>;

/** Longest text of a field, UTF-16 code units. */
const LONGEST = 500;

const NUMBER = /^-?\d{1,15}([.,]\d{1,9})?$/;
const DAY = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?([T ].*)?$/;
const YES = ['yes', 'true', '1', 'y', '是'];
const NO = ['no', 'false', '0', 'n', '否'];

/**
 * Reads values as a person or a file writes them; empty ones are left out.
 * @throws BroadsheetError `field-unknown`, `field-invalid`
 */
export function parseFields(given: Record<string, string>, fields: Fields): FieldValues {
  const values: FieldValues = {};
  for (const [name, text] of Object.entries(given)) {
    const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (kind === undefined) throw unknownField(name, fields);
    const value = text.trim() && fieldValue(text.trim(), kind);
    if (value === undefined) throw inputError('field-invalid', notA(name, text, kind));
    if (value !== '') values[name] = value;
  }
  return values;
}

/** As the export writes it and `parseFields` reads it. */
export function fieldText(value: string | number | undefined): string {
  return value === undefined ? '' : String(value);
}

/** The value that a text stands for; undefined where it stands for none. */
function fieldValue(text: string, kind: FieldKind): string | number | undefined {
  if (typeof kind !== 'string') {
    const lower = text.toLowerCase();
    return kind.find((choice) => choice.toLowerCase() === lower);
  }
  if (kind === 'number') return NUMBER.test(text) ? Number(text.replace(',', '.')) : undefined;
  if (kind === 'date') return dayOf(text);
  if (kind === 'boolean') return yesOrNo(text.toLowerCase());
  return text.length > LONGEST || /\p{Cc}/u.test(text) ? undefined : text;
}

/** Year first; which of 03/04/2024 is the month, nobody can know. */
function dayOf(text: string): string | undefined {
  const [, year = '', month = '', day = ''] = DAY.exec(text) ?? [];
  const last = LAST_DAYS[Number(month) - 1] ?? 0;
  const isDay =
    Number(day) >= 1 && Number(day) <= (last === 28 && isLeap(Number(year)) ? 29 : last);
  return isDay ? `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` : undefined;
}

/** By month. */
const LAST_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function yesOrNo(text: string): string | undefined {
  if (YES.includes(text)) return 'yes';
  return NO.includes(text) ? 'no' : undefined;
}

function notA(name: string, text: string, kind: FieldKind): string {
  const shown = JSON.stringify(text).slice(0, 60);
  const wanted = {
    text: `of at most ${LONGEST} characters without control characters`,
    number: 'a number such as 12 or 3.5',
    date: 'a day with the year first, such as 2026-11-25',
    boolean: 'yes or no',
  };
  const what = typeof kind === 'string' ? wanted[kind] : `one of ${kind.join(', ')}`;
  return `${name} ${shown} is not ${what}`;
}

function unknownField(name: string, fields: Fields) {
  return inputError('field-unknown', `There is no field "${name}"`, {
    hint: `Fields of the settings: ${Object.keys(fields).join(', ') || 'none; add them to config/newsletter.yaml'}.`,
  });
}
