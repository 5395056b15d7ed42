/** The settings: one schema. The three YAML files, the JSON Schema and the types all come from here. */
import { isIP } from 'node:net';
import { z } from 'zod';

// Settings are read once: making code for a schema, which zod does otherwise, takes longer than it saves.
z.config({ jitless: true });

const address = z.email({ error: 'must be an email address such as news@example.com' });

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Written `30s`, `15m`, `6h` or `2d`; read as milliseconds. */
const duration = z
  .string()
  .regex(/^\d{1,6}[smhd]$/, { error: 'must be a duration such as 30s, 15m, 6h or 2d' })
  .transform((text) => Number.parseInt(text, 10) * UNITS[text.at(-1) as keyof typeof UNITS])
  .describe('A duration: 30s, 15m, 6h, 2d');

/** Has room for `+DELIVERY.MAC` before the @ (RFC 5321 4.5.3.1.1). */
const bounceAddress = address.regex(/^[a-z0-9][a-z0-9._-]{0,30}@/, {
  error: 'must have at most 31 small letters, digits, dots, hyphens before the @, and no +',
});

/** One line of text for a header: no control characters. */
const line = z
  .string()
  .min(1, { error: 'must not be empty' })
  .regex(/^[^\x00-\x1f\x7f]+$/, { error: 'must be one line without control characters' });

/** Mails at most; none: as fast as it goes. */
const rate = z.strictObject({
  perSecond: z.number().positive().max(100_000).optional(),
  perMinute: z.number().positive().max(6_000_000).optional(),
  perDay: z.int().min(1).optional().describe('In any 24 hours'),
});

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, {
  error: 'must have lower-case letters, digits and hyphens only, at most 64',
});

const language = z
  .string()
  .refine(isLanguage, { error: 'must be a language tag such as zh-CN or en' });

/** An address or a range of addresses of the network. */
const network = z
  .string()
  .refine(isNetwork, { error: 'must be an IP address or range such as 127.0.0.1 or 10.0.0.0/8' });

/** So many at once, and so many per day (W-09). */
const limits = z
  .strictObject({
    network: z
      .strictObject({
        atOnce: z.int().min(1).default(5).describe('Sign-ups within ten minutes'),
        perDay: z.int().min(1).default(20),
      })
      .prefault({})
      .describe('From one network (IPv4 /24, IPv6 /56)'),
    address: z
      .strictObject({
        every: duration.prefault('24h').describe('Between two mails to the same address'),
        total: z.int().min(1).default(3).describe('Until it has been confirmed'),
      })
      .prefault({})
      .describe('To one address that has not confirmed'),
    domain: z
      .strictObject({ perHour: z.int().min(1).default(30) })
      .prefault({})
      .describe('To one mail domain; the large providers are exempt'),
    overall: z
      .strictObject({ perHour: z.int().min(1).default(100) })
      .prefault({})
      .describe('To everybody together'),
  })
  .prefault({})
  .describe('How many mails strangers can cause by the sign-up form');

const subscribe = z
  .strictObject({
    open: z.boolean().default(true).describe('Whether new readers are taken'),
    wording: z
      .strictObject({ zh: line.optional(), en: line.optional() })
      .optional()
      .describe('What readers agree to, said above the button; goes into the consent log'),
    version: line
      .max(40)
      .optional()
      .describe('Names the wording in the consent log; change it with the wording'),
    privacy: z
      .url({
        protocol: /^https?$/,
        error: 'must be an address such as https://example.com/privacy',
      })
      .optional()
      .describe('Your privacy notice, linked from the form'),
    sender: address.optional().describe('From address of confirmations; default: sender.address'),
    blockedDomains: z
      .array(z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, { error: 'must be a domain' }))
      .default([])
      .describe('Mail domains that get no confirmation'),
    limits,
  })
  .superRefine(({ wording, version }, context) => {
    if (!wording || version) return;
    const message =
      'is missing: subscribe.wording needs a name in the consent log, such as "2026-11"';
    context.addIssue({ code: 'custom', path: ['version'], message });
  });

/** What is kept of readers beside name and language: a kind of value, or the values to choose from. */
const field = z.union(
  [
    z.enum(['text', 'number', 'date', 'boolean']),
    z.array(line.max(100)).min(1).describe('The values to choose from'),
  ],
  { error: 'must be text, number, date, boolean, or a list of values such as [free, paid]' },
);

