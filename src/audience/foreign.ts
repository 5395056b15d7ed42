/** The exports of other tools, as they come: their columns, and what those say about consent. */
import { inputError } from '../errors.ts';
import {
  candidate,
  defaultsOf,
  isHeader,
  type Layout,
  type ReadRow,
  type RowText,
} from './columns.ts';
import { ACTIVE, PENDING, type Standing, standingOf, stricter, UNSUBSCRIBED } from './consent.ts';

export const TOOLS = ['listmonk', 'mailchimp', 'substack', 'ghost'] as const;
export type Tool = (typeof TOOLS)[number];

/** A cell by its header; empty where there is none. */
type Cell = (header: string) => string;

interface Export {
  /** Headers of which one has to be there, or nobody can tell who left. */
  needs: readonly string[];
  /** What to do about it. */
  hint: string;
  /** What the file as a whole says, by its name and columns; null: nothing. */
  file?(name: string, has: (header: string) => boolean): Standing | null;
  row(cell: Cell): Omit<RowText, 'fields' | 'language'> & { fields?: Record<string, string> };
}

const EXPORTS: Record<Tool, Export> = {
  // Subscribers → Export: uuid, email, name, attributes (JSON), status, created_at, updated_at.
  listmonk: {
    needs: ['status'],
    hint: 'Take the file that listmonk exports, as it is.',
    row: (cell) => ({
      email: cell('email'),
      name: cell('name'),
      tags: '',
      // The file has the status of the person, never that of a subscription: who left the list, or has not
      // confirmed, is "enabled" in it all the same.
      standing: cell('status') === 'enabled' ? '' : (standingOf(cell('status')) ?? cell('status')),
      source: 'listmonk',
      created: cell('created_at'),
      confirmed: '',
      fields: attributesOf(cell('attributes')),
    }),
    file: () => PENDING,
  },
  // Audience → Export: subscribed_…, unsubscribed_…, cleaned_… and nonsubscribed_….csv with Email Address, the merge
  // fields, MEMBER_RATING, OPTIN_TIME, CONFIRM_TIME, …, TAGS; UNSUB_TIME or CLEAN_TIME where they apply.
  mailchimp: {
    needs: ['email address'],
    hint: 'Unpack the ZIP file and import each of its files under the name that it has.',
    file: (name, has) => {
      if (has('clean_time')) return standingOf('cleaned') ?? null;
      if (has('unsub_time')) return UNSUBSCRIBED;
      const [word] = /^(subscribed|unsubscribed|nonsubscribed|cleaned)(?=[_. -])/.exec(name) ?? [];
      return word ? (standingOf(word) ?? null) : null;
    },
    row: (cell) => ({
      email: cell('email address'),
      name: `${cell('first name')} ${cell('last name')}`,
      tags: namesOf(cell('tags')),
      standing: cell('status'),
      source: 'mailchimp',
      created: cell('optin_time') || cell('confirm_time'),
      confirmed: cell('confirm_time'),
    }),
  },
  // Settings → Exports, email_list….csv: email, active_subscription, expiry, plan, email_disabled, created_at,
  // first_payment_at.
  substack: {
    needs: ['email_disabled'],
    hint: 'Take email_list….csv out of the export of the whole publication (Settings, Exports).',
    row: (cell) => ({
      email: cell('email'),
      name: cell('name'),
      tags: '',
      standing: truth(cell('email_disabled')) === false ? '' : UNSUBSCRIBED,
      source: 'substack',
      created: cell('created_at'),
      confirmed: '',
    }),
  },
  // Members → Export: id, email, name, note, subscribed_to_emails, complimentary_plan, stripe_customer_id, created_at,
  // deleted_at, labels, tiers.
  ghost: {
    needs: ['subscribed_to_emails'],
    hint: 'Take the file that Ghost exports under Members.',
    row: (cell) => ({
      email: cell('email'),
      name: cell('name'),
      tags: namesOf(cell('labels')),
      standing:
        truth(cell('subscribed_to_emails')) === true && !cell('deleted_at') ? '' : UNSUBSCRIBED,
      source: 'ghost',
      created: cell('created_at'),
      confirmed: '',
    }),
  },
};

