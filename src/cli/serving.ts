/** The commands that stay until Ctrl-C: preview, serve, demo. */
import pc from 'picocolors';
import { demo, nearby } from '../newsletter/demo.ts';
import { issueIds } from '../newsletter/issues.ts';
import { keepRunning } from '../newsletter/serve.ts';
import {
  type Call,
  type OpenNewsletter,
  type Server,
  type StudioServer,
  withNewsletter,
} from './cli.ts';
import { growSlowly } from './heap.ts';
import { interruption } from './interruption.ts';

const STUDIO_PORT = 4321;

/** The studio alone; with `phone` also a page of the issue, or of the newest, for the local network. */
export function servePreview(
  call: Call,
  issue: string | undefined,
  { port, phone }: { port?: string; phone?: boolean },
): Promise<number> {
  return withNewsletter(call, async (newsletter) => {
    const studio = await openStudio(call, newsletter, port, issue);
    try {
      if (phone) await showPhone(call, studio, issue ?? issueIds(newsletter)[0] ?? '');
      await until(interruption());
    } finally {
      await studio.close();
    }
    return 0;
  });
}

async function showPhone({ terminal }: Call, studio: StudioServer, issue: string): Promise<void> {
  const page = await studio.openPhone(issue);
  const until = new Date(page.expiresAt).toTimeString().slice(0, 5);
  terminal.say(`${pc.bold('phone')}    ${page.url}  (${issue}, until ${until})\n${page.terminal}`);
}

/** Schedule, public pages, studio and a worker. */
export function serve(call: Call, port: string | undefined): Promise<number> {
  return withNewsletter(call, async (newsletter) => {
    await growSlowly();
    await serveAll(call, newsletter, port, undefined);
    return 0;
  });
}

/** The demonstration, then everything that `serve` offers, on the demonstration's own state. */
export function runDemo(call: Call, options: { once?: boolean; port?: string }): Promise<number> {
  const work = async (newsletter: OpenNewsletter) => {
    await growSlowly();
    const issue = await show(call, newsletter);
    if (!options.once) await serveAll(call, newsletter, options.port, issue);
    return 0;
  };
  return withNewsletter(call, work, call.world.openDemo);
}

async function show({ terminal }: Call, newsletter: OpenNewsletter): Promise<string> {
  const step = (name: string, text: string) =>
    terminal.say(`${pc.bold(pc.red(name.padEnd(8)))} ${text}`);
  const bar = terminal.progress();
  const signal = new AbortController().signal;
  const { send, outbox } = await demo(
    newsletter,
    {
      onDraft({ draft, issueFile, checks }) {
        const repairs = draft.sources
          .flatMap((source) => source.repairs)
          .filter(({ applied }) => applied);
        step(
          'draft',
          `${draft.items.length} items found in the transcript, ${repairs.length} names repaired, ${checks} places marked for the editor`,
        );
        step('', pc.dim(nearby(issueFile)));
      },
      onPreview: ({ subject, hash, mime, html }) => {
        step('render', subject);
        step(
          '',
          pc.dim(
            `${Buffer.byteLength(html)} bytes of HTML, ${mime.length} bytes of message, SHA-256 ${hash.slice(0, 16)}`,
          ),
        );
      },
      onReaders: (count) => step('readers', `${count} sample readers`),
    },
    { onPlan: () => {}, onProgress: () => {}, signal },
  );
  bar.end();
  const { accepted } = send.progress.counts;
  step(
    'send',
    send.began === 'already'
      ? `sent already to ${accepted} readers; nothing was sent again`
      : `${accepted} of ${send.progress.planned} delivered`,
  );
  step('', pc.dim(`${nearby(outbox)} (open an .eml file with any mail program)`));
  terminal.result({ send, outbox }, '');
  return send.progress.issue;
}

async function serveAll(
  call: Call,
  newsletter: OpenNewsletter,
  port: string | undefined,
  issue: string | undefined,
): Promise<void> {
  const signal = interruption();
  const { site, metrics } = newsletter.settings;
  const pages = await call.world.openPublic(newsletter);
  call.terminal.say(`${pc.bold('pages')}    ${await listenAt(pages, site.listen)}`);
  const numbers = metrics && (await call.world.openMetrics(newsletter));
  if (numbers)
    call.terminal.say(`${pc.bold('metrics')}  ${await listenAt(numbers, metrics.listen)}/metrics`);
  const studio = await openStudio(call, newsletter, port, issue);
  const running = keepRunning(newsletter);
  call.terminal.say('Ctrl-C ends it.');
  await until(signal);
  await running.stop();
  await Promise.all([studio, pages, ...(numbers ? [numbers] : [])].map((server) => server.close()));
}

async function openStudio(
  call: Call,
  newsletter: OpenNewsletter,
  port: string | undefined,
  issue: string | undefined,
): Promise<StudioServer> {
  const studio = await call.world.openStudio(newsletter);
  const address = await listen(studio, '127.0.0.1', Number(port ?? STUDIO_PORT));
  call.terminal.say(
    `${pc.bold('studio')}   ${address}/?token=${studio.token}${issue ? `#/issue/${issue}` : ''}`,
  );
  return studio;
}

/** @param at `host:port` */
function listenAt(server: Server, at: string): Promise<string> {
  const colon = at.lastIndexOf(':');
  return listen(server, at.slice(0, colon), Number(at.slice(colon + 1)));
}

/** On the wanted port, or on a free one where that is taken. */
async function listen(server: Server, host: string, port: number): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return server.listen(host, 0);
  }
}

function until(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
