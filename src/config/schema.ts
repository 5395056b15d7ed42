/**
 * The JSON Schemas that editors use to check config/*.yaml while somebody types.
 * After a change of settings.ts: `node src/config/schema.ts` writes them anew.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { glossarySchema, newsletterSchema, sectionsSchema } from './settings.ts';

const SCHEMAS = {
  newsletter: newsletterSchema,
  sections: sectionsSchema,
  glossary: glossarySchema,
};

/** File name → contents of each schema file in config/. */
export function schemaFiles(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(SCHEMAS).map(([name, schema]) => {
      const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
      return [`${name}.schema.json`, `${JSON.stringify(json, null, 2)}\n`];
    }),
  );
}

if (import.meta.main) {
  const config = join(import.meta.dirname, '..', '..', 'config');
  for (const [name, text] of Object.entries(schemaFiles())) writeFileSync(join(config, name), text);
}
