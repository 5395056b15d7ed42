/** The commands that make an issue: init, draft, check, approve, render, preview. */
import type { Command } from 'commander';
import type { Finding } from '../../check/check.ts';
import { inputError } from '../../errors.ts';
import type { Draft } from '../../issue/draft.ts';
import type { DraftInput } from '../../newsletter/draft.ts';
import { type AddCommand, type Call, withNewsletter } from '../cli.ts';
import { growSlowly } from '../heap.ts';

interface DraftOptions {
  issue?: string;
  encoding?: string;
  title?: string;
  date?: string;
  split?: number[];
  join?: number[];
  add?: boolean;
  force?: boolean;
}

interface CheckOptions {
  allow?: string[];
  links?: boolean;
  strict?: boolean;
}

export function registerIssue(_program: Command, add: AddCommand): void {
  add('init [directory]', 'make a new newsletter directory', (c) => c, init);
  add<DraftOptions>(
    'draft <source...>',
    'sources → issues/ID/: draft.json and issue.md. With --json prints the draft and writes nothing',
    (command) =>
      command
        .option(
          '--issue <id>',
          'the issue; default: the folder, when the source lies in issues/ID/',
        )
        .option('--encoding <name>', 'encoding of the sources, such as gbk; default: detected')
        .option('--title <title>', 'title of the issue')
        .option('--date <YYYY-MM-DD>', 'the slot it is for')
        .option('--split <offset...>', 'an item begins here, whatever the engine thinks', offsets)
        .option('--join <offset...>', 'no item begins here', offsets)
        .option('--add', 'add to an issue that stands: new items and links, no word is changed')
        .option('--force', 'overwrite an issue.md that was edited'),
    draft,
  );
  add<CheckOptions>(
    'check <issue>',
    'what a sceptical postmaster would say of it, with place, reason and rule',
    (command) =>
      command
        .option('--allow <id...>', 'these findings do not count')
        .option('--links', 'ask every link and picture on the web whether it answers')
        .option('--strict', 'warnings count as errors'),
    check,
  );
  add<{ by?: string; allow?: string[] }>(
    'approve <issue>',
    'put your name to the issue as it stands',
    (command) =>
      command
        .option('--by <address>', 'who approves; default: editor in the settings')
        .option('--allow <id...>', 'in spite of these findings'),
    approve,
  );
  add<RenderOptions>(
    'render [issue]',
    'write an issue as html, txt, mjml and eml, or all that was sent as a web site',
    (command) =>
      command
        .option('--out <dir>', 'where to write the issue')
        .option('--archive <dir>', 'where to write pages, feeds and pictures, for any web host'),
    render,
  );
  add<PreviewOptions>(
    'preview [issue]',
    'the studio on this machine: the very bytes that will be sent, live',
    (command) =>
      command
        .option('--port <n>', 'port; default: 4321 or a free one')
        .option('--phone', 'also a page to read on a phone in the local network, for 30 minutes')
        .addHelpText('after', PREVIEW_HELP),
    preview,
  );
}

/** Collects what an option is given, number by number. */
function offsets(given: string, before: number[] = []): number[] {
  return [...before, Number(given)];
}

async function init({ world, terminal, dir }: Call, [directory]: string[]): Promise<number> {
  const { init } = await import('../../newsletter/init.ts');
  const { resolve } = await import('node:path');
  const made = init(world.home, directory ? resolve(directory) : dir);
  terminal.result(made, `Made ${made.dir}`);
  terminal.say('Next: edit config/newsletter.yaml, then: broadsheet draft <source> --issue <id>');
  return 0;
}

async function draft(call: Call, sources: string[], options: DraftOptions): Promise<number> {
  const { world, terminal, dir } = call;
  await growSlowly();
  const verbs = await import('../../newsletter/draft.ts');
  const desk = await world.openDesk(dir);
  const input = { sources, ...options };
  if (terminal.json) {
    const { formatDraft } = await import('../../issue/draft-json.ts');
    for (const piece of formatDraft(await verbs.draftOnly(desk, input))) terminal.write(piece);
    return 0;
  }
  if (options.add) return add(call, input);
  const done = await verbs.draft(desk, input);
  terminal.result(done, draftWords(done.draft));
  terminal.say(`\nWrote ${done.issueFile}`);
  terminal.say(
    done.checks > 0
      ? `${done.checks} places are marked <!-- check: … --> for you to settle.`
      : 'Nothing is marked for you to check.',
  );
  return 0;
}

async function add({ world, terminal, dir }: Call, input: DraftInput): Promise<number> {
  const { addSources } = await import('../../newsletter/add.ts');
  const { issueOfSources } = await import('../../newsletter/draft.ts');
  const desk = await world.openDesk(dir);
  const id = input.issue ?? issueOfSources(desk, input.sources);
  const { added, linked, issueFile, checks } = await addSources(desk, id, input);
  terminal.result({ added, linked }, `${added} items added, ${linked} got a link`);
  terminal.say(`\nWrote ${issueFile}${checks > 0 ? `; ${checks} more places to check` : ''}`);
  return 0;
}

