/** The commands of the list: subscribers. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { type AddCommand, type Call, withNewsletter } from '../cli.ts';

interface ImportOptions {
  delimiter?: string;
  encoding?: string;
  dryRun?: boolean;
}

export function registerAudience(program: Command, add: AddCommand): void {
  const subscribers = program.command('subscribers').description('the list');
  add<{ state?: string }>(
    'list',
    'all readers',
    (command) => command.option('--state <state>', 'active, unsubscribed or pending'),
    list,
    subscribers,
  );
  add('show <address>', 'one reader: state, consent, deliveries', (c) => c, show, subscribers);
  add<{ name?: string }>(
    'add <address>',
    'add a reader who agreed to it',
    (command) => command.option('--name <name>', 'the reader’s name'),
    addOne,
    subscribers,
  );
  add('remove <address>', 'unsubscribe a reader', (c) => c, remove, subscribers);
  add<ImportOptions>(
    'import <file>',
    'CSV into the list; refused rows are reported with line and reason',
    (command) =>
      command
        .option('--delimiter <character>', 'default: found out')
        .option('--encoding <name>', 'utf-8 or gbk; default: utf-8')
        .option('--dry-run', 'only count'),
    importFile,
    subscribers,
  );
  add('export [file]', 'the list as CSV, to a file or stdout', (c) => c, exportFile, subscribers);
}

async function list(call: Call, _: string[], options: { state?: string }): Promise<number> {
  const { eachSubscriber } = await import('../../newsletter/subscribers.ts');
  await withNewsletter(call, async (newsletter) => {
    for await (const reader of eachSubscriber(newsletter, options.state)) {
      call.terminal.row(
        reader,
        `${reader.state.padEnd(12)} ${reader.address}  ${reader.name ?? ''}`.trimEnd(),
      );
    }
  });
  return 0;
}

async function show(call: Call, [address]: string[]): Promise<number> {
  const verbs = await import('../../newsletter/subscribers.ts');
  const reader = await withNewsletter(call, (newsletter) =>
    verbs.showSubscriber(newsletter, address ?? ''),
  );
  const time = (at: number | null) => (at === null ? '' : new Date(at).toISOString());
  call.terminal.result(
    reader,
    [
      `${reader.address}  ${reader.state}${reader.suppressed ? `  suppressed: ${reader.suppressed}` : ''}`,
      ...reader.consents.map((row) => `  ${time(row.at)}  ${row.event}  ${row.via}`),
      ...reader.deliveries.map(
        (row) => `  ${time(row.at)}  ${row.issue}  ${row.state}  ${row.reply ?? ''}`,
      ),
      ...reader.bounces.map((row) =>
        [`  ${time(row.at)}`, row.issue, `came back: ${row.kind}`, row.effect, row.reply]
          .filter(Boolean)
          .join('  '),
      ),
    ].join('\n'),
  );
  return 0;
}

async function addOne(
  call: Call,
  [address]: string[],
  options: { name?: string },
): Promise<number> {
  const verbs = await import('../../newsletter/subscribers.ts');
  const done = await withNewsletter(call, (newsletter) =>
    verbs.addSubscriber(newsletter, { address: address ?? '', name: options.name ?? null }),
  );
  call.terminal.result(done, `${done.address}: ${done.result}`);
  return done.result === 'added' || done.result === 'existing' ? 0 : 3;
}

async function remove(call: Call, [address]: string[]): Promise<number> {
  const verbs = await import('../../newsletter/subscribers.ts');
  const done = await withNewsletter(call, (newsletter) =>
    verbs.removeSubscriber(newsletter, address ?? ''),
  );
  call.terminal.result(done, `${done.address}: ${done.result}`);
  return 0;
}

async function importFile(call: Call, [file]: string[], options: ImportOptions): Promise<number> {
  const verbs = await import('../../newsletter/subscribers.ts');
  const { terminal } = call;
  const bar = terminal.progress();
  const report = await withNewsletter(call, (newsletter) =>
    verbs.importFile(newsletter, file ?? '', {
      ...options,
      onRefused: ({ line, value, reason }) => terminal.say(`${file}:${line}: ${reason}: ${value}`),
      onProgress: (bytes, total) => bar.update(bytes, total, 'bytes'),
    }),
  );
  bar.end();
  const { refused, ...counts } = report;
  terminal.result(
    report,
    [...Object.entries(counts), ['refused', refused]]
      .map(([name, count]) => `${String(count).padStart(9)}  ${name}`)
      .join('\n'),
  );
  return refused > 0 ? 4 : 0;
}

async function exportFile(call: Call, [file]: string[]): Promise<number> {
  const { exportLines } = await import('../../newsletter/subscribers.ts');
  await withNewsletter(call, async (newsletter) => {
    const out = file ? createWriteStream(file, { flags: 'wx' }) : process.stdout;
    await pipeline(exportLines(newsletter), out, { end: file !== undefined });
  });
  return 0;
}
