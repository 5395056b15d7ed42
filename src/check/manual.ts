/**
 * docs/checks.md, made from the checks themselves.
 * After a change of one: `node src/check/manual.ts` writes it anew.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BREAKAGES } from './broken.ts';
import { type Check, OWN_PAGE } from './check.ts';
import { FAMILIES } from './run.ts';

const HEAD = `# What is checked before a mail goes out

\`broadsheet check ISSUE\` composes the issue as it would be sent and looks at the file, the HTML, the text part and the
bytes. Each finding says where, what, why, and by which rule. \`send\`, \`approve\`, \`campaigns amend\` and the schedule
pass the same checks.

- An **error** stops a send (exit 3). Who knows better overrides it by its id: \`--allow ID\`, or for good, also for the
  schedule, in \`config/newsletter.yaml\`: \`check: { allow: [ID] }\`. The campaign's report says what was overridden.
- A **warning** is for thinking about; \`check --strict\` treats it as an error. A note is only that.
- \`check --links\` also asks every link and picture on the web whether it answers. Private networks are not asked.
- \`check\` tries the unsubscribe link on your own pages, served for a moment on this machine, with a list of one reader
  who does not exist.
- What is said of dark programs is simulated, what of mail programs comes from caniemail.com; neither is the real thing.

A check is an entry in a list of \`src/check/\`: id, severity, reason, rule, and a function that looks. To add one, add
the entry, and in \`test/check/fixtures.ts\` the smallest change to a good issue that it finds. This page is made from
the lists by \`node src/check/manual.ts\`; letters with a number, such as D-01 or H-13, name our own list of
requirements.
`;

/** The page. */
export function checksManual(): string {
  const broken = BREAKAGES.map((breakage) => ({ ...breakage, severity: 'error' as const }));
  const families: [string, readonly Omit<Check, 'find'>[]][] = [
    ...Object.entries(FAMILIES),
    ['No mail can be made', broken],
  ];
  const parts = families.map(([name, checks]) => `## ${name}\n\n${checks.map(entry).join('\n')}`);
  return `${[HEAD, ...parts].join('\n').trim()}\n`;
}

function entry({ id, severity, reason, source, url }: Omit<Check, 'find'>): string {
  const rule = url === OWN_PAGE ? source : `${source}, <${url}>`;
  return `### ${id}\n\n${reason} *${severity}, ${rule}*\n`;
}

if (import.meta.main)
  writeFileSync(join(import.meta.dirname, '..', '..', OWN_PAGE), checksManual());
