/** The commands of what comes back: bounces. */
import type { Command } from 'commander';
import type { ReadResult } from '../../newsletter/bounces.ts';
import { type AddCommand, type Call, withNewsletter } from '../cli.ts';

export function registerBounces(program: Command, add: AddCommand): void {
  const bounces = program.command('bounces').description('mails that came back, and complaints');
  add<{ dryRun?: boolean }>(
    'read [path...]',
    'read reports from files, mboxes, Maildirs or folders; without any, from BOUNCES_IMAP_URL',
    (command) => command.option('--dry-run', 'say what they mean; write and move nothing'),
    read,
    bounces,
  );
  add<{ unclassified?: boolean }>(
    'list',
    'what was read, newest first',
    (command) => command.option('--unclassified', 'only what a person has to look at'),
    list,
    bounces,
  );
}

async function read(call: Call, paths: string[], options: { dryRun?: boolean }): Promise<number> {
  const { readBounces } = await import('../../newsletter/bounces.ts');
  const { terminal } = call;
  const bar = terminal.progress();
  const result = await withNewsletter(call, (newsletter) =>
    readBounces(newsletter, { paths, ...options }, (done, total) =>
      bar.update(done, total, 'mails'),
    ),
  );
  bar.end();
  terminal.result(result, readWords(result));
  for (const { origin, kind, subject, reply } of result.forPerson)
    terminal.say(`${origin}: ${kind}: ${oneLine(reply || subject)}`);
  if (result.forPerson.length > 0)
    terminal.say('Whose mail these are, or what they say, is not known: look at them.');
  if (options.dryRun) terminal.say('Nothing was written or moved.');
  return 0;
}

const EFFECTS = {
  suppressed: 'suppressed: no such mailbox',
  soft: 'counted: three issues in 15 days suppress',
  unsubscribed: 'unsubscribed: the reader blocks us',
  complaint: 'unsubscribed and suppressed: a complaint',
} as const;

function readWords({ read, known, kinds, effects }: ReadResult): string {
  const line = (count: number, words: string) => `${String(count).padStart(9)}  ${words}`;
  const found = Object.entries(kinds).map(([kind, count]) => line(count, kind));
  const followed = (Object.keys(EFFECTS) as (keyof typeof EFFECTS)[])
    .filter((effect) => effects[effect] > 0)
    .map((effect) => line(effects[effect], EFFECTS[effect]));
  return [
    line(read, 'mails read'),
    ...(known > 0 ? [line(known, 'read before')] : []),
    ...found,
    ...(followed.length > 0 ? ['What followed', ...followed] : []),
  ].join('\n');
}

async function list(call: Call, _: string[], options: { unclassified?: boolean }): Promise<number> {
  const { listBounces } = await import('../../newsletter/list-bounces.ts');
  const rows = await withNewsletter(call, (newsletter) => listBounces(newsletter, options));
  for (const row of rows) {
    const { at, kind, address, issue, effect, reply, subject, origin } = row;
    const parts = [
      new Date(at).toISOString(),
      kind.padEnd(14),
      address ?? 'nobody known',
      issue ?? '',
      effect ?? '',
      oneLine(reply ?? subject ?? ''),
      address === null || kind === 'unclassified' ? `(${origin})` : '',
    ];
    call.terminal.row(row, parts.filter(Boolean).join('  '));
  }
  if (rows.length === 0) call.terminal.say('There is nothing.');
  return 0;
}

/** Characters of a server's words that fit beside the rest. */
const LONGEST = 160;

function oneLine(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST);
}