/** Taken by what every reader has. */
const OWN_COLUMNS = ['email', 'name', 'language', 'tags', 'state', 'reason', 'source', 'created'];

const fields = z.record(id, field).superRefine((all, context) => {
  for (const name of Object.keys(all).filter((each) => OWN_COLUMNS.includes(each))) {
    const message = `"${name}" is the name of what every reader has; choose another one`;
    context.addIssue({ code: 'custom', path: [name], message });
  }
});

const day = z.iso.date({ error: 'must be a day such as 2026-11-25' });

/** One condition on a reader: says one thing, by its one key; only `field` goes with what is asked of it. */
const condition = z
  .strictObject({
    get all() {
      return z.array(condition).min(1).optional().describe('Each of these');
    },
    get any() {
      return z.array(condition).min(1).optional().describe('At least one of these');
    },
    get not() {
      return condition.optional().describe('Whom this is not true of');
    },
    tag: line.optional().describe('Has this tag'),
    language: language.optional().describe('Reads this language; zh means zh-CN as well'),
    joined: z
      .strictObject({
        before: day.optional(),
        after: day.optional(),
        within: duration.optional().describe('Not longer ago than'),
      })
      .optional()
      .describe('When the reader agreed; days begin at 0:00 UTC'),
    field: id
      .optional()
      .describe('A field of readers, with one of: is, in, before, after, above, below, known'),
    is: z.union([z.string(), z.number(), z.boolean()]).optional(),
    in: z
      .array(z.union([z.string(), z.number()]))
      .min(1)
      .optional(),
    before: day.optional(),
    after: day.optional(),
    above: z.number().optional(),
    below: z.number().optional(),
    known: z.boolean().optional().describe('Whether there is a value'),
  })
  .superRefine((value, context) => {
    for (const message of conditionMistakes(value)) context.addIssue({ code: 'custom', message });
  });