/** The draft in a few lines: what was found, what was repaired. */
export function draftWords(draft: Draft): string {
  const repairs = draft.sources.flatMap((source) => source.repairs);
  const applied = repairs.filter((repair) => repair.applied).length;
  const flags = draft.sources.flatMap((source) => source.flags).length;
  const items = draft.items.map(
    (item, index) =>
      `${String(index + 1).padStart(3)}. ${item.score.toFixed(2)}  ${item.headline}  [${item.section}]`,
  );
  const sum = `${draft.items.length} items, ${applied} names repaired, ${repairs.length - applied} suggestions, ${flags} facts flagged`;
  return [...items, sum].join('\n');
}

async function check(call: Call, [issue]: string[], options: CheckOptions): Promise<number> {
  const { checkIssue, knownIds } = await import('../../newsletter/check.ts');
  const { findingsSummary, findingWords } = await import('../findings.ts');
  const { terminal, world } = call;
  const { report, allowed } = await withNewsletter(call, async (newsletter) => ({
    allowed: await knownIds([...newsletter.settings.check.allow, ...(options.allow ?? [])]),
    report: await checkIssue(newsletter, issueId(issue), {
      links: options.links,
      openPages: world.openPublic,
    }),
  }));
  for (const finding of report.findings) terminal.row(finding, `${findingWords(finding)}\n`);
  for (const { id, why } of report.skipped) terminal.say(`Not looked at: ${id} (${why})`);
  const stopping = report.findings.filter(
    ({ id, severity }) =>
      !allowed.includes(id) && (severity === 'error' || (options.strict && severity === 'warning')),
  );
  terminal.say(findingsSummary(report.findings));
  const overridden = new Set(
    report.findings.map(({ id }) => id).filter((id) => allowed.includes(id)),
  );
  if (overridden.size > 0) terminal.say(`Allowed by name: ${[...overridden].join(', ')}`);
  if (stopping.length > 0)
    terminal.say(`It would not be sent like this.${await overriding(stopping)}`);
  return stopping.length > 0 ? 3 : 0;
}

/** How to send in spite of the findings; nothing where no mail can be made at all. */
async function overriding(stopping: readonly Finding[]): Promise<string> {
  const { CHECKS } = await import('../../check/run.ts');
  const ids = new Set(stopping.map(({ id }) => id));
  const allowable = [...ids].every((id) => CHECKS.some((check) => check.id === id));
  return allowable ? ` If you know better: broadsheet send … --allow ${[...ids].join(' ')}` : '';
}

async function approve(
  call: Call,
  [issue]: string[],
  options: { by?: string; allow?: string[] },
): Promise<number> {
  const verbs = await import('../../newsletter/approve.ts');
  const approval = await withNewsletter(call, (newsletter) =>
    verbs.approve(newsletter, issueId(issue), options.by, options.allow),
  );
  call.terminal.result(approval, `Approved by ${approval.by} at ${approval.at}`);
  return 0;
}

interface RenderOptions {
  out?: string;
  archive?: string;
}

async function render(call: Call, [issue]: string[], options: RenderOptions): Promise<number> {
  const files = await withNewsletter(call, async (newsletter) => {
    if (options.archive !== undefined && issue === undefined) {
      const { exportArchive } = await import('../../newsletter/archive.ts');
      return exportArchive(newsletter, options.archive);
    }
    if (issue === undefined || options.out === undefined) throw whatToRender();
    const { renderFiles } = await import('../../newsletter/render.ts');
    return renderFiles(newsletter, issueId(issue), options.out);
  });
  for (const file of files) call.terminal.row({ file }, file);
  return 0;
}

function whatToRender() {
  return inputError('usage', 'What shall be written where?', {
    hint: 'broadsheet render ISSUE --out DIR, or: broadsheet render --archive DIR',
  });
}

interface PreviewOptions {
  port?: string;
  phone?: boolean;
}

const PREVIEW_HELP = `
Open the printed address: it holds a key of this start, and works on this machine only. The page follows
issue.md, the templates and the settings while you write. Press ? in it for its keys; more in docs/studio.md.`;

async function preview(call: Call, [issue]: string[], options: PreviewOptions): Promise<number> {
  const { servePreview } = await import('../serving.ts');
  return servePreview(call, issue ? issueId(issue) : undefined, options);
}

/** `2023-09-w3`, also when given as its folder or file. */
export function issueId(given: string | undefined): string {
  const path = (given ?? '').replaceAll('\\', '/').replace(/\/+$/, '');
  return path.replace(/\/issue\.md$/, '').replace(/^.*?issues\//, '');
}
