/** The commands that mail: send, campaigns, schedule, worker. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Plan } from '../../delivery/plan.ts';
import type { CampaignProgress } from '../../delivery/progress.ts';
import type { CampaignReport } from '../../delivery/report.ts';
import { type AddCommand, type Call, type OpenNewsletter, withNewsletter } from '../cli.ts';
import { growSlowly } from '../heap.ts';
import { interruption } from '../interruption.ts';
import { comparisonLines } from '../rehearsal.ts';
import { duration, type Speed, speedometer } from '../speed.ts';
import { issueId } from './issue.ts';

interface SendOptions {
  test?: string[];
  dryRun?: boolean;
  full?: boolean;
  newReaders?: boolean;
  segment?: string;
  allow?: string[];
  yes?: boolean;
}

export function registerDelivery(program: Command, add: AddCommand): void {
  add<SendOptions>(
    'send <issue>',
    'the manual send; run it again and it goes on where it stopped',
    (command) =>
      command
        .option('--test <address...>', 'send the real mail to these addresses only')
        .option('--dry-run', 'say what would be done; send and write nothing')
        .option('--full', 'with --dry-run: compose every mail into nothing, and keep the figures')
        .option('--segment <name>', 'only to these readers; config/newsletter.yaml names segments')
        .option('--new-readers', 'after it was sent: send it to readers who have not had it')
        .option('--allow <id...>', 'send in spite of these findings')
        .option('--yes', 'do not ask'),
    send,
  );
  const campaigns = program.command('campaigns').description('control of sends');
  add('list', 'all campaigns, newest first', (c) => c, listCampaigns, campaigns);
  add(
    'show <id>',
    'one campaign by outcome, provider and reason, and what happened to it',
    (c) => c,
    showCampaign,
    campaigns,
  );
  for (const verb of ['pause', 'resume', 'cancel'] as const) {
    const says = { pause: 'start no further mail', resume: 'go on', cancel: 'end it for good' };
    add(`${verb} <id>`, says[verb], (c) => c, controlCampaign(verb), campaigns);
  }
  add<{ allow?: string[] }>(
    'amend <id>',
    'paused only: what the issue says now, for the readers who have not been attempted',
    (command) => command.option('--allow <id...>', 'in spite of these findings'),
    amendCampaign,
    campaigns,
  );
  add<{ as?: string }>(
    'resolve <id>',
    'deliveries of which nobody knows whether they arrived: list them, or settle them',
    (command) => command.option('--as <verdict>', 'accepted, failed or resend'),
    resolveCampaign,
    campaigns,
  );
  const schedule = program.command('schedule').description('the recurring send');
  add('next', 'the coming five slots, each with its issue', (c) => c, nextSlots, schedule);
  add(
    'run-due',
    'run what is due, once (for systemd, Kubernetes, cron)',
    (c) => c,
    runDue,
    schedule,
  );
  add(
    'adopt',
    'let this installation send, though its database came from another',
    (c) => c,
    adopt,
    schedule,
  );
  add<WorkerOptions>(
    'worker',
    'only send what campaigns there are',
    (command) =>
      command
        .option('--once', 'end when nothing is due')
        .option('--listen <host:port>', 'answer /healthz, /readyz and /metrics there')
        .option('--attached', 'end when standard input ends')
        .option('--demo', 'work for the demonstration'),
    worker,
  );
}

async function send(call: Call, [given]: string[], options: SendOptions): Promise<number> {
  await growSlowly();
  const issue = issueId(given);
  return withNewsletter(call, (newsletter) => {
    if (options.test) return sendTest(call, newsletter, issue, options.test);
    if (options.dryRun && options.full) return rehearse(call, newsletter, issue, options);
    if (options.dryRun) return sendDry(call, newsletter, issue, options);
    return sendCampaign(call, newsletter, issue, options);
  });
}

async function sendTest(
  { terminal }: Call,
  newsletter: OpenNewsletter,
  issue: string,
  addresses: string[],
): Promise<number> {
  const { testSend } = await import('../../newsletter/test-send.ts');
  const results = await testSend(newsletter, issue, addresses, interruption());
  for (const { address, outcome } of results) {
    terminal.row(
      { address, ...outcome },
      `${outcome.state.padEnd(8)} ${address}  ${outcome.reply}`,
    );
  }
  return results.every(({ outcome }) => outcome.state === 'accepted') ? 0 : 4;
}

async function sendDry(
  { terminal }: Call,
  newsletter: OpenNewsletter,
  issue: string,
  options: SendOptions,
): Promise<number> {
  const { dryRun } = await import('../../newsletter/send.ts');
  const plan = await dryRun(newsletter, { issue, ...options });
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  terminal.result(
    plan,
    [
      `Issue       ${plan.issue}  ${plan.approved ? 'approved' : 'not approved'}  ${plan.hash}`,
      `Subject     ${plan.subject}`,
      `HTML        ${plan.htmlBytes} bytes`,
      `Recipients  ${plan.recipients}  (${list(plan.byProvider)})`,
      `Excluded    ${list(plan.excluded)}`,
      ...(plan.shortestMs > 0
        ? [`Takes       ${duration(plan.shortestMs)} at least, at the rates of the settings`]
        : []),
      'Nothing was sent or written.',
    ].join('\n'),
  );
  return 0;
}

async function rehearse(
  { terminal }: Call,
  newsletter: OpenNewsletter,
  issue: string,
  options: SendOptions,
): Promise<number> {
  const { rehearseSend } = await import('../../newsletter/rehearse.ts');
  const { rehearsalWords } = await import('../rehearsal.ts');
  const bar = terminal.progress();
  const rehearsed = await rehearseSend(
    newsletter,
    { issue, ...options },
    { onProgress: (done, total) => bar.update(done, total, 'composed'), signal: interruption() },
  );
  bar.end();
  terminal.result(rehearsed, rehearsalWords(rehearsed));
  terminal.say(
    rehearsed.interrupted
      ? 'Interrupted; these figures are of a part of the list and were not kept.'
      : 'Nothing was sent. `campaigns show` will compare the send with this.',
  );
  return rehearsed.interrupted ? 130 : 0;
}

async function sendCampaign(
  { terminal }: Call,
  newsletter: OpenNewsletter,
  issue: string,
  options: SendOptions,
): Promise<number> {
  const { send } = await import('../../newsletter/send.ts');
  const signal = interruption();
  const bar = terminal.progress();
  const speed = speedometer();
  const result = await send(
    newsletter,
    { issue, ...options },
    {
      confirm: (question) => (options.yes ? Promise.resolve(true) : terminal.ask(question)),
      onPlan: (plan) => terminal.say(planned(plan)),
      onProgress: (progress) =>
        bar.update(settled(progress), progress.planned, progressWords(progress, speed)),
      signal,
    },
  );
  bar.end();
  terminal.result(result, report(result.progress));
  terminal.say(closing(result.began, result.interrupted, result.progress, issue));
  return exitCode(result.interrupted, result.progress);
}

function planned({ campaignId, planned, first }: Plan): string {
  const wave = first > 0 ? `; the first ${first} now, the others after the pause` : '';
  return `Campaign ${campaignId}: ${planned} readers${wave}`;
}

function settled({ counts }: CampaignProgress): number {
  const { accepted, failed, unknown, suppressed, cancelled } = counts;
  return accepted + failed + unknown + suppressed + cancelled;
}

/** Rate, time left, and what holds it up. */
function progressWords(progress: CampaignProgress, speed: Speed): string {
  const { counts, nextAttemptAt, held, planned } = progress;
  const now = Date.now();
  const rate = speed.of(settled(progress));
  const left = planned - settled(progress);
  const words = [
    rate > 0 ? `${rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')}/s` : '',
    rate > 0 && left > 0 ? `${duration((left / rate) * 1_000)} left` : '',
    counts.deferred > 0 ? `${counts.deferred} deferred` : '',
    counts.failed > 0 ? `${counts.failed} failed` : '',
    ...held
      .filter(({ until }) => until > now)
      .map(({ scope, until, note }) => `${scope} held until ${clockTime(until)} (${note})`),
    nextAttemptAt !== null && nextAttemptAt > now ? `next at ${clockTime(nextAttemptAt)}` : '',
  ];
  return words.filter(Boolean).join(', ');
}

