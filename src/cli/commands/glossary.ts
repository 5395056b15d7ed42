/** The commands of the glossary. */
import type { Command } from 'commander';
import type { AddCommand, Call } from '../cli.ts';
import { issueId } from './issue.ts';

export function registerGlossary(program: Command, add: AddCommand): void {
  const glossary = program.command('glossary').description('names and terms');
  add<{ dryRun?: boolean }>(
    'learn <issue>',
    'what you made of the suggestions: accepted ones become aliases, refused ones protected words',
    (command) => command.option('--dry-run', 'only say what would be learnt'),
    learn,
    glossary,
  );
}

async function learn(
  { world, terminal, dir }: Call,
  [issue]: string[],
  options: { dryRun?: boolean },
): Promise<number> {
  const { learnFromIssue } = await import('../../newsletter/learn.ts');
  const learnt = learnFromIssue(await world.openDesk(dir), issueId(issue), options.dryRun);
  const lines = [
    ...learnt.aliases.map(({ id, alias }) => `alias      ${alias} → ${id}`),
    ...learnt.protect.map((word) => `protected  ${word}`),
  ];
  terminal.result(learnt, lines.join('\n'));
  if (lines.length === 0) terminal.say('Nothing to learn.');
  return 0;
}