export const newsletterSchema = z
  .strictObject({
    name: line.describe('The name that readers see'),
    slug: id.describe('Identity of the newsletter in the database; never change it'),
    language: language.describe('Language of the issues, BCP 47'),
    sender: z.strictObject({
      name: line
        .refine((name) => !name.includes('@'), { error: 'must be a name, not an address' })
        .describe('Shown as the sender; keep it short'),
      address: address.describe('The From address'),
      replyTo: address.optional().describe('Read by a person'),
      postalAddress: z.string().optional().describe('Shown in the footer; the law asks for it'),
    }),
    editor: address.optional().describe('Who approves issues and gets the notices'),
    listId: z
      .string()
      .max(255)
      .regex(/^[\w-]+(\.[\w-]+)+$/, { error: 'must look like weekly.news.example.com' })
      .optional()
      .describe('List-ID (RFC 2919); never change it. Default: the slug and the sender’s domain'),
    site: z.strictObject({
      url: z
        .url({ protocol: /^https?$/, error: 'must be an address such as https://news.example.com' })
        .describe('Public base address of the pages for readers'),
      listen: z
        .string()
        .regex(/^[^\s:]+:\d{1,5}$/, { error: 'must be host:port, such as 127.0.0.1:8080' })
        .default('127.0.0.1:8080')
        .describe('Where the public pages are served on this machine'),
      assetBaseUrl: z
        .url({ protocol: /^https?$/, error: 'must be an address such as https://cdn.example.com' })
        .optional()
        .describe('Public base address of the pictures; default: site.url and /assets'),
      trustedProxies: z
        .array(network)
        .default([])
        .describe('Proxies whose X-Forwarded-For is believed, such as 127.0.0.1'),
      subscribe: subscribe.prefault({}),
    }),
    commercial: z
      .boolean()
      .default(false)
      .describe(
        'It advertises: the law then asks for a postal address and, in China, for 广告 or AD in the subject',
      ),
    check: z
      .strictObject({
        allow: z
          .array(z.string())
          .default([])
          .describe('Ids of findings that never stop a send; docs/checks.md lists them'),
      })
      .prefault({}),
    schedule: z
      .strictObject({
        cron: z
          .string()
          .regex(/^\S+( +\S+){4}$/, { error: 'must have five fields, such as "0 9 * * 1"' })
          .describe('Five cron fields'),
        zone: z
          .string()
          .refine(isZone, { error: 'must be an IANA time zone such as Asia/Shanghai' })
          .describe('IANA time zone'),
        catchUp: duration.prefault('6h').describe('How late a missed slot may still be sent'),
      })
      .optional(),
    delivery: z
      .strictObject({
        channel: z
          .enum(['outbox', 'smtp'])
          .default('outbox')
          .describe(
            'outbox writes .eml files into var/outbox; smtp mails to the relay in SMTP_URL',
          ),
        connections: z.int().min(1).max(200).default(10).describe('Connections to the relay'),
        onUnknown: z
          .enum(['resend', 'hold'])
          .default('resend')
          .describe('A mail whose fate is unknown: send it once more, or hold it for a person'),
        expireAfter: duration.prefault('48h').describe('How long a deferred mail is tried again'),
        rate: rate.prefault({}).describe('What the relay takes at most'),
        providers: z
          .strictObject({
            gmail: rate.optional(),
            yahoo: rate.optional(),
            microsoft: rate.optional(),
            apple: rate.optional(),
            qq: rate.optional(),
            netease: rate.optional(),
            other: rate.optional(),
          })
          .prefault({})
          .describe('What goes to the readers of one mailbox provider at most'),
        firstWave: z
          .strictObject({
            addresses: z
              .array(address)
              .min(1)
              .describe('Own mailboxes; they have to be on the list'),
            pause: duration.prefault('15m').describe('Until the others get it'),
          })
          .optional()
          .describe('The real mail goes to a few own mailboxes first; meanwhile it can be stopped'),
      })
      .prefault({}),
    bounces: z
      .strictObject({
        address: bounceAddress
          .optional()
          .describe(
            'Envelope sender: reports come to bounces+TOKEN@… of it. Default: the sender’s address',
          ),
        processed: line
          .default('Processed')
          .describe('IMAP folder that reports are moved to once they are written down'),
        every: duration
          .prefault('15m')
          .describe('How often serve reads the mailbox in BOUNCES_IMAP_URL'),
        ses: z
          .strictObject({
            topic: z
              .string()
              .regex(/^arn:aws(-cn)?:sns:[a-z0-9-]+:\d{12}:[\w.-]{1,256}$/, {
                error: 'must be the ARN of an SNS topic',
              })
              .describe('SNS topic whose notifications /webhooks/ses believes'),
          })
          .optional()
          .describe('Bounces and complaints of Amazon SES'),
      })
      .prefault({})
      .describe('Reports of mails that came back'),
    dkim: z
      .strictObject({
        signer: z
          .enum(['broadsheet', 'relay', 'none'])
          .default('none')
          .describe('Who signs: broadsheet with DKIM_PRIVATE_KEY, the relay, or nobody'),
        domain: z.string().optional().describe('d= of the signature'),
        selector: z.string().optional().describe('s= of the signature'),
      })
      .prefault({}),
    clicks: z
      .enum(['off', 'aggregate'])
      .default('off')
      .describe(
        'aggregate counts clicks by link and day; never who clicked. off leaves links alone',
      ),
    metrics: z
      .strictObject({
        listen: z
          .string()
          .regex(/^[^\s:]+:\d{1,5}$/, { error: 'must be host:port, such as 127.0.0.1:9464' })
          .describe('Where `serve` answers Prometheus at /metrics; keep it off the public network'),
      })
      .optional(),
    fields: fields
      .default({})
      .describe('What is kept of readers beside name, language and tags: company: text'),
    segments: z
      .record(id, condition)
      .default({})
      .describe('Parts of the list by name, for send --segment and subscribers list --segment'),
    template: z.string().default('weekly').describe('Name of the files in templates/'),
    show: z
      .strictObject({
        items: z
          .int()
          .min(1)
          .optional()
          .describe('How many items a source has, where that is known'),
        granularity: z.enum(['short', 'normal', 'long']).default('normal'),
        cues: z.array(z.string()).default([]),
        greetings: z.array(z.string()).default([]),
        farewells: z.array(z.string()).default([]),
        pauseWeight: z
          .number()
          .min(0)
          .max(5)
          .default(1)
          .describe('How much a silence in subtitles counts for a new item'),
      })
      .prefault({}),
  })
  .superRefine((settings, context) => {
    const mistakes = [...dkimMistakes(settings), ...segmentMistakes(settings)];
    for (const mistake of mistakes) context.addIssue({ code: 'custom', ...mistake });
  });