function clockTime(ms: number): string {
  return new Date(ms).toLocaleTimeString('sv');
}

/** The states of a campaign's deliveries, one a line, none hidden that is not zero. */
export function report(progress: CampaignProgress): string {
  const rows = Object.entries(progress.counts).filter(([, count]) => count > 0);
  return [
    `Campaign ${progress.id}  ${progress.issue}  ${progress.state}  ${progress.planned} readers${progress.segment ? `  of the segment "${progress.segment}"` : ''}`,
    ...rows.map(([state, count]) => `  ${state.padEnd(10)} ${String(count).padStart(8)}`),
    ...(progress.note ? [`  ${progress.note}`] : []),
  ].join('\n');
}

function fullReport(full: CampaignProgress & CampaignReport): string {
  const providers = Object.entries(full.byProvider).map(([provider, counts]) => {
    const states = Object.entries(counts).map(([state, count]) => `${state} ${count}`);
    return `  ${provider.padEnd(10)} ${states.join(', ')}`;
  });
  const reasons = full.reasons.map(
    ({ state, reason, count, example }) =>
      `  ${state.padEnd(10)} ${String(count).padStart(8)}  ${reason}${example ? `: ${example}` : ''}`,
  );
  const events = full.events.map(({ at, kind, detail }) =>
    `  ${localTime(at)}  ${kind.padEnd(10)} ${detail ?? ''}`.trimEnd(),
  );
  const bounces = Object.entries(full.bounces).map(
    ([kind, count]) => `  ${kind.padEnd(14)} ${String(count).padStart(4)}`,
  );
  const silent = full.silentOnComplaints;
  if (silent.length > 0) bounces.push(`  No complaints are reported by: ${silent.join(', ')}`);
  const parts: [string, string[]][] = [
    ['By provider', providers],
    ['Against the rehearsal', comparisonLines(full)],
    ['Why', reasons],
    ['Came back later', bounces],
    ['What happened', events],
  ];
  const shown = parts.filter(([, lines]) => lines.length > 0);
  return [report(full), ...shown.flatMap(([title, lines]) => ['', title, ...lines])].join('\n');
}

