/** The commands of the store: database migrate, backup, restore, copy. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type AddCommand, type Call, withNewsletter } from '../cli.ts';

export function registerDatabase(program: Command, add: AddCommand): void {
  const database = program.command('database').description('state of the store');
  add<{ grant?: string }>(
    'migrate',
    'bring the tables up to date; on PostgreSQL as their owner',
    (command) =>
      command.option(
        '--grant <role>',
        'PostgreSQL: give this role what a worker needs, and no more',
      ),
    migrate,
    database,
  );
  add(
    'backup [file]',
    'copy the SQLite file while it is in use, and the pictures of sent issues',
    (c) => c,
    backup,
    database,
  );
  add(
    'restore <file>',
    'put a backup in its place; nothing is sent from it until: schedule adopt',
    (c) => c,
    restore,
    database,
  );
  add(
    'copy [file]',
    'copy a SQLite file (default: of this newsletter) into the PostgreSQL database of DATABASE_URL',
    (c) => c,
    copy,
    database,
  );
}

async function backup({ world, terminal, dir }: Call, [file]: string[]): Promise<number> {
  const { backUpDatabase } = await import('../../newsletter/database.ts');
  const place = await world.placeOf(dir);
  const path = await backUpDatabase(place, file && resolve(file), Date.now());
  terminal.result({ path }, path);
  return 0;
}

async function restore({ world, terminal, dir }: Call, [file]: string[]): Promise<number> {
  const { restoreDatabase } = await import('../../newsletter/database.ts');
  const place = await world.placeOf(dir);
  const former = await restoreDatabase(place, resolve(file ?? ''), Date.now());
  terminal.result({ former }, former ? `The former database is now ${former}` : '');
  terminal.say('Nothing is sent from it until you say: broadsheet schedule adopt');
  return 0;
}

async function copy(call: Call, [file]: string[]): Promise<number> {
  const { terminal } = call;
  const { copyFrom } = await import('../../newsletter/database.ts');
  const bar = terminal.progress();
  const rows = await withNewsletter(call, (newsletter) =>
    copyFrom(newsletter, file && resolve(file), (done) => bar.update(done, 0, 'rows')),
  );
  bar.end();
  const lines = Object.entries(rows).map(([name, count]) => `${name.padEnd(14)} ${count}`);
  terminal.result(rows, lines.join('\n'));
  terminal.say(
    'Every row was read back and is the same. Nothing is sent from the copy until you say: broadsheet schedule adopt',
  );
  return 0;
}

async function migrate(call: Call, _: string[], { grant }: { grant?: string }): Promise<number> {
  const { migrateDatabase } = await import('../../newsletter/database.ts');
  await withNewsletter(call, (newsletter) => migrateDatabase(newsletter, grant));
  call.terminal.say('The tables are up to date.');
  if (grant) call.terminal.say(`${grant} may work on them, and change no table.`);
  return 0;
}