/**
 * Reads the rows of a tool's export. Columns that are called like a field of the settings become it.
 * @param layout.standing what all rows are, said by the owner; a row that says worse wins
 * @throws BroadsheetError `export-unknown` where the file does not say who may be mailed
 */
export function readerOfExport(
  tool: Tool,
  header: readonly string[],
  layout: Layout,
  name: string,
): ReadRow {
  const known = EXPORTS[tool];
  const words = header.map((cell) => cell.trim().toLowerCase());
  const has = (word: string) => words.includes(word);
  if (!isHeader(header) || !known.needs.some(has)) throw notAnExport(tool, header, name);
  const own = known.file?.(name.toLowerCase(), has);
  const whole = wholeFile(own, layout.standing, tool);
  if (whole === null) throw unknownStanding(tool, name);
  const at = new Map(words.map((word, index) => [word, index]));
  const names = Object.keys(layout.fields).filter((field) => at.has(field));
  const defaults = defaultsOf(layout);
  return (cells) => {
    const cell: Cell = (word) => (cells[at.get(word) ?? -1] ?? '').trim();
    const { fields = {}, ...row } = known.row(cell);
    const given = Object.fromEntries(names.map((field) => [field, cell(field)]));
    const declared = Object.entries(fields).filter(([field]) =>
      Object.hasOwn(layout.fields, field),
    );
    return candidate(
      { ...row, language: languageOf(cell), fields: { ...given, ...Object.fromEntries(declared) } },
      { ...layout, standing: whole },
      defaults,
    );
  };
}

/** What the owner says counts where the file cannot know; it never makes better what the file does know. */
function wholeFile(
  own: Standing | null | undefined,
  said: Standing | undefined,
  tool: Tool,
): Standing | null {
  if (own === null) return said ?? null;
  if (own === undefined) return said ?? ACTIVE;
  return tool === 'listmonk' ? (said ?? own) : stricter(own, said ?? own);
}

/** Only what is a language tag: a column of that name may hold anything. */
function languageOf(cell: Cell): string {
  const text = cell('language').replace('_', '-');
  return /^[A-Za-z]{2,3}(-[A-Za-z]{2,4})?$/.test(text) ? text : '';
}

/** `"VIP customers","Blog"` or `VIP customers, Blog` → tags; a tag has no blanks. */
export function namesOf(text: string): string[] {
  return text
    .split(',')
    .map((name) =>
      name
        .replace(/["\\]/g, '')
        .trim()
        .replace(/[\s;|]+/g, '-'),
    )
    .filter(Boolean);
}

function truth(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (word === 'true' || word === '1') return true;
  return word === 'false' || word === '0' ? false : undefined;
}

/** listmonk's attributes, of which those count that the settings know. Lists and groups are left out. */
export function attributesOf(json: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(json || '{}');
    const entries = Object.entries(value ?? {}).filter(([, each]) =>
      ['string', 'number', 'boolean'].includes(typeof each),
    );
    return Object.fromEntries(entries.map(([name, each]) => [name.toLowerCase(), String(each)]));
  } catch {
    return {};
  }
}

function notAnExport(tool: Tool, header: readonly string[], file: string) {
  const needs = EXPORTS[tool].needs.map((word) => `"${word}"`).join(' or ');
  return inputError('export-unknown', `This is no export of ${tool}: it has no column ${needs}`, {
    file,
    line: 1,
    hint: `${EXPORTS[tool].hint} The first line says: ${header.join(', ').slice(0, 100)}`,
  });
}

function unknownStanding(tool: Tool, file: string) {
  return inputError(
    'export-standing-unknown',
    'Nothing says whether these readers are subscribed',
    {
      file,
      hint: `${EXPORTS[tool].hint} Or say it: --state active, pending, unsubscribed or suppressed.`,
    },
  );
}