function localTime(ms: number): string {
  return new Date(ms).toLocaleString('sv');
}

function closing(
  began: string,
  interrupted: boolean,
  progress: CampaignProgress,
  issue: string,
): string {
  const again = `broadsheet send ${issue}${progress.segment ? ` --segment ${progress.segment}` : ''}`;
  if (interrupted) return `Interrupted. Go on with: ${again}`;
  if (progress.state === 'paused') {
    return `Paused. Go on with: broadsheet campaigns resume ${progress.id}, then: ${again}`;
  }
  if (began === 'already') {
    const whom = progress.segment === null ? '' : ` to the segment "${progress.segment}"`;
    const others = whom && ` For all others: broadsheet send ${issue} --new-readers`;
    return `It had been sent${whom} already; nothing was sent again.${others}`;
  }
  return progress.counts.unknown > 0
    ? 'Unknown: the connection broke when the mail may have been taken. Nobody can know; it is not sent again.'
    : '';
}

function exitCode(interrupted: boolean, { counts, state }: CampaignProgress): number {
  if (interrupted) return 130;
  if (state !== 'finished') return 1;
  return counts.failed + counts.unknown > 0 ? 4 : 0;
}

async function listCampaigns(call: Call): Promise<number> {
  const { campaigns } = await import('../../newsletter/campaigns.ts');
  for (const progress of await withNewsletter(call, campaigns)) {
    call.terminal.row(progress, report(progress));
  }
  return 0;
}

async function showCampaign(call: Call, [id]: string[]): Promise<number> {
  const { campaignInFull } = await import('../../newsletter/campaigns.ts');
  const full = await withNewsletter(call, (newsletter) => campaignInFull(newsletter, id ?? ''));
  call.terminal.result(full, fullReport(full));
  return 0;
}

function controlCampaign(verb: 'pause' | 'resume' | 'cancel') {
  return async (call: Call, [id]: string[]): Promise<number> => {
    const { control } = await import('../../newsletter/campaigns.ts');
    const progress = await withNewsletter(call, (newsletter) =>
      control(newsletter, id ?? '', verb),
    );
    call.terminal.result(progress, report(progress));
    return 0;
  };
}

