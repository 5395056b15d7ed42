/** The settings: one schema. The three YAML files, the JSON Schema and the types all come from here. */
import { z } from 'zod';

const address = z.email({ error: 'must be an email address such as news@example.com' });

/** `30s`, `15m`, `6h`, `2d` → milliseconds. */
const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, { error: 'must be a duration such as 30s, 15m, 6h or 2d' })
  .describe('a duration: 30s, 15m, 6h, 2d');

export const newsletterSchema = z.strictObject({
  name: z.string().min(1).describe('The name that readers see'),
  slug: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
    .describe('Identity of the newsletter in the database; never change it'),
  language: z.string().describe('BCP 47 language of the issues, such as zh-CN or en'),
  sender: z.strictObject({
    name: z.string().min(1),
    address,
    replyTo: address.optional(),
    postalAddress: z.string().optional().describe('Shown in the footer; the law asks for it'),
  }),
  editor: address.optional().describe('Who approves issues and gets the notices'),
  listId: z.string().optional().describe('RFC 2919 List-ID; never change it. Default: slug.domain'),
  site: z.strictObject({
    url: z.url().describe('Public base address of the unsubscribe and archive pages'),
    listen: z.string().default('127.0.0.1:8080').describe('host:port of the public pages'),
  }),
  schedule: z
    .strictObject({
      cron: z.string().describe('Five cron fields'),
      zone: z.string().describe('IANA time zone'),
      catchUp: duration.default('6h'),
    })
    .optional(),
  delivery: z
    .strictObject({
      channel: z.enum(['outbox', 'smtp']).default('outbox'),
      connections: z.int().min(1).max(200).default(10),
      onUnknown: z.enum(['resend', 'hold']).default('resend'),
      expireAfter: duration.default('48h'),
    })
    .prefault({}),
  dkim: z
    .strictObject({
      signer: z.enum(['broadsheet', 'relay', 'none']).default('none'),
      domain: z.string().optional(),
      selector: z.string().optional(),
    })
    .prefault({}),
  template: z.string().default('weekly').describe('Name of the files in templates/'),
  show: z
    .strictObject({
      items: z.int().min(1).optional().describe('How many items a source has, where that is known'),
      granularity: z.enum(['short', 'normal', 'long']).default('normal'),
      cues: z.array(z.string()).default([]),
      greetings: z.array(z.string()).default([]),
      farewells: z.array(z.string()).default([]),
    })
    .prefault({}),
});

export const sectionsSchema = z.strictObject({
  sections: z.array(
    z.strictObject({
      id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
      name: z.strictObject({ zh: z.string(), en: z.string() }),
      weight: z.number().default(1).describe('Pull on the rank: 1 is neutral'),
      types: z.array(z.string()).default([]).describe('Glossary types that point to this section'),
      keywords: z.strictObject({
        zh: z.array(z.string()).default([]),
        en: z.array(z.string()).default([]),
      }),
    }),
  ),
});

export const ENTITY_TYPES = [
  'org', 'person', 'model', 'product', 'hardware', 'term', 'media', 'place', 'law', 'dataset',
] as const;

export const glossarySchema = z.strictObject({
  entries: z.array(
    z.strictObject({
      id: z.string().describe('The canonical spelling'),
      type: z.enum(ENTITY_TYPES),
      weight: z.number().min(0).max(1).default(0.3).describe('Prominence, 0 to 1'),
      forms: z.array(z.string()).default([]).describe('Further valid spellings, in any script'),
      aliases: z.array(z.string()).default([]).describe('Known wrong spellings, repaired to the id'),
    }),
  ),
  context: z
    .array(
      z.strictObject({
        from: z.string(),
        to: z.string(),
        near: z.string().describe('Regular expression; must match in the same sentence'),
      }),
    )
    .default([])
    .describe('Confusions that only their neighbourhood settles, such as 领头 → 领投 near 融资'),
  protected: z.array(z.string()).default([]).describe('Words that are never repaired'),
});

export type NewsletterSettings = z.infer<typeof newsletterSchema>;
export type SectionSettings = z.infer<typeof sectionsSchema>['sections'][number];
export type Glossary = z.infer<typeof glossarySchema>;
export type GlossaryEntry = Glossary['entries'][number];

export interface Settings extends NewsletterSettings {
  sections: SectionSettings[];
  glossary: Glossary;
}