export const sectionsSchema = z.strictObject({
  sections: z
    .array(
      z.strictObject({
        id,
        name: z.strictObject({ zh: z.string(), en: z.string() }),
        weight: z.number().default(1).describe('Pull on the rank: 1 is neutral'),
        types: z
          .array(z.string())
          .default([])
          .describe('Glossary types that point to this section'),
        keywords: z.strictObject({
          zh: z.array(z.string()).default([]),
          en: z.array(z.string()).default([]),
        }),
      }),
    )
    .superRefine(uniqueIds),
});

export const ENTITY_TYPES = [
  'org',
  'person',
  'model',
  'product',
  'hardware',
  'term',
  'media',
  'place',
  'law',
  'dataset',
] as const;

export const glossarySchema = z.strictObject({
  entries: z
    .array(
      z.strictObject({
        id: z.string().describe('The canonical spelling'),
        type: z.enum(ENTITY_TYPES),
        weight: z.number().min(0).max(1).default(0.3).describe('Prominence, 0 to 1'),
        forms: z.array(z.string()).default([]).describe('Further valid spellings, in any script'),
        aliases: z
          .array(z.string())
          .default([])
          .describe('Known wrong spellings, repaired to the id'),
      }),
    )
    .superRefine(uniqueIds)
    .superRefine(uniqueForms),
  context: z
    .array(
      z.strictObject({
        from: z.string(),
        to: z.string(),
        near: z
          .string()
          .refine(isPattern, { error: 'must be a regular expression' })
          .describe('Regular expression; must match in the same sentence'),
      }),
    )
    .default([])
    .describe('Confusions that only their neighbourhood settles, such as 领头 → 领投 near 融资'),
  protected: z.array(z.string()).default([]).describe('Words that are never repaired'),
});

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

function isZone(zone: string): boolean {
  // The list has no other names, such as UTC or Asia/Calcutta; to make a format takes 20 ms.
  if (Intl.supportedValuesOf('timeZone').includes(zone)) return true;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
  );
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') !== undefined;
  } catch {
    return false;
  }
}

function uniqueIds(entries: { id: string }[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [at, { id }] of entries.entries()) {
    if (seen.has(id)) {
      context.addIssue({ code: 'custom', path: [at, 'id'], message: `"${id}" is used twice` });
    }
    seen.add(id);
  }
}

/** One spelling that means two things would be repaired to either, by chance. */
function uniqueForms(
  entries: { id: string; forms: string[]; aliases: string[] }[],
  context: z.RefinementCtx,
): void {
  const owners = new Map<string, string>();
  for (const { id } of entries) owners.set(id, id);
  for (const [at, { id, forms, aliases }] of entries.entries()) {
    for (const [key, words] of Object.entries({ forms, aliases })) {
      for (const [index, word] of words.entries()) {
        const owner = owners.get(word) ?? id;
        owners.set(word, owner);
        if (owner === id) continue;
        const message = `"${word}" belongs to "${owner}" already`;
        context.addIssue({ code: 'custom', path: [at, key, index], message });
      }
    }
  }
}

/** Our own signature needs its names, and counts only where its domain is aligned (D-04). */
function dkimMistakes({
  dkim,
  sender,
  site,
}: {
  dkim: { signer: string; domain?: string | undefined; selector?: string | undefined };
  sender: { address: string };
  site: { subscribe: { sender?: string | undefined } };
}) {
  if (dkim.signer !== 'broadsheet') return [];
  const missing = (['domain', 'selector'] as const)
    .filter((key) => !dkim[key])
    .map((key) => ({
      path: ['dkim', key],
      message: `is missing: dkim.signer "broadsheet" needs it`,
    }));
  return [...missing, ...misaligned(dkim.domain, sender.address, site.subscribe.sender)];
}

