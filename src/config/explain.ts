/** zod's findings in words: what is wrong at which path, what is allowed, what was probably meant. */
import { z } from 'zod';

export interface Explained {
  path: (string | number)[];
  /** The mistake is the key, not its value. */
  onKey: boolean;
  message: string;
  hint?: string;
}

const SECRET =
  /(^|_)(pass(word)?|secret(key)?s?|smtp_?url|database_?url|private_?key|dkim_?key|api_?key|token)$/i;

/** One finding of zod; several unknown keys become several mistakes. */
export function explain(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): Explained[] {
  const path = issue.path as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => unknownKey([...path, key], known));
  }
  return [{ path, onKey: false, ...describe(issue, path, value) }];
}

function unknownKey(path: (string | number)[], known: string[]): Explained {
  const key = String(path.at(-1));
  const name = path.join('.');
  if (SECRET.test(key)) {
    return {
      path,
      onKey: true,
      message: `${name}: a secret does not belong into a settings file`,
      hint: 'Put it into the environment or config/.env; config/.env.example names the variables.',
    };
  }
  const meant = nearest(key, known);
  const hint = meant ? `Did you mean "${meant}"?` : `Known here: ${known.join(', ')}.`;
  return { path, onKey: true, message: `${name}: there is no such setting`, hint };
}

function describe(issue: z.core.$ZodIssue, path: (string | number)[], value: unknown) {
  const name = path.join('.') || 'the file';
  const given = valueAt(value, path);
  if (issue.code === 'custom' && issue.message.startsWith('is missing'))
    return { message: `${name} ${issue.message}` };
  if (given === undefined) return { message: `${name} is missing` };
  if (issue.code === 'invalid_value') {
    return {
      message: `${name}: ${show(given)} is not allowed`,
      hint: `Allowed: ${issue.values.join(', ')}.`,
    };
  }
  if (issue.code === 'invalid_type') {
    return { message: `${name}: must be ${typeName(issue.expected)}, not ${show(given)}` };
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const bound =
      issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
    if (issue.origin !== 'string')
      return { message: `${name}: must be ${bound}, not ${show(given)}` };
  }
  const repeats = typeof given === 'object' || issue.message.includes(show(given));
  return { message: `${name}: ${issue.message}${repeats ? '' : `, not ${show(given)}`}` };
}

function typeName(expected: string): string {
  const names: Record<string, string> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a group of settings',
  };
  return names[expected] ?? expected;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function valueAt(value: unknown, path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (at as Record<string | number, unknown> | undefined)?.[key],
    value,
  );
}

/** Keys that the schema knows at a path; the JSON Schema is the simplest way to ask. */
function keysAt(schema: z.ZodType, path: (string | number)[]): string[] {
  const whole = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  /** What refers to itself (a condition in a condition) stands among the definitions. */
  const resolved = (at: JsonSchema | undefined) =>
    at?.$ref ? whole.$defs?.[at.$ref.replace('#/$defs/', '')] : at;
  let at: JsonSchema | undefined = whole;
  for (const key of path) {
    const next: JsonSchema | undefined =
      typeof key === 'number' ? at?.items : (at?.properties?.[key] ?? at?.additionalProperties);
    at = resolved(next);
  }
  return Object.keys(at?.properties ?? {});
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
}

/** The known key that differs by the fewest letters, if by less than half of them. */
function nearest(key: string, known: string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(1, Math.floor(best.name.length / 2.5))
    ? best.name
    : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