async function amendCampaign(
  call: Call,
  [id]: string[],
  options: { allow?: string[] },
): Promise<number> {
  const { campaign } = await import('../../newsletter/campaigns.ts');
  const { amend } = await import('../../newsletter/send.ts');
  const amended = await withNewsletter(call, async (newsletter) =>
    amend(newsletter, await campaign(newsletter, id ?? ''), options.allow),
  );
  call.terminal.result({ amended }, `${amended} readers get what the issue says now`);
  call.terminal.say(`Go on with: broadsheet campaigns resume ${id}`);
  return 0;
}

async function resolveCampaign(
  call: Call,
  [id]: string[],
  options: { as?: string },
): Promise<number> {
  const { resolve, unknown } = await import('../../newsletter/campaigns.ts');
  const { as: verdict } = options;
  if (verdict === undefined) {
    const rows = await withNewsletter(call, (newsletter) => unknown(newsletter, id ?? ''));
    for (const row of rows) call.terminal.row(row, `${row.address ?? ''}  ${row.reply ?? ''}`);
    call.terminal.say(
      rows.length === 0
        ? 'Nothing is unknown.'
        : `Look into your relay's log, then: broadsheet campaigns resolve ${id} --as accepted, failed or resend`,
    );
    return 0;
  }
  const { resolved, progress } = await withNewsletter(call, (newsletter) =>
    resolve(newsletter, id ?? '', verdict),
  );
  call.terminal.result({ resolved, ...progress }, `${resolved} settled\n${report(progress)}`);
  return 0;
}

async function nextSlots(call: Call): Promise<number> {
  const { comingSlots } = await import('../../newsletter/schedule.ts');
  for (const slot of await withNewsletter(call, (newsletter) => comingSlots(newsletter, 5))) {
    call.terminal.row(slot, `${slot.local}  ${slot.zone}  ${slot.issue ?? slot.missing}`);
  }
  return 0;
}

async function runDue(call: Call): Promise<number> {
  const verbs = await import('../../newsletter/schedule.ts');
  const { tellEditor } = await import('../../newsletter/alerts.ts');
  const slots = await withNewsletter(call, async (newsletter) => {
    const changed = await verbs.runDue(newsletter, interruption());
    await tellEditor(newsletter);
    return changed;
  });
  for (const slot of slots)
    call.terminal.row(slot, `${slot.slot}  ${slot.state}  ${slot.note ?? ''}`);
  if (slots.length === 0) call.terminal.say('Nothing is due.');
  return slots.some((slot) => slot.state === 'failed') ? 1 : 0;
}

async function adopt(call: Call): Promise<number> {
  const verbs = await import('../../newsletter/installation.ts');
  await withNewsletter(call, verbs.adopt);
  call.terminal.say('This installation sends and keeps the schedule from now on.');
  return 0;
}

interface WorkerOptions {
  listen?: string;
  attached?: boolean;
  once?: boolean;
  demo?: boolean;
}

async function worker(call: Call, _: string[], options: WorkerOptions): Promise<number> {
  await growSlowly();
  const { work } = await import('../../newsletter/worker.ts');
  const { listenForHealth } = await import('../../newsletter/health.ts');
  const { world, terminal } = call;
  const signal = options.attached
    ? AbortSignal.any([interruption(), stdinEnded()])
    : interruption();
  signal.addEventListener('abort', () => void endLater(terminal), { once: true });
  const report = await withNewsletter(
    call,
    async (newsletter) => {
      const health = options.listen && (await listenForHealth(newsletter, options.listen));
      try {
        return await work(newsletter, { signal, once: options.once === true });
      } finally {
        if (health) health.close();
      }
    },
    options.demo ? world.openDemo : world.open,
  );
  if (report === null) terminal.say('Another process is sending for this newsletter.');
  else if (!options.attached) terminal.result(report, '');
  return 0;
}

/** How long a worker may take to end, ms; who supervises it waits a little longer. */
const LONGEST_END = 29_000;

/** Where the database is away, the last results cannot be stored: whoever comes next finds their mails in doubt. */
async function endLater(terminal: Call['terminal']): Promise<void> {
  await sleep(LONGEST_END, undefined, { ref: false });
  terminal.say(
    'What was under way could not be written down in time; the next worker finds it in doubt.',
  );
  process.exit(1);
}

/** Whoever started this process has gone. */
function stdinEnded(): AbortSignal {
  const controller = new AbortController();
  process.stdin.on('end', () => controller.abort()).on('error', () => controller.abort());
  process.stdin.resume();
  return controller.signal;
}