function misaligned(domain: string | undefined, sender: string, confirmations = sender) {
  const isBelow = (address: string) =>
    !domain || `.${address.split('@').at(-1)}`.toLowerCase().endsWith(`.${domain.toLowerCase()}`);
  if (!isBelow(sender)) {
    const message = 'must be the domain of sender.address or one above it';
    return [{ path: ['dkim', 'domain'], message }];
  }
  const message = 'must be at dkim.domain or below it';
  return isBelow(confirmations) ? [] : [{ path: ['site', 'subscribe', 'sender'], message }];
}

const FIELD_QUESTIONS = ['is', 'in', 'before', 'after', 'above', 'below', 'known'] as const;
const CONDITION_KINDS = ['all', 'any', 'not', 'tag', 'language', 'joined', 'field'] as const;

function conditionMistakes(value: object): string[] {
  const has = (key: string) => Object.hasOwn(value, key);
  const kinds = CONDITION_KINDS.filter(has);
  const questions = FIELD_QUESTIONS.filter(has);
  if (!has('field') && questions.length > 0)
    return [`"${questions[0]}" is asked of a field, and none is named`];
  if (kinds.length !== 1) {
    const words = kinds.length === 0 ? 'says nothing' : `says ${kinds.join(' and ')} at once`;
    return [
      `${words}: a condition has one of ${CONDITION_KINDS.join(', ')}; join them with all or any`,
    ];
  }
  if (has('field') && questions.length === 0)
    return [`asks nothing of the field: add one of ${FIELD_QUESTIONS.join(', ')}`];
  return [];
}

/** What is asked of a field has to fit its kind. Paths lead to the condition. */
function segmentMistakes({ fields, segments }: { fields: Fields; segments: Segments }) {
  return Object.entries(segments).flatMap(([name, one]) =>
    fieldMistakes(one, fields, ['segments', name]),
  );
}

type Path = (string | number)[];

function fieldMistakes(
  one: Condition,
  fields: Fields,
  path: Path,
): { path: Path; message: string }[] {
  const inside = (['all', 'any'] as const).flatMap((key) =>
    (one[key] ?? []).flatMap((each, at) => fieldMistakes(each, fields, [...path, key, at])),
  );
  if (one.not) inside.push(...fieldMistakes(one.not, fields, [...path, 'not']));
  if (one.field === undefined) return inside;
  const kind = Object.hasOwn(fields, one.field) ? fields[one.field] : undefined;
  if (kind === undefined) {
    const known = Object.keys(fields).join(', ') || 'none';
    const message = `there is no field "${one.field}" in "fields" (there: ${known})`;
    return [...inside, { path: [...path, 'field'], message }];
  }
  const wrong = FIELD_QUESTIONS.filter((key) => one[key] !== undefined && !fits(key, one, kind));
  const words = typeof kind === 'string' ? `a ${kind}` : `one of ${kind.join(', ')}`;
  return [
    ...inside,
    ...wrong.map((key) => ({
      path: [...path, key],
      message: `does not fit: "${one.field}" is ${words}`,
    })),
  ];
}

function fits(key: (typeof FIELD_QUESTIONS)[number], one: Condition, kind: FieldKind): boolean {
  if (key === 'known') return true;
  if (key === 'before' || key === 'after') return kind === 'date';
  if (key === 'above' || key === 'below') return kind === 'number';
  const values = key === 'is' ? [one.is] : (one.in ?? []);
  if (typeof kind !== 'string') return values.every((value) => kind.includes(String(value)));
  if (kind === 'date') return values.every((value) => day.safeParse(value).success);
  return values.every((value) => typeof value === (kind === 'text' ? 'string' : kind));
}

/** `text`, `number`, `date`, `boolean`, or the values to choose from. */
export type FieldKind = z.infer<typeof field>;
export type Fields = Record<string, FieldKind>;
/** Durations are milliseconds. */
export type Condition = z.infer<typeof condition>;
export type Segments = Record<string, Condition>;

type NewsletterSettings = z.infer<typeof newsletterSchema>;
export type SectionSettings = z.infer<typeof sectionsSchema>['sections'][number];
export type Glossary = z.infer<typeof glossarySchema>;
export type GlossaryEntry = Glossary['entries'][number];

/** Complete: what was left out has its default. Durations are milliseconds. */
export interface Settings extends NewsletterSettings {
  listId: string;
  sections: SectionSettings[];
  glossary: Glossary;
}
