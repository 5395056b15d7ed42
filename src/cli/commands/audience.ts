/** The commands of the list: subscribers. */
import { type Command, InvalidArgumentError } from 'commander';
import type { RefusedRow } from '../../audience/merge.ts';
import { blockedError, inputError } from '../../errors.ts';
import { type AddCommand, type Call, withNewsletter } from '../cli.ts';
import { growSlowly } from '../heap.ts';

interface ImportOptions {
  from?: string;
  column?: Record<string, string>;
  tag?: string[];
  language?: string;
  state?: string;
  list?: string[];
  delimiter?: string;
  encoding?: string;
  report?: string;
  dryRun?: boolean;
}

interface AddOptions {
  name?: string;
  language?: string;
  tag?: string[];
  field?: Record<string, string>;
}

export function registerAudience(program: Command, add: AddCommand): void {
  const subscribers = program.command('subscribers').description('the list');
  add<{ state?: string; segment?: string }>(
    'list',
    'all readers, or some',
    (command) =>
      command
        .option('--state <state>', 'active, unsubscribed or pending')
        .option('--segment <name>', 'those of a segment of the settings'),
    list,
    subscribers,
  );
  add<{ segment?: string }>(
    'count',
    'how many readers there are, by state',
    (command) => command.option('--segment <name>', 'those of a segment of the settings'),
    count,
    subscribers,
  );
  add(
    'show <address>',
    'one reader: state, consent, suppression, every delivery and reply',
    (c) => c,
    show,
    subscribers,
  );
  add<AddOptions>(
    'add <address>',
    'add a reader who agreed to it',
    (command) =>
      command
        .option('--name <name>', 'the reader’s name')
        .option('--language <tag>', 'such as en or zh-CN')
        .option('--tag <tag...>', 'words without blanks')
        .option('--field <name=value>', 'a field of the settings; again for another', pairs),
    addOne,
    subscribers,
  );
  add('remove <address>', 'unsubscribe a reader', (c) => c, remove, subscribers);
  add<{ remove?: boolean }>(
    'tag <address> <tag...>',
    'give a reader tags, or take them away',
    (command) => command.option('--remove', 'take them away'),
    tag,
    subscribers,
  );
  registerFiles(subscribers, add);
  add<{ yes?: boolean }>(
    'forget <address>',
    'erase all that is kept of an address but a hash that keeps it from being mailed',
    (command) => command.option('--yes', 'do not ask'),
    forget,
    subscribers,
  );
}

function registerFiles(subscribers: Command, add: AddCommand): void {
  add<ImportOptions>(
    'import [file]',
    'CSV, or another tool’s export, into the list. Who left, bounced, complained or has not confirmed is not made mailable',
    (command) =>
      command
        .option(
          '--from <tool>',
          'listmonk, mailchimp, substack or ghost: their exports as they are',
        )
        .option(
          '--column <what=header>',
          'email=Mail, name=…, or a field; again for another',
          pairs,
        )
        .option('--tag <tag...>', 'give these to all new readers')
        .option('--language <tag>', 'of those whose row says none')
        .option('--state <state>', 'active, pending, unsubscribed or suppressed: what the rows are')
        .option('--list <name...>', 'listmonk’s database: only these of its lists')
        .option('--delimiter <character>', 'default: found out')
        .option('--encoding <name>', 'utf-8 or gbk; default: utf-8')
        .option(
          '--check-domains',
          'refuse rows whose domain takes no mail; asks the DNS, which takes time',
        )
        .option(
          '--update',
          'also take names, languages and fields over for readers on the list, and add tags; never consent',
        )
        .option('--report <file>', 'refused rows; default: var/imports/NAME.refused.csv')
        .option('--dry-run', 'only count'),
    importReaders,
    subscribers,
  );
  add<{ one?: string }>(
    'export [file]',
    'the list as CSV, to a file or stdout',
    (command) => command.option('--one <address>', 'all that is known of one address, as JSON'),
    exportFile,
    subscribers,
  );
}

/** `a=b` given once or more → { a: 'b' }. */
function pairs(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write it like company=ACME.');
  return { ...before, [text.slice(0, at).trim()]: text.slice(at + 1) };
}

async function list(
  call: Call,
  _: string[],
  options: { state?: string; segment?: string },
): Promise<number> {
  const { eachSubscriber, shown } = await import('../../newsletter/subscribers.ts');
  await withNewsletter(call, async (newsletter) => {
    for await (const reader of eachSubscriber(newsletter, options)) {
      call.terminal.row(
        shown(reader),
        `${reader.state.padEnd(12)} ${reader.address}  ${reader.name ?? ''}`.trimEnd(),
      );
    }
  });
  return 0;
}

async function count(call: Call, _: string[], options: { segment?: string }): Promise<number> {
  const { countReaders } = await import('../../newsletter/subscribers.ts');
  const counts = await withNewsletter(call, (newsletter) => countReaders(newsletter, options));
  const { segment: __, ...states } = counts;
  call.terminal.result(counts, table(states));
  return 0;
}

/** Counts above one another. */
function table(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, number]) => `${String(number).padStart(9)}  ${name}`)
    .join('\n');
}

async function show(call: Call, [address]: string[]): Promise<number> {
  const verbs = await import('../../newsletter/subscribers.ts');
  const reader = await withNewsletter(call, (newsletter) =>
    verbs.showSubscriber(newsletter, address ?? ''),
  );
  const time = (at: number | null) => (at === null ? '' : new Date(at).toISOString());
  const fields = Object.entries(reader.fields).map(([name, value]) => `${name}: ${value}`);
  const about = [reader.name, reader.language, ...reader.tags.map((each) => `#${each}`), ...fields];
  call.terminal.result(
    reader,
    [
      `${reader.address}  ${reader.state}${reader.suppressed ? `  suppressed: ${reader.suppressed}` : ''}`,
      `  ${about.filter(Boolean).join('  ')}`,
      ...reader.consents.map((row) => `  ${time(row.at)}  ${row.event}  ${row.via}`),
      ...reader.deliveries.flatMap((row) => [
        ...row.unsuccessful.map(
          (each) => `  ${time(each.at)}  ${row.issue}  ${each.state}  ${each.reply ?? ''}`,
        ),
        `  ${time(row.at)}  ${row.issue}  ${row.state}  ${row.reply ?? ''}`,
      ]),
      ...reader.bounces.map((row) =>
        [`  ${time(row.at)}`, row.issue, `came back: ${row.kind}`, row.effect, row.reply]
          .filter(Boolean)
          .join('  '),
      ),
    ]
      .filter((line) => line.trim() !== '')
      .join('\n'),
  );
  return 0;
}

async function addOne(call: Call, [address]: string[], options: AddOptions): Promise<number> {
  const verbs = await import('../../newsletter/subscribers.ts');
  const done = await withNewsletter(call, (newsletter) =>
    verbs.addSubscriber(newsletter, {
      address: address ?? '',
      name: options.name ?? null,
      language: options.language,
      tags: options.tag,
      fields: options.field,
    }),
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

async function tag(
  call: Call,
  [address, ...tags]: string[],
  options: { remove?: boolean },
): Promise<number> {
  const verbs = await import('../../newsletter/subscribers.ts');
  const change = options.remove ? { remove: tags } : { add: tags };
  const done = await withNewsletter(call, (newsletter) =>
    verbs.tagSubscriber(newsletter, address ?? '', change),
  );
  call.terminal.result(done, `${done.address}: ${done.tags.join(' ') || 'no tags'}`);
  return 0;
}

async function importReaders(
  call: Call,
  [file]: string[],
  { column, tag: tags, list: lists, ...options }: ImportOptions,
): Promise<number> {
  const verbs = await import('../../newsletter/import.ts');
  await growSlowly();
  // Millions of short-lived rows: without it the heap for what is young grows by 60 MB, and nothing is faster.
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
  const { terminal } = call;
  const bar = terminal.progress();
  const words = file ?? 'listmonk';
  const common = {
    ...options,
    tags,
    onRefused: refusals(({ line, value, reason }) =>
      terminal.say(`${words}:${line}: ${reason}: ${value}`),
    ),
  };
  const result = await withNewsletter(call, (newsletter) => {
    if (!file && options.from === 'listmonk')
      return verbs.importFromListmonk(newsletter, { ...common, lists });
    if (!file) throw nothingToImport();
    return verbs.importFile(newsletter, file, {
      ...common,
      columns: column,
      onProgress: (bytes, total) => bar.update(bytes, total, 'bytes'),
    });
  });
  bar.end();
  const { report, ...counts } = result;
  terminal.result(result, table(counts));
  if (report) terminal.say(`Refused rows: ${report}`);
  if (counts.pending > 0 && options.from === 'listmonk' && file) terminal.say(PENDING_LISTMONK);
  return counts.refused > 0 ? 4 : 0;
}

const PENDING_LISTMONK =
  'listmonk’s CSV does not say who left the list: nobody of it is mailed. Import from its database ' +
  '(LISTMONK_DATABASE_URL), or export with the filter "confirmed" and say --state active.';

/** The first are said; all are in the report. */
const MOST_SAID = 20;

function refusals(say: (row: RefusedRow) => void): (row: RefusedRow) => void {
  let said = 0;
  return (row) => {
    said += 1;
    if (said <= MOST_SAID) say(row);
  };
}

function nothingToImport() {
  return inputError('file-missing', 'Which file?', {
    hint: 'Name one. Only listmonk is read from its database: --from listmonk with LISTMONK_DATABASE_URL.',
  });
}

async function exportFile(
  call: Call,
  [file]: string[],
  { one }: { one?: string },
): Promise<number> {
  const verbs = await import('../../newsletter/subscribers.ts');
  const { createWriteStream } = await import('node:fs');
  const { pipeline } = await import('node:stream/promises');
  await withNewsletter(call, async (newsletter) => {
    const lines =
      one === undefined
        ? verbs.exportLines(newsletter)
        : [`${JSON.stringify(await verbs.exportOne(newsletter, one), null, 2)}\n`];
    const out = file ? createWriteStream(file, { flags: 'wx', mode: 0o600 }) : process.stdout;
    await pipeline(lines, out, { end: file !== undefined });
  });
  return 0;
}

async function forget(
  call: Call,
  [address]: string[],
  options: { yes?: boolean },
): Promise<number> {
  const verbs = await import('../../newsletter/forget.ts');
  const { terminal } = call;
  const question = `Erase all that is kept of ${address}? Nothing brings it back.`;
  if (!options.yes && !(await terminal.ask(question)))
    throw blockedError('not-confirmed', 'Nothing was erased', {
      hint: 'Answer yes at the prompt, or say --yes.',
    });
  const done = await withNewsletter(call, (newsletter) => verbs.forget(newsletter, address ?? ''));
  const files = (paths: string[]) => paths.map((path) => `           var/${path}`);
  terminal.result(
    done,
    [
      `Erased, rows of tables (those of deliveries and attempts were emptied and stay for the sums):`,
      table(done.rows) || '        0',
      `Erased, mails of the outbox: ${done.outbox.length}`,
      ...files(done.outbox),
      `Erased, lines of reports of imports: ${done.reports.length}`,
      ...files(done.reports),
      `Kept: ${done.kept}.`,
      'Out of reach, look there yourself:',
      ...done.elsewhere.map((place) => `           ${place}`),
    ].join('\n'),
  );
  return 0;
}
